"""Where hips, knees, ankles, heels and toes must be when the picture does not show them.

Lengths are fractions of stature (see proportions.py); directions follow what is visible: gravity tilted by
the trunk, the thigh of the same leg, the other leg. Measured points never move.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from ..shapes import Size
from . import people, proportions, skeleton
from .people import Person, Pose
from .skeleton import (
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

GRAVITY = np.array([0.0, 1.0])
# Trunk lean is passed on to the legs up to the first angle, less and less up to the second: then it is a bow.
_LEAN, _BOW = np.deg2rad(15.0), np.deg2rad(45.0)
_BOWED = np.deg2rad(30.0)
_SEATED = np.deg2rad(40.0)
_STRAIGHT = np.deg2rad(10.0)
_LYING = np.deg2rad(60.0)
_ALIKE = np.deg2rad(20.0)
_FRONTAL = 0.7
# How much of a length towards the camera shows as a length downwards in a picture taken from eye height.
_VIEW_FROM_ABOVE = 0.1
_HEAD_DEPTH = 0.03
LEFT, RIGHT = (L_HIP, L_KNEE, L_ANKLE), (R_HIP, R_KNEE, R_ANKLE)
# (big toe, small toe, heel) and the side of the body the foot is on, along the line from right to left.
FEET = {LEFT: ((18, 19, 20), 1.0), RIGHT: ((21, 22, 23), -1.0)}


@dataclass
class Body:
    """One person while being completed: `points` 24,2 in pixels, `present` 24, stature `q` in pixels.

    `down` is the direction of the legs, `trunk` that of the trunk, `sideways` what a unit from the person's
    right to the left is in the picture (1 frontal, 0 in profile, −1 from behind), `facing` the profile (−1
    left … 1 right).
    """

    points: np.ndarray
    present: np.ndarray
    measured: np.ndarray
    q: float
    trunk: np.ndarray
    down: np.ndarray
    sideways: float
    facing: float

    def put(self, index: int, point: np.ndarray) -> None:
        """Place a point that is missing; a present one stays."""
        if not self.present[index]:
            self.points[index], self.present[index] = point, True

    def vector(self, first: int, second: int) -> np.ndarray | None:
        """From one measured point to another."""
        if self.measured[first] and self.measured[second]:
            return self.points[second] - self.points[first]
        return None


def _across(down: np.ndarray) -> np.ndarray:
    """The direction to the right of the picture for somebody whose down is `down`."""
    return np.array([down[1], -down[0]])


def _angle(vector: np.ndarray, down: np.ndarray) -> float:
    """Signed angle of `vector` from `down`, positive to the right of the picture."""
    return float(np.arctan2(vector @ _across(down), vector @ down))


def _turned(down: np.ndarray, angle: float) -> np.ndarray:
    return np.cos(angle) * down + np.sin(angle) * _across(down)


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
    by_head = _angle(shoulders - head, GRAVITY)
    by_shoulders = float(-np.arctan(line[1] / line[0]))
    if by_head * by_shoulders <= 0:
        return GRAVITY
    lean = min(abs(by_head), abs(by_shoulders), _LEAN)
    return _turned(GRAVITY, np.copysign(lean, by_head))


def _legs_down(trunk: np.ndarray) -> np.ndarray:
    lean = _angle(trunk, GRAVITY)
    share = np.clip((_BOW - abs(lean)) / (_BOW - _LEAN), 0, 1)
    return _turned(GRAVITY, float(np.clip(lean, -_LEAN, _LEAN) * share))


def _sideways(points: np.ndarray, present: np.ndarray, trunk: np.ndarray, q: float) -> float:
    for right, left, width in (
        (R_SHOULDER, L_SHOULDER, proportions.SHOULDER_WIDTH),
        (R_HIP, L_HIP, proportions.HIP_WIDTH),
    ):
        if present[right] and present[left]:
            across = (points[left, :2] - points[right, :2]) @ _across(trunk)
            return float(np.clip(across / (width * q), -1, 1))
    return 1.0


def _facing(points: np.ndarray, present: np.ndarray, trunk: np.ndarray, q: float) -> float:
    """Which way the person looks, −1 left … 1 right: by a bow, nose against ears, or a thigh far to one
    side."""
    if abs(_angle(trunk, GRAVITY)) > _BOWED:
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
        reach = float(np.mean(thighs)) / (proportions.THIGH * q)
        return float(np.clip(2 * reach, -1, 1)) if abs(reach) > 0.5 else 0.0
    return 0.0


def _body(person: Person, q: float) -> Body:
    points = people.points(person)
    present = points[:, 2] > 0
    # Earlier guesses are no evidence: completing twice must not add to them.
    measured = present & ~people.estimated(person)
    trunk = _trunk(points, measured)
    sideways = _sideways(points, measured, trunk, q)
    facing = _facing(points, measured, trunk, q)
    return Body(points[:, :2].copy(), present, measured, q, trunk, _legs_down(trunk), sideways, facing)


def _place_hips(body: Body) -> None:
    half = proportions.HIP_WIDTH / 2 * body.q * body.sideways * _across(body.trunk)
    if body.present[R_HIP] or body.present[L_HIP]:
        body.put(L_HIP, body.points[R_HIP] + 2 * half)
        body.put(R_HIP, body.points[L_HIP] - 2 * half)
        return
    shoulders = proportions.shoulders_middle(body.points, body.present)
    if shoulders is None:
        head = proportions.head_middle(body.points, body.present)
        height = proportions.EYE_HEIGHT - proportions.SHOULDER_HEIGHT
        shoulders = None if head is None else head + height * body.q * body.trunk
    if shoulders is not None:
        middle = shoulders + proportions.TRUNK * body.q * body.trunk
        body.put(R_HIP, middle - half)
        body.put(L_HIP, middle + half)
        return
    for hip, knee, _ in (LEFT, RIGHT):
        if body.present[knee]:
            body.put(hip, body.points[knee] - proportions.THIGH * body.q * body.down)
            _place_hips(body)


def _guided(body: Body, vector: np.ndarray, longest: float, mirrored: bool) -> np.ndarray:
    """The other leg's vector, mirrored about `down` or as it is, no longer than `longest`."""
    if mirrored:
        vector = vector - 2 * (vector @ _across(body.down)) * _across(body.down)
    length = float(np.linalg.norm(vector))
    return vector * min(1.0, longest / length) if length else longest * body.down


def _thigh(body: Body, other: tuple[int, int, int]) -> np.ndarray:
    guide = body.vector(other[0], other[1])
    if guide is None:
        return proportions.THIGH * body.q * body.down
    seated = abs(_angle(guide, body.down)) > _SEATED
    return _guided(body, guide, proportions.THIGH * body.q, abs(body.sideways) > _FRONTAL or not seated)


def _shank(body: Body, leg: tuple[int, int, int], other: tuple[int, int, int]) -> np.ndarray:
    length = proportions.SHANK * body.q
    guide = body.vector(other[1], other[2])
    mirrored = abs(body.sideways) > _FRONTAL
    thigh = _angle(body.points[leg[1]] - body.points[leg[0]], body.down)
    if guide is not None:
        counterpart = _angle(body.points[other[1]] - body.points[other[0]], body.down)
        # In a stride the legs do different things; the other one only guides while the thighs agree.
        if abs(thigh - (-counterpart if mirrored else counterpart)) <= _ALIKE:
            return _guided(body, guide, length, mirrored)
    if abs(thigh) > _SEATED:
        return length * GRAVITY
    return length * _turned(body.down, float(np.clip(thigh, -_STRAIGHT, _STRAIGHT)))


def _place_leg(body: Body, leg: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    hip, knee, ankle = leg
    if body.present[ankle] and not body.present[knee]:
        share = proportions.THIGH / (proportions.THIGH + proportions.SHANK)
        body.put(knee, body.points[hip] + share * (body.points[ankle] - body.points[hip]))
    body.put(knee, body.points[hip] + _thigh(body, other))
    body.put(ankle, body.points[knee] + _shank(body, leg, other))


def _forward(body: Body, other: tuple[int, int, int], down: np.ndarray) -> np.ndarray:
    """What a unit towards the toes is in the picture: sideways in profile, slightly downwards when
    frontal."""
    profile = np.sqrt(max(0.0, 1 - (body.sideways / 0.85) ** 2)) * body.facing
    (big_toe, _, heel), _ = FEET[other]
    guide = body.vector(heel, big_toe)
    if guide is not None:
        seen = float(guide @ _across(down)) / (proportions.FOOT_LENGTH * body.q)
        if abs(seen) > 0.4:
            profile = float(np.clip(seen, -1, 1)) * (-1 if abs(body.sideways) > _FRONTAL else 1)
    return profile * _across(down) + body.sideways * _VIEW_FROM_ABOVE * down


def _foot(body: Body, leg: tuple[int, int, int], other: tuple[int, int, int]) -> np.ndarray:
    """Big toe, small toe and heel (3,2) of the foot below the leg's ankle."""
    _, knee, ankle = leg
    shank = body.points[ankle] - body.points[knee]
    lying = abs(_angle(shank, GRAVITY)) > _LYING
    down = shank / np.linalg.norm(shank) if lying else GRAVITY
    forward = _forward(body, other, down)
    outward = FEET[leg][1] * body.sideways * _across(down)
    sole = body.points[ankle] + proportions.ANKLE_HEIGHT * body.q * down
    toes, half = proportions.TOES_AHEAD * body.q, proportions.FOOT_BREADTH / 2 * body.q
    return np.stack(
        [
            sole + toes * forward - half / 2 * outward,
            sole + 0.8 * toes * forward + half * outward,
            sole - proportions.HEEL_BEHIND * body.q * forward,
        ]
    )


def _place_foot(body: Body, leg: tuple[int, int, int], other: tuple[int, int, int], size: Size) -> None:
    """A foot is placed where its ankle was guessed or where the picture cuts it off; else it stays unseen."""
    indices, points = list(FEET[leg][0]), _foot(body, leg, other)
    ankle = leg[2]
    concerned = np.concatenate([points[~body.present[indices]], body.points[[ankle]]])
    cut_off = bool(((concerned < 0) | (concerned > size)).any())
    if cut_off or not body.measured[ankle]:
        for index, point in zip(indices, points, strict=True):
            body.put(index, point)


def _written(person: Person, body: Body) -> Person:
    """A copy of the person with the points placed since, marked as estimated."""
    added = body.present & ~(people.points(person)[:, 2] > 0)
    if not added.any():
        return person
    result = copy.deepcopy(person)
    for key, first in ((skeleton.BODY_KEY, 0), (skeleton.FOOT_KEY, skeleton.BODY_POINTS)):
        flat = list(result.get(key) or [0.0] * 3 * skeleton.KEYS[key])
        for index in np.flatnonzero(added[first : first + skeleton.KEYS[key]]):
            flat[3 * index : 3 * index + 3] = [*body.points[first + index].tolist(), 1.0]
        if result.get(key) or added[first : first + skeleton.KEYS[key]].any():
            result[key] = flat
    marks = people.estimated(person) | added
    result["recompose"] = {**(result.get("recompose") or {}), "estimated": marks.astype(int).tolist()}
    return result


def complete_person(person: Person, size: Size) -> Person | None:
    """The person with hips, knees, ankles, heels and toes; the same object if nothing was missing.

    `size` is the picture's: feet that would lie inside it unseen are left unseen. None when too little is
    visible to measure the person by.
    """
    q = proportions.stature(person)
    if q is None:
        return None
    body = _body(person, q)
    _place_hips(body)
    if not (body.present[L_HIP] and body.present[R_HIP]):
        return None
    for leg, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        _place_leg(body, leg, other)
    for leg, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        _place_foot(body, leg, other, size)
    return _written(person, body)


def complete(pose: Pose, threshold: float = 0.3) -> Pose:
    """The same people with their missing leg and foot points guessed and marked; complete people come back
    equal.

    After algorithms by proportion (Winter 2009, figure 4.1). Somebody of whom too little is visible stays
    as they are; raises ValueError when that is everybody, or when nobody is there.
    """
    result = people.with_presence(pose, threshold)
    if not any(True for _ in people.everybody(result)):
        raise ValueError("The pose holds no person; connect a pose with at least one person in it.")
    measured = False
    for frame in result:
        size = people.size(frame)
        found = [complete_person(person, size) for person in frame.get("people") or []]
        measured |= any(person is not None for person in found)
        frame["people"] = [new or old for new, old in zip(found, frame.get("people") or [], strict=True)]
    if not measured:
        raise ValueError(
            "Too few points are visible to measure anybody; at least a limb, both shoulders, or a "
            "shoulder and its "
            "hip are needed. Lower the threshold or correct the pose."
        )
    return result


def count_estimated(pose: Pose) -> int:
    """How many points of all people are guesses."""
    return int(sum(people.estimated(person).sum() for person in people.everybody(pose)))
