"""The points of a pose that can belong to its picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..shapes import Size
from .person import Frame, Part, Person


def without_far_points(frame: Frame) -> tuple[Frame, int]:
    """The frame without points farther outside than the picture's longer side, and how many these are."""
    people = tuple(_near(person, frame.size) for person in frame.people)
    left_out = sum(map(_count, frame.people)) - sum(map(_count, people))
    return replace(frame, people=people), left_out


def _near(person: Person, size: Size) -> Person:
    def part(old: Part) -> Part:
        return replace(old, present=old.present & _is_near(old.points, size))

    return replace(
        person,
        present=person.present & _is_near(person.points, size),
        hand_left=part(person.hand_left),
        hand_right=part(person.hand_right),
        face=part(person.face),
    )


def _is_near(points: np.ndarray, size: Size) -> np.ndarray:
    reach = max(size)
    near: np.ndarray = (points >= -reach) & (points <= np.array(size) + reach)
    return np.logical_and.reduce(near, axis=1)


def _count(person: Person) -> int:
    return sum(int(part.present.sum()) for part in person.parts().values())
