"""The proportions of the body, and a person's stature q in pixels measured by them.

Lengths are those between key points as detectors mark them, not between the anatomical landmarks of
anthropometry, whose shoulders and hips are much broader: medians of photographed people who stand or walk, as
a detector found them, as fractions of the stature that trunk and legs sum up to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..person import Person
from ..skeleton import (
    L_ANKLE,
    L_EAR,
    L_ELBOW,
    L_EYE,
    L_HIP,
    L_KNEE,
    L_SHOULDER,
    L_WRIST,
    NECK,
    R_ANKLE,
    R_EAR,
    R_ELBOW,
    R_EYE,
    R_HIP,
    R_KNEE,
    R_SHOULDER,
    R_WRIST,
)


class Table(NamedTuple):
    """Lengths between joints, and how high an ankle stands, in statures."""

    ankle_height: float
    shank: float
    thigh: float
    trunk: float
    upper_arm: float
    forearm: float
    shoulder_width: float
    hip_width: float
    shoulders_to_eyes: float

    @property
    def side_of_trunk(self) -> float:
        """From a shoulder to the hip below it."""
        return float(np.hypot(self.trunk, (self.shoulder_width - self.hip_width) / 2))


BODY = Table(
    ankle_height=0.060,
    shank=0.213,
    thigh=0.216,
    trunk=0.292,
    upper_arm=0.160,
    forearm=0.138,
    shoulder_width=0.180,
    hip_width=0.100,
    shoulders_to_eyes=0.118,
)
FOOT_LENGTH, FOOT_BREADTH = 0.152, 0.055
# Where along the foot the ankle stands is an assumption: a quarter of its length lies behind.
HEEL_BEHIND, TOES_AHEAD = 0.25 * FOOT_LENGTH, 0.75 * FOOT_LENGTH
LEG_BREADTH = 0.06
EYES_TO_CROWN = 0.075

_FRONTAL = 0.78
# Shoulders and hips both this much broader than the trunk is long measure better than the trunk does; the
# ramp says how surely it leans to or from the camera.
_BROAD, _NARROW = 1.12, (1.08, 1.25)
# A segment agrees that measures between these shares of the percentile.
_AGREES = (0.92, 1.2)
_BENT = np.deg2rad(25.0)
_SHORT = 0.75
_LEG_AND_ARM_CHAINS = (
    (R_SHOULDER, R_ELBOW, R_WRIST),
    (L_SHOULDER, L_ELBOW, L_WRIST),
    (R_HIP, R_KNEE, R_ANKLE),
    (L_HIP, L_KNEE, L_ANKLE),
)
_ARMS = (
    (R_SHOULDER, R_ELBOW, "upper_arm", 1.0),
    (L_SHOULDER, L_ELBOW, "upper_arm", 1.0),
    (R_ELBOW, R_WRIST, "forearm", 1.0),
    (L_ELBOW, L_WRIST, "forearm", 1.0),
)
_UNSQUEEZED = 0.7
_LIMBS = (
    (R_HIP, R_KNEE, "thigh", 3.0),
    (L_HIP, L_KNEE, "thigh", 3.0),
    (R_KNEE, R_ANKLE, "shank", 3.0),
    (L_KNEE, L_ANKLE, "shank", 3.0),
    *_ARMS,
)


def midpoint(points: np.ndarray, present: np.ndarray, first: int, second: int) -> np.ndarray | None:
    """The point halfway between two present points, None where one is missing."""
    if present[first] and present[second]:
        return (points[first, :2] + points[second, :2]) / 2
    return None


def shoulders_middle(points: np.ndarray, present: np.ndarray) -> np.ndarray | None:
    """Midway between the shoulders, or the neck where one of them is missing."""
    middle = midpoint(points, present, R_SHOULDER, L_SHOULDER)
    if middle is None and present[NECK]:
        middle = points[NECK, :2]
    return middle


def head_middle(points: np.ndarray, present: np.ndarray) -> np.ndarray | None:
    """A point at the height of the eyes: between the ears, else between the eyes, else the one ear seen."""
    for first, second in ((R_EAR, L_EAR), (R_EYE, L_EYE), (R_EAR, R_EAR), (L_EAR, L_EAR)):
        middle = midpoint(points, present, first, second)
        if middle is not None:
            return middle
    return None


def _distance(points: np.ndarray, first: int, second: int) -> float:
    return float(np.linalg.norm(points[first, :2] - points[second, :2]))


def trunk(points: np.ndarray, present: np.ndarray, table: Table = BODY) -> float | None:
    """The stature in pixels by the trunk alone; None where it is not seen."""
    found = _trunk(points, present, table)
    return found[0][0] if found else None


def _trunk(points: np.ndarray, present: np.ndarray, table: Table) -> list[tuple[float, float]]:
    shoulders = shoulders_middle(points, present)
    hips = midpoint(points, present, R_HIP, L_HIP)
    if shoulders is not None and hips is not None:
        return [(float(np.linalg.norm(shoulders - hips)) / table.trunk, 3.0)]
    return [
        (_distance(points, shoulder, hip) / table.side_of_trunk, 3.0)
        for shoulder, hip in ((R_SHOULDER, R_HIP), (L_SHOULDER, L_HIP))
        if present[shoulder] and present[hip]
    ]


def _head(points: np.ndarray, present: np.ndarray, table: Table) -> list[tuple[float, float]]:
    shoulders, head = shoulders_middle(points, present), head_middle(points, present)
    if shoulders is None or head is None:
        return []
    return [(float(np.linalg.norm(shoulders - head)) / table.shoulders_to_eyes, 1.0)]


def _measured(points: np.ndarray, present: np.ndarray, table: Table) -> list[tuple[float, float]]:
    """(stature in pixels by this segment alone, weight) of every segment both ends of which are present."""
    found, length = _trunk(points, present, table), trunk(points, present, table)
    found += [
        (_distance(points, first, second) / getattr(table, name), weight)
        for first, second, name, weight in _LIMBS
        if present[first] and present[second]
    ]
    if present[R_SHOULDER] and present[L_SHOULDER]:
        width = _distance(points, R_SHOULDER, L_SHOULDER) / table.shoulder_width
        if length is None or width > _FRONTAL * length:
            found.append((width, 1.0))
    broad = breadth(points, present, table)
    if length is not None and broad is not None and broad > _BROAD * length:
        found.append((broad, 3.0))
    # A nodding head is short: it only counts where there is no trunk to measure.
    if length is None:
        found += _head(points, present, table)
    return [(stature, weight) for stature, weight in found if stature > 0]


def breadth(points: np.ndarray, present: np.ndarray, table: Table = BODY) -> float | None:
    """The stature in pixels by the narrower of shoulders and hips; None where one of the four is missing."""
    if not present[[R_SHOULDER, L_SHOULDER, R_HIP, L_HIP]].all():
        return None
    return min(
        _distance(points, R_SHOULDER, L_SHOULDER) / table.shoulder_width,
        _distance(points, R_HIP, L_HIP) / table.hip_width,
    )


def foreshortened(points: np.ndarray, present: np.ndarray) -> float:
    """How surely the trunk leans to or from the camera, 0 … 1: it is short for its breadth, as of people who
    sit or leap."""
    broad, length = breadth(points, present), trunk(points, present)
    if not broad or not length:
        return 0.0
    return float(np.clip((broad / length - _NARROW[0]) / (_NARROW[1] - _NARROW[0]), 0, 1))


def _bends(points: np.ndarray, present: np.ndarray) -> bool:
    """Whether an elbow or a knee is bent by more than 25°."""
    for first, middle, last in _LEG_AND_ARM_CHAINS:
        if present[[first, middle, last]].all():
            a, b = points[middle, :2] - points[first, :2], points[last, :2] - points[middle, :2]
            if abs(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b)) > _BENT:
                return True
    return False


def _weighted_percentile(values: list[tuple[float, float]], share: float) -> float:
    values = sorted(values)
    reached = np.cumsum([weight for _, weight in values])
    return values[int(np.searchsorted(reached, share * reached[-1] - 1e-9))][0]


def above_hips(points: np.ndarray, present: np.ndarray) -> float | None:
    """The stature in pixels by head, shoulders and arms alone, which a detector does not squeeze."""
    found = _head(points, present, BODY)
    if present[R_SHOULDER] and present[L_SHOULDER]:
        found.append((_distance(points, R_SHOULDER, L_SHOULDER) / BODY.shoulder_width, 1.0))
    found += [
        (_distance(points, first, second) / getattr(BODY, name), 1.0)
        for first, second, name, _ in _ARMS
        if present[first] and present[second]
    ]
    return _weighted_percentile(found, _UNSQUEEZED) if found else None


def together(points: np.ndarray, present: np.ndarray) -> float | None:
    """The stature in pixels by head, trunk and the longer of both upper arms and forearms alike.

    Their geometric mean, without what is foreshortened; None where none of them is seen.
    """
    found = [length for length, _ in _head(points, present, BODY)] + [trunk(points, present) or 0.0]
    for pair in (_ARMS[:2], _ARMS[2:]):
        found.append(
            max(
                _distance(points, first, second) / getattr(BODY, name) * (present[first] and present[second])
                for first, second, name, _ in pair
            )
        )
    near = [length for length in found if length > _SHORT * max(found)]
    return float(np.exp(np.mean(np.log(near)))) if near else None


def stature(person: Person, table: Table = BODY) -> float | None:
    """q, the height in pixels the person would have standing upright, by the measured points; None if none.

    The weighted 60th percentile over the segments seen (trunk, thigh, shank 3; upper arm, forearm, frontal
    shoulders 1), the 75th when a limb is bent or they disagree, because foreshortening only ever makes a
    segment too short; then the geometric mean of all that agree with it, the height of the head among them.
    """
    points, present = person.points, person.measured
    found = _measured(points, present, table)
    if not found:
        return None
    foreshortened = min(found)[0] < _SHORT * max(found)[0]
    q = _weighted_percentile(found, 0.75 if foreshortened or _bends(points, present) else 0.6)
    if trunk(points, present, table) is not None:
        found += _head(points, present, table)
    near = [(length, weight) for length, weight in found if _AGREES[0] * q <= length <= _AGREES[1] * q]
    total = sum(weight for _, weight in near)
    return float(np.exp(sum(weight * np.log(length) for length, weight in near) / total))
