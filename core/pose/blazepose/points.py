"""BlazePose's 33 points as a person of a pose: what is seen, what is only a guess, what is left out."""

from __future__ import annotations

import numpy as np

from ...shapes import Size
from .. import openpose, skeleton
from ..person import Part, Person
from . import landmarks

# Of the person's length: closer to the picture's border a point is no more than a guess. In photographs cut
# across the legs most knees and ankles that the network made up lay that close above the cut. Where a foot is
# in the picture its ankle is further from the border.
BORDER, KNEE_BORDER, ANKLE_BORDER = 0.02, 0.04, 0.05
# The rows of core's 24 points; −1: the neck, midway between the shoulders; −2: the network has no such point.
_ROWS = (
    *(0, -1, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7),
    *(31, -2, 29, 32, -2, 30),
)
_SHOULDERS = [11, 12]
# The points of a hand and of a face that the network has, and its rows for them: wrist, thumb, first and
# little finger's knuckle; nose, corners of the eyes and the mouth, pupils.
_LEFT_HAND = {0: 15, 2: 21, 5: 19, 17: 17}
_RIGHT_HAND = {0: 16, 2: 22, 5: 20, 17: 18}
_FACE = {30: 0, 36: 6, 39: 4, 42: 1, 45: 3, 48: 10, 54: 9, 68: 5, 69: 2}
# An ankle without its knee is made up more often than not, and so is a foot without its ankle.
_CHAINS = (
    (skeleton.R_KNEE, skeleton.R_ANKLE, (skeleton.R_BIG_TOE, skeleton.R_HEEL)),
    (skeleton.L_KNEE, skeleton.L_ANKLE, (skeleton.L_BIG_TOE, skeleton.L_HEEL)),
)

_MARGINS = np.full(skeleton.POINTS, BORDER)
_MARGINS[[skeleton.R_KNEE, skeleton.L_KNEE]] = KNEE_BORDER
_MARGINS[[skeleton.R_ANKLE, skeleton.L_ANKLE]] = ANKLE_BORDER


def listed(points: np.ndarray) -> np.ndarray:
    """Body and feet, 24,3 (x, y, score), of the network's points N,4 (x, y, visibility, presence).

    The score is the lower one of visibility and presence; the small toes, which are none of the network's
    points, are all zero.
    """
    rows = _rows(points)
    neck = openpose.neck_between(rows[_SHOULDERS])
    return np.concatenate([rows, np.zeros((1, 3)), neck[None]])[list(_ROWS)]


def _rows(points: np.ndarray) -> np.ndarray:
    found = points[: landmarks.POINTS]
    return np.column_stack([found[:, :2], found[:, 2:4].min(axis=1)])


def inside(points: np.ndarray, size: Size, margin: np.ndarray | float = 0.0) -> np.ndarray:
    """Which points lie in the picture, at least `margin` pixels (one for all, or N) from its border."""
    x, y = points[:, 0], points[:, 1]
    return (x >= margin) & (x < size.width - margin) & (y >= margin) & (y < size.height - margin)


def person(points: np.ndarray, size: Size, threshold: float) -> Person | None:
    """The person of the network's points in pixels of a picture of `size`; None where no point is seen.

    Points beyond the picture or close to its border are present and estimated. Points inside that score no
    more than `threshold`, and legs below a joint that is not seen, are not present.
    """
    rows = listed(points)
    exists = np.isfinite(rows).all(axis=1) & (rows[:, 2] > 0)
    length = float(np.ptp(rows[exists, :2], axis=0).max()) if exists.any() else 0.0
    clear = inside(rows, size, _MARGINS * length)
    sure = exists & clear & (rows[:, 2] > threshold)
    for knee, ankle, foot in _CHAINS:
        sure[ankle] &= sure[knee]
        sure[list(foot)] &= sure[ankle]
    if not sure.any():
        return None
    guessed = exists & ~sure & ~clear
    present = sure | guessed
    return Person(
        np.where(present[:, None], rows[:, :2], 0.0),
        present,
        guessed,
        scores=rows[:, 2].copy(),
        hand_left=_part(points, _LEFT_HAND, skeleton.HAND_POINTS, size, threshold),
        hand_right=_part(points, _RIGHT_HAND, skeleton.HAND_POINTS, size, threshold),
        face=_part(points, _FACE, skeleton.FACE_POINTS, size, threshold),
    )


def _part(points: np.ndarray, table: dict[int, int], count: int, size: Size, threshold: float) -> Part:
    """A hand or a face with the points that the network has and sees, the others absent."""
    rows, found = _rows(points)[list(table.values())], np.zeros((count, 3))
    seen = np.isfinite(rows).all(axis=1) & inside(rows, size) & (rows[:, 2] > threshold)
    found[list(table)] = np.where(seen[:, None], rows, 0.0)
    return Part(found[:, :2], found[:, 2] > 0)
