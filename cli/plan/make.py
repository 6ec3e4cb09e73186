"""The plan of a photo's people: what the template full_body would guess and which canvas it would make."""

from __future__ import annotations

from typing import NamedTuple

from ...core.canvas.padding import pad_for_body, pad_to_multiple
from ...core.pose.choices import Legs
from ...core.pose.estimate.complete import complete
from ...core.pose.extension import extension_needed
from ...core.pose.person import Frame, Person
from ...core.shapes import Padding
from .. import lab
from ..comfy import workflow
from .drawing import Body

WORKFLOW = lab.ROOT / "workflows" / "api" / "full_body.json"


class Plan(NamedTuple):
    """The people with their guessed points, the padding of their picture, and a sentence where that is all:
    nothing can or need be added."""

    frame: Frame
    padding: Padding
    why: str | None = None


def settings() -> tuple[dict, dict]:
    """The inputs of the template's Complete Pose and Extend Canvas."""
    prompt = workflow.read(WORKFLOW)
    found = (prompt[workflow.find(prompt, title)]["inputs"] for title in ("Complete Pose", "Extend Canvas"))
    completing, extending = found
    return completing, extending


def plan(frame: Frame) -> Plan:
    """What the template makes of the people of one picture, at least one person."""
    completing, extending = settings()
    none = Padding()
    try:
        completed = complete([frame], Legs(completing["legs"]))
    except ValueError:
        return Plan(
            frame,
            none,
            "too little of anybody is visible to say where the legs must be; a limb, both shoulders, or a "
            "shoulder and its hip are needed",
        )
    try:
        extension_needed(completed, frame.size, completing["max_extension"])
        needed = extension_needed(completed, frame.size, extending["mode.max_extension"])
    except ValueError as error:
        return Plan(completed[0], none, str(error).rstrip("."))
    padding = pad_for_body(needed[:4], needed.body, extending["mode.margin"])
    padding = pad_to_multiple(frame.size, padding, extending["multiple_of"])
    beyond = None if any(padding) else "nobody reaches beyond the picture, so nothing need be added"
    return Plan(completed[0], padding, beyond)


def body(person: Person) -> Body:
    """The person as it is drawn."""
    points = [(float(x), float(y)) for x, y in person.points]
    return Body(points, person.present.tolist(), (person.present & person.estimated).tolist())
