"""One person while being completed: where the points are, which way the body stands, leans and looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...shapes import Size
from ..choices import Legs
from ..person import Person
from ..skeleton import (
    L_ANKLE,
    L_EAR,
    L_HIP,
    L_KNEE,
    L_SHOULDER,
    NOSE,
    R_ANKLE,
    R_EAR,
    R_HIP,
    R_KNEE,
    R_SHOULDER,
)
from . import proportions

GRAVITY = np.array([0.0, 1.0])
LEFT, RIGHT = (L_HIP, L_KNEE, L_ANKLE), (R_HIP, R_KNEE, R_ANKLE)
Leg = tuple[int, int, int]
FRONTAL = 0.7
BOWED = np.deg2rad(30.0)
# Trunk lean is passed on to the legs up to the first angle, less and less up to the second: then it is a bow.
_LEAN, _BOW = np.deg2rad(12.0), np.deg2rad(45.0)
# A thigh within this of the trunk's line goes on as the trunk does.
_IN_LINE = np.deg2rad(30.0)
_HEAD_DEPTH = 0.03
# Shoulders seem narrow when they hunch: from this share of their width on a view counts as frontal.
_WHOLE_WIDTH = 0.85
_PROFILE_FROM, _PROFILE_TO = 0.55, 0.75


@dataclass
class Body:
    """`points` 24,2 in pixels, `present` and `measured` 24, stature `q` in pixels.

    `down` is the direction of the legs, `gravity` that in which shanks hang, `trunk` that of the trunk,
    `sideways` what a unit from the person's right to the left is in the picture (1 frontal, 0 in profile, −1
    from behind), `facing` the profile (−1 left … 1 right).
    """

    points: np.ndarray
    present: np.ndarray
    measured: np.ndarray
    q: float
    trunk: np.ndarray
    down: np.ndarray
    gravity: np.ndarray
    sideways: float
    facing: float

    @property
    def profile(self) -> float:
        """What a unit forward is to the right of the picture, −1 … 1."""
        return _depth(self.sideways) * self.facing

    @property
    def lies(self) -> bool:
        """Whether the legs go on as the trunk does instead of hanging."""
        return self.gravity is self.trunk

    @property
    def in_profile(self) -> float:
        """How far forward and backward can be told apart in the picture, 0 … 1."""
        return _seen_from_the_side(self.profile)

    def put(self, index: int, point: np.ndarray) -> None:
        """Place a point that is missing; a present one stays."""
        if not self.present[index]:
            self.points[index], self.present[index] = point, True

    def vector(self, first: int, second: int) -> np.ndarray | None:
        """From one measured point to another."""
        if self.measured[first] and self.measured[second]:
            return self.points[second] - self.points[first]
        return None

    def swing(self, vector: np.ndarray, down: np.ndarray) -> float:
        """How far a limb seen from the side swings forward from `down`, in radians; backward is negative."""
        return float(np.arctan2(vector @ across(down) / self.profile, vector @ down))

    def swung(self, angle: float, view: float) -> np.ndarray:
        """What a unit along a limb that swings forward by `angle` from `down` is in the picture.

        A unit towards the camera is `view` downwards.
        """
        forward = self.profile * across(self.down) + self.sideways * view * self.down
        return np.cos(angle) * self.down + np.sin(angle) * forward


def across(down: np.ndarray) -> np.ndarray:
    """The direction to the right of the picture for somebody whose down is `down`."""
    return np.array([down[1], -down[0]])


def angle_from(vector: np.ndarray, down: np.ndarray) -> float:
    """Signed angle of `vector` from `down` in the picture, positive to its right."""
    return float(np.arctan2(vector @ across(down), vector @ down))


def turned(down: np.ndarray, angle: float) -> np.ndarray:
    """`down` turned by a signed angle, positive to the right of the picture."""
    return np.cos(angle) * down + np.sin(angle) * across(down)


def _trunk(points: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The trunk's direction downwards: from shoulders to hips, else as far as head and shoulders agree on a
    lean."""
    shoulders = proportions.shoulders_middle(points, present)
    hips = proportions.midpoint(points, present, R_HIP, L_HIP)
    if shoulders is not None and hips is not None and np.any(hips != shoulders):
        return (hips - shoulders) / np.linalg.norm(hips - shoulders)
    head = proportions.head_middle(points, present)
    line = points[L_SHOULDER, :2] - points[R_SHOULDER, :2]
    if head is None or shoulders is None or not (present[L_SHOULDER] and present[R_SHOULDER] and line[0]):
        return GRAVITY
    by_head = angle_from(shoulders - head, GRAVITY)
    by_shoulders = float(-np.arctan(line[1] / line[0]))
    if by_head * by_shoulders <= 0:
        return GRAVITY
    lean = min(abs(by_head), abs(by_shoulders), _LEAN)
    return turned(GRAVITY, np.copysign(lean, by_head))


def _depth(sideways: float) -> float:
    """What a unit forward is across the picture, 0 frontal … 1 in profile."""
    return float(np.sqrt(max(0.0, 1 - (sideways / _WHOLE_WIDTH) ** 2)))


def _seen_from_the_side(profile: float) -> float:
    return float(np.clip((abs(profile) - _PROFILE_FROM) / (_PROFILE_TO - _PROFILE_FROM), 0, 1))


def _legs_down(trunk: np.ndarray, sideways: float) -> np.ndarray:
    """A whole body leans to its side; seen from the side it is the trunk alone that bends, over the feet."""
    lean = angle_from(trunk, GRAVITY)
    share = np.clip((_BOW - abs(lean)) / (_BOW - _LEAN), 0, 1) * (1 - _seen_from_the_side(_depth(sideways)))
    return turned(GRAVITY, float(np.clip(lean, -_LEAN, _LEAN) * share))


def _sideways(points: np.ndarray, present: np.ndarray, trunk: np.ndarray, q: float) -> float:
    for right, left, width in (
        (R_SHOULDER, L_SHOULDER, proportions.BODY.shoulder_width),
        (R_HIP, L_HIP, proportions.BODY.hip_width),
    ):
        if present[right] and present[left]:
            seen = (points[left, :2] - points[right, :2]) @ across(trunk)
            return float(np.clip(seen / (width * q), -1, 1))
    return 1.0


def _facing(points: np.ndarray, present: np.ndarray, trunk: np.ndarray, q: float) -> float:
    """Which way the person looks, −1 left … 1 right: by a bow, nose against ears, or a thigh far to one
    side."""
    if abs(angle_from(trunk, GRAVITY)) > BOWED:
        return -float(np.sign(trunk[0]))
    ears = [points[ear, 0] for ear in (R_EAR, L_EAR) if present[ear]]
    if present[NOSE] and ears:
        look = float(np.clip((points[NOSE, 0] - np.mean(ears)) / (_HEAD_DEPTH * q), -1, 1))
        if abs(look) > 0.3:
            return look
    thighs = [
        points[knee, 0] - points[hip, 0] for hip, knee, _ in (LEFT, RIGHT) if present[hip] and present[knee]
    ]
    if thighs:
        reach = float(np.mean(thighs)) / (proportions.BODY.thigh * q)
        return float(np.clip(2 * reach, -1, 1)) if abs(reach) > 0.5 else 0.0
    return 0.0


def _lies(
    person: Person, trunk: np.ndarray, upright: np.ndarray, sideways: float, q: float, size: Size
) -> bool:
    """Whether the legs go on as the trunk does: lying, diving, on the hands.

    The trunk lies or is upside down, and a thigh shows it, or the trunk is seen from the front, which a bow
    is not, or legs that hang would be in plain sight.
    """
    if abs(angle_from(trunk, GRAVITY)) <= _BOW:
        return False
    points, measured = person.points, person.measured
    thighs = [points[knee] - points[hip] for hip, knee, _ in (LEFT, RIGHT) if measured[[hip, knee]].all()]
    if thighs:
        return any(abs(angle_from(thigh, trunk)) < _IN_LINE for thigh in thighs)
    if abs(sideways) > FRONTAL:
        return True
    hips = [points[hip] for hip, _, _ in (LEFT, RIGHT) if measured[hip]]
    if not hips:
        return False
    thigh, shank = proportions.BODY.thigh, proportions.BODY.shank
    in_sight = [
        sum(
            bool(((joint >= 0) & (joint <= size)).all())
            for joint in (np.mean(hips, axis=0) + length * q * way for length in (thigh, thigh + shank))
        )
        for way in (upright, trunk)
    ]
    return in_sight[0] > in_sight[1]


def read(person: Person, q: float, size: Size, told: Legs = Legs.AUTO) -> Body:
    """The body of a person of stature q on a picture of `size`, by its measured points and what is told."""
    # Earlier guesses are no evidence: completing twice must not add to them.
    points, measured = person.points, person.measured
    trunk = _trunk(points, measured)
    sideways = _sideways(points, measured, trunk, q)
    facing = _facing(points, measured, trunk, q)
    upright = _legs_down(trunk, sideways)
    lies = told is Legs.LYING or (told is Legs.AUTO and _lies(person, trunk, upright, sideways, q, size))
    down = trunk if lies else upright
    return Body(
        points.copy(),
        person.present.copy(),
        measured,
        q,
        trunk,
        down,
        trunk if lies else GRAVITY,
        sideways,
        facing,
    )
