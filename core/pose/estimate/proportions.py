"""The proportions of the body, and a person's stature q in pixels measured by them.

Fractions of stature after D. A. Winter, Biomechanics and Motor Control of Human Movement (2009), figure 4.1,
which goes back to Drillis and Contini (1966).
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
    ankle_height=0.039,
    shank=0.246,
    thigh=0.245,
    trunk=0.288,
    upper_arm=0.186,
    forearm=0.146,
    shoulder_width=0.259,
    hip_width=0.191,
    shoulders_to_eyes=0.118,
)
FOOT_LENGTH, FOOT_BREADTH = 0.152, 0.055
# Where along the foot the ankle stands is an assumption: a quarter of its length lies behind.
HEEL_BEHIND, TOES_AHEAD = 0.25 * FOOT_LENGTH, 0.75 * FOOT_LENGTH
LEG_BREADTH = 0.06

_FRONTAL = 0.7
_BENT = np.deg2rad(25.0)
_SHORT = 0.75
_LEG_AND_ARM_CHAINS = (
    (R_SHOULDER, R_ELBOW, R_WRIST),
    (L_SHOULDER, L_ELBOW, L_WRIST),
    (R_HIP, R_KNEE, R_ANKLE),
    (L_HIP, L_KNEE, L_ANKLE),
)
_LIMBS = (
    (R_HIP, R_KNEE, "thigh", 3.0),
    (L_HIP, L_KNEE, "thigh", 3.0),
    (R_KNEE, R_ANKLE, "shank", 3.0),
    (L_KNEE, L_ANKLE, "shank", 3.0),
    (R_SHOULDER, R_ELBOW, "upper_arm", 1.0),
    (L_SHOULDER, L_ELBOW, "upper_arm", 1.0),
    (R_ELBOW, R_WRIST, "forearm", 1.0),
    (L_ELBOW, L_WRIST, "forearm", 1.0),
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


def _measured(points: np.ndarray, present: np.ndarray, table: Table) -> list[tuple[float, float]]:
    """(stature in pixels by this segment alone, weight) of every segment both ends of which are present."""
    found = _trunk(points, present, table)
    trunk = found[0][0] * table.trunk if found else None
    found += [
        (_distance(points, first, second) / getattr(table, length), weight)
        for first, second, length, weight in _LIMBS
        if present[first] and present[second]
    ]
    if present[R_SHOULDER] and present[L_SHOULDER]:
        width = _distance(points, R_SHOULDER, L_SHOULDER)
        if trunk is None or width > _FRONTAL * trunk:
            found.append((width / table.shoulder_width, 1.0))
    shoulders, head = shoulders_middle(points, present), head_middle(points, present)
    # A nodding head is short: it only counts where there is no trunk to measure.
    if trunk is None and shoulders is not None and head is not None:
        found.append((float(np.linalg.norm(shoulders - head)) / table.shoulders_to_eyes, 1.0))
    return [(stature, weight) for stature, weight in found if stature > 0]


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


def stature(person: Person, table: Table = BODY) -> float | None:
    """q, the height in pixels the person would have standing upright, by the measured points; None if none.

    The weighted 60th percentile over the segments seen (trunk, thigh, shank 3; upper arm, forearm, frontal
    shoulders 1), the 75th when a limb is bent or they disagree: foreshortening only ever makes a segment
    too short.
    """
    points, present = person.points, person.measured
    found = _measured(points, present, table)
    if not found:
        return None
    foreshortened = min(found)[0] < _SHORT * max(found)[0]
    return _weighted_percentile(found, 0.75 if foreshortened or _bends(points, present) else 0.6)
