"""People as values: where their points are, which of them are there, and the pictures they belong to.

Arrays are read-only; whoever changes a person makes a new one with dataclasses.replace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..shapes import Size
from . import skeleton

# Of a side: small pictures of quite different aspects are within a pixel of each other.
_LARGEST_ERROR = 0.02


def _none_of(count: int) -> np.ndarray:
    return np.zeros(count, dtype=bool)


def _lock(*arrays: np.ndarray | None) -> None:
    for array in arrays:
        if array is not None:
            array.flags.writeable = False


@dataclass(frozen=True, eq=False)
class Part:
    """A hand or a face: `points` N,2 in pixels and whether each is `present`; N is 0 where none is listed."""

    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    present: np.ndarray = field(default_factory=lambda: _none_of(0))

    def __post_init__(self) -> None:
        _lock(self.points, self.present)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def rows(self) -> np.ndarray:
        """N,3: x, y, and 1 for present points, else 0."""
        return np.column_stack([self.points, self.present])


@dataclass(frozen=True, eq=False)
class Person:
    """`points` 24,2 of body and feet in pixels, `present` and `estimated` (guessed) 24.

    `scores` are the 24 measured scores, `uncertainty` 24 how far off a guessed point may be in pixels (the
    standard deviation; 0 where nothing is known), each None where nothing is known of any point. `rest` is
    whatever else belongs to the person; it is carried along and never looked at.
    """

    points: np.ndarray
    present: np.ndarray
    estimated: np.ndarray = field(default_factory=lambda: _none_of(skeleton.POINTS))
    scores: np.ndarray | None = None
    hand_left: Part = field(default_factory=Part)
    hand_right: Part = field(default_factory=Part)
    face: Part = field(default_factory=Part)
    rest: Any = None
    uncertainty: np.ndarray | None = None

    def __post_init__(self) -> None:
        _lock(self.points, self.present, self.estimated, self.scores, self.uncertainty)

    @property
    def rows(self) -> np.ndarray:
        """24,3: x, y, and 1 for present points, else 0."""
        return np.column_stack([self.points, self.present])

    @property
    def measured(self) -> np.ndarray:
        """Which of the 24 points are present and no guesses."""
        return self.present & ~self.estimated

    def parts(self) -> dict[str, Part]:
        """All points by POSE_KEYPOINT's keys."""
        body = skeleton.BODY_POINTS
        return {
            skeleton.BODY_KEY: Part(self.points[:body], self.present[:body]),
            skeleton.FOOT_KEY: Part(self.points[body:], self.present[body:]),
            skeleton.HAND_LEFT_KEY: self.hand_left,
            skeleton.HAND_RIGHT_KEY: self.hand_right,
            skeleton.FACE_KEY: self.face,
        }


@dataclass(frozen=True, eq=False)
class Frame:
    """The people of one picture of `size`; `rest` is carried along like a person's."""

    size: Size
    people: tuple[Person, ...] = ()
    rest: Any = None


Pose = Sequence[Frame]


def from_rows(rows: np.ndarray, estimated: np.ndarray | None = None) -> Person:
    """The person of up to 24 rows x, y, score; a score above 0 is a present point."""
    whole = np.zeros((skeleton.POINTS, 3))
    whole[: len(rows)] = rows
    marks = _none_of(skeleton.POINTS) if estimated is None else np.array(estimated, dtype=bool)
    return Person(whole[:, :2].copy(), whole[:, 2] > 0, marks)


def everybody(pose: Pose) -> Iterator[Person]:
    """All people of all frames."""
    for frame in pose:
        yield from frame.people


def common_size(pose: Pose) -> Size:
    """The size of the pictures all frames belong to; ValueError where they differ or there is no frame."""
    sizes = sorted({frame.size for frame in pose})
    if not sizes:
        raise ValueError("The pose has no frame; connect a pose with one frame per picture.")
    if len(sizes) > 1:
        raise ValueError(
            f"The pose's frames belong to pictures of different sizes ({', '.join(map(str, sizes[:5]))}); "
            "split the batch, or take the poses of pictures of one size."
        )
    return sizes[0]


def scale_between(size: Size, other: Size) -> tuple[float, float] | None:
    """By how much points of a picture of `size` are scaled (x, y) to lie on the same picture of size `other`.

    None where the two are no sizes of one picture: their aspects differ by more than rounding to pixels.
    """
    small, large = sorted((size, other))
    if (small.width == large.width) != (small.height == large.height):
        return None
    scale = max(large.width / small.width, large.height / small.height)
    for long, short in zip(large, small, strict=True):
        if abs(long / scale - short) > min(1.0, _LARGEST_ERROR * short):
            return None
    return other.width / size.width, other.height / size.height


def _moved(
    points: np.ndarray, present: np.ndarray, scale: tuple[float, float], offset: tuple[float, float]
) -> np.ndarray:
    result = points.copy()
    result[present] = result[present] * scale + offset
    return result


def _moved_person(person: Person, scale: tuple[float, float], offset: tuple[float, float]) -> Person:
    def part(old: Part) -> Part:
        return replace(old, points=_moved(old.points, old.present, scale, offset)) if len(old) else old

    known = person.uncertainty
    return replace(
        person,
        points=_moved(person.points, person.present, scale, offset),
        uncertainty=None if known is None else known * max(scale),
        hand_left=part(person.hand_left),
        hand_right=part(person.hand_right),
        face=part(person.face),
    )


def moved(pose: Pose, scale: tuple[float, float], offset: tuple[float, float], canvas: Size) -> list[Frame]:
    """The pose with x' = x·scale + offset for every present point, on a canvas of that size."""
    return [
        replace(
            frame,
            size=canvas,
            people=tuple(_moved_person(person, scale, offset) for person in frame.people),
        )
        for frame in pose
    ]


def bounding_box(frame: Frame) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of all present points (body, feet, hands, face) in pixels; None if none."""
    found = [part.points[part.present] for person in frame.people for part in person.parts().values()]
    present = np.concatenate([np.zeros((0, 2)), *found])
    if not len(present):
        return None
    (left, top), (right, bottom) = present.min(axis=0), present.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
