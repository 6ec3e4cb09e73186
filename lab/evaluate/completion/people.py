"""How far guessed legs of real people lie from where they were: photographs cut at several heights.

A file of people, as the made-up tests/data/people.json, holds one person to an entry: family and photo,
size of the person's picture, all points there (COCO-18, then big toe, small toe and heel of the left and
the right foot, as x, y, present), the longer side of the box, the lowest foot point, and the rows below
which the picture is cut with what a detector finds then, if it was asked. Nothing here looks at a picture.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ....core.canvas.padding import pad_for_body
from ....core.pose.choices import Legs
from ....core.pose.estimate import complete
from ....core.pose.extension import extension_needed
from ....core.pose.person import Frame, Person, from_rows
from ....core.pose.skeleton import L_ANKLE, POINTS, R_ANKLE
from ....core.shapes import Padding, Size
from .straight import straight_down

ANKLES = [R_ANKLE, L_ANKLE]
THRESHOLD = 0.3
# Extend Canvas's default margin in % of the body, and more canvas than any cut can need.
MARGIN, LIMITLESS = 4.0, 1000.0
NOW, STRAIGHT, STRAIGHT_OLD = "Complete Pose", "straight down", "straight down, Winter's table"
Row = dict[str, Any]


class Guess(NamedTuple):
    """`points` 24,3 (x, y, present) and the pixels Extend Canvas adds for them."""

    points: np.ndarray
    asked: Padding


Way = Callable[[Frame], Guess | None]


@dataclass(frozen=True)
class Cut:
    """A person's picture cut below `row`: what is seen of them, and all that is true.

    `truth` 24,3 in pixels; `detected` 24,3 (x, y, score) by a detector on the cut picture, None where it
    found nobody or was not asked.
    """

    person: str
    photo: str
    family: str
    length: float
    sole: float
    width: int
    row: int
    truth: np.ndarray
    detected: np.ndarray | None

    @property
    def size(self) -> Size:
        return Size(self.width, self.row)

    def given(self) -> Frame:
        """The true points that lie inside the cut picture."""
        x, y = self.truth[:, 0], self.truth[:, 1]
        inside = (x >= 0) & (x <= self.width) & (y >= 0) & (y <= self.row)
        seen = (self.truth[:, 2] > 0) & inside
        return Frame(self.size, (from_rows(np.where(seen[:, None], self.truth, 0.0)),))

    def found(self) -> Frame | None:
        """The detector's points as Detect Pose gives them: those beyond the picture are its estimates."""
        if self.detected is None:
            return None
        points, scores = self.detected[:, :2], self.detected[:, 2]
        outside = ((points < 0) | (points > self.size)).any(axis=1)
        present = np.where(outside, scores > 0, scores > THRESHOLD)
        return Frame(
            self.size,
            (Person(np.where(present[:, None], points, 0.0), present, present & outside, scores.copy()),),
        )


def _rows(value: Any, where: str) -> np.ndarray:
    found = np.array(value, dtype=np.float64)
    if found.shape != (POINTS, 3) or not np.isfinite(found).all():
        raise ValueError(f"{where} must be {POINTS} points [x, y, number] but has the shape {found.shape}.")
    return found


def read(file: Path) -> list[Cut]:
    """All cuts of a file's people; ValueError for a file of another form."""
    try:
        return list(_cuts(json.loads(file.read_text(encoding="utf-8"))["people"]))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(
            f'{file} is no file of people ({error}); it needs "people", each with id, photo, family, width, '
            "body_length, sole_y, points and cuts."
        ) from error


def _cuts(people: list[Mapping[str, Any]]) -> Iterator[Cut]:
    for person in people:
        name, truth = str(person["id"]), _rows(person["points"], f'The points of "{person["id"]}"')
        for cut in person["cuts"]:
            found = cut.get("detected")
            yield Cut(
                name, str(person["photo"]), str(person["family"]), float(person["body_length"]),
                float(person["sole_y"]), int(person["width"]), int(cut["row"]), truth,
                None if found is None else _rows(found, f'The detected points of "{name}"'),
            )  # fmt: skip


def completed(frame: Frame, legs: Legs = Legs.AUTO) -> Guess | None:
    """As Complete Pose and Extend Canvas do it at their defaults, however much canvas that takes."""
    try:
        pose = complete.complete([frame], legs)
    except ValueError:
        return None
    needed = extension_needed(pose, frame.size, LIMITLESS)
    return Guess(pose[0].people[0].rows, pad_for_body(needed[:4], needed.body, MARGIN))


def hung(winter: bool) -> Way:
    """Straight legs, hung from the hips."""

    def way(frame: Frame) -> Guess | None:
        person = straight_down(frame.people[0], winter)
        if person is None:
            return None
        needed = extension_needed([Frame(frame.size, (person,))], frame.size, LIMITLESS)
        return Guess(person.rows, pad_for_body(needed[:4], needed.body, MARGIN))

    return way


WAYS: dict[str, Way] = {NOW: completed, STRAIGHT: hung(winter=False), STRAIGHT_OLD: hung(winter=True)}


def measured(cut: Cut, guess: Guess | None) -> Row:
    """Distances of the hidden ankles and the canvas asked for beyond the needed, in shares of the length."""
    hidden = [i for i in ANKLES if cut.truth[i, 2] > 0 and cut.truth[i, 1] >= cut.row]
    if guess is None:
        return {"away": [None] * len(hidden), "extension": None, "grown": 0}
    away = np.hypot(*(guess.points[hidden, :2] - cut.truth[hidden, :2]).T) / cut.length
    there = guess.points[hidden, 2] > 0
    excess = guess.asked.bottom - max(cut.sole - cut.row, 0)
    return {
        "away": [round(float(d), 5) if found else None for d, found in zip(away, there, strict=True)],
        "extension": round(excess / cut.length, 5),
        "grown": _needless(cut, guess.asked),
    }


def _needless(cut: Cut, asked: Padding) -> int:
    """How many of the left, top and right side grow although nothing of the person lies beyond."""
    points = cut.truth[cut.truth[:, 2] > 0, :2]
    beyond = (points[:, 0] < 0, points[:, 1] < 0, points[:, 0] > cut.width)
    return sum(side > 0 and not out.any() for side, out in zip(asked[:3], beyond, strict=True))


Guesses = Mapping[tuple[str, int], Guess | None]


def guesses(cuts: list[Cut], way: Way, detected: bool) -> dict[tuple[str, int], Guess | None]:
    """What a way makes of every cut, by person and row; cuts without a detected person are left out."""
    found = {}
    for cut in cuts:
        frame = cut.found() if detected else cut.given()
        if frame is not None:
            found[cut.person, cut.row] = way(frame)
    return found


def rows(cuts: list[Cut], ways: Mapping[str, Guesses]) -> list[Row]:
    """One row per cut that all ways were asked for."""
    result = []
    for cut in cuts:
        key = (cut.person, cut.row)
        if all(key in found for found in ways.values()):
            row = {"person": cut.person, "photo": cut.photo, "family": cut.family, "row": cut.row}
            result.append(row | {name: measured(cut, found[key]) for name, found in ways.items()})
    return result


def save(found: Guesses, file: Path) -> None:
    """Write guesses, to be judged beside those of other code."""
    listed = [
        {
            "id": person, "row": row,
            "points": None if guess is None else np.round(guess.points, 3).tolist(),
            "asked": None if guess is None else list(guess.asked),
        }
        for (person, row), guess in found.items()
    ]  # fmt: skip
    file.write_text(json.dumps(listed), encoding="utf-8")


def load(file: Path) -> dict[tuple[str, int], Guess | None]:
    """Guesses that were saved; ValueError for a file of another form."""
    try:
        return {
            (str(one["id"]), int(one["row"])): None
            if one["points"] is None
            else Guess(_rows(one["points"], str(file)), Padding(*one["asked"]))
            for one in json.loads(file.read_text(encoding="utf-8"))
        }
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{file} holds no guesses ({error}); write one with cli completion --save."
        ) from error
