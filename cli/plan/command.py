"""`cli demo --plan-only`, and what the demo does before it starts a server: find people, plan, draw."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ...bridge import notices, pose_json
from ...core.pose.person import Frame
from ...core.shapes import Size, padded
from .. import report, saving
from ..ending import Failure, Misuse
from ..words import line
from . import drawing, find, make
from .photo import opened

FILE = "plan.png"


class Planned(NamedTuple):
    """The plan of a photo, its file plan.png, and what is said of it."""

    plan: make.Plan
    file: bytes
    lines: list[str]


def people_of(text: str, size: Size) -> tuple[Frame, list[str]]:
    """The people that a pose file has for a picture of `size`, and notices; Misuse where it has no pose."""
    try:
        with notices.collect() as found:
            return pose_json.read(text, picture=size)[0], list(found)
    except ValueError as error:
        raise Misuse(str(error)) from error


def people_in(path: Path, size: Size) -> Frame:
    """The people that a pose file has for a picture of `size`; Misuse where it has no pose."""
    try:
        text = pose_json.decoded(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"Cannot read the pose in {line(path)}: {line(str(error), 200)}.") from error
    try:
        return people_of(text, size)[0]
    except Misuse as error:
        raise Misuse(f"{line(path)}: {error}") from error


def planned(image: Path, pose: str | None) -> Planned:
    """The plan of a photo with the pose of a file's text, or else of the people that are found.

    Failure where nobody is there.
    """
    photo = opened(image)
    size = Size(*photo.size)
    frame, said = people_of(pose, size) if pose is not None else (find.people(photo), [])
    if not frame.people:
        raise Failure(
            f"Expected a person in {line(image)}, found nobody; give the person's pose with --pose FILE, or "
            "take a picture that shows more of them."
        )
    plan = make.plan(frame)
    bodies = [make.body(person) for person in plan.frame.people]
    file = report.png(drawing.draw(photo, bodies, plan.padding))
    return Planned(plan, file, [*said, *lines(plan)])


def lines(plan: make.Plan) -> list[str]:
    """The plan in words."""
    people = plan.frame.people
    guessed = sum(int((person.present & person.estimated).sum()) for person in people)
    seen = sum(int(person.measured.sum()) for person in people)
    sides = ", ".join(f"{side} {count}" for side, count in plan.padding._asdict().items())
    return [
        f"People: {len(people)}; points seen {seen}, guessed {guessed}",
        f"Pixels to add: {sides}",
        f"Canvas: {padded(plan.frame.size, plan.padding)} for the photo's {plan.frame.size}",
    ]


def save(image: Path, pose: str | None, out: Path) -> tuple[Path, list[str]]:
    """Plan, write plan.png, and return where it is and what it shows.

    Failure where that is all that can be done with the photo; the file shows why.
    """
    with saving.into(out):
        made = planned(image, pose)
        (path,) = saving.save(out, [(FILE, made.file)], overwrite=True)
    if made.plan.why:
        raise Failure(f"{line(image)}: {made.plan.why}. {line(path)} shows what was found.")
    return path, made.lines
