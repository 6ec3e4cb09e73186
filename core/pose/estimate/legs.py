"""Where hidden hips, knees and ankles go."""

from __future__ import annotations

import numpy as np

from ...shapes import Size
from ..skeleton import L_HIP, R_HIP
from . import proportions
from .body import FRONTAL, LEFT, RIGHT, Body, Leg, across, angle_from, turned
from .reach import leading_out
from .stance import SEATED, Legs, Stance, opposite, stride_shank, stride_thigh, thigh_swing

# How much of a length towards the camera shows as a length downwards in a picture taken from eye height;
# one looks down at somebody who sits.
VIEW_FROM_ABOVE, VIEW_OF_SEATED = 0.1, 0.35
_STRAIGHT = np.deg2rad(10.0)
_ALIKE = np.deg2rad(20.0)
# What a shank below a lifted thigh shows of its length from the front, on average of photographs.
_BELOW_LIFTED = 0.95
# Legs that somebody says to be so may be hidden inside the picture by a table or a coat.
_WHERE_TOLD = (Legs.SITTING, Legs.KNEELING, Legs.LYING)
# Knees and toes on the ground.
KNEELING_SHANK = np.deg2rad(-105.0)


def place_hips(body: Body) -> None:
    """Put missing hips beside the other one, below the shoulders or head, or above a knee."""
    half = proportions.BODY.hip_width / 2 * body.q * body.sideways * across(body.trunk)
    if body.present[R_HIP] or body.present[L_HIP]:
        body.put(L_HIP, body.points[R_HIP] + 2 * half)
        body.put(R_HIP, body.points[L_HIP] - 2 * half)
        return
    shoulders = proportions.shoulders_middle(body.points, body.present)
    if shoulders is None:
        head = proportions.head_middle(body.points, body.present)
        height = proportions.BODY.shoulders_to_eyes
        shoulders = None if head is None else head + height * body.q * body.trunk
    if shoulders is not None:
        middle = shoulders + proportions.BODY.trunk * body.q * body.trunk
        body.put(R_HIP, middle - half)
        body.put(L_HIP, middle + half)
        return
    for hip, knee, _ in (LEFT, RIGHT):
        if body.present[knee]:
            body.put(hip, body.points[knee] - proportions.BODY.thigh * body.q * body.down)
            place_hips(body)


def _guided(body: Body, vector: np.ndarray, longest: float, mirrored: bool) -> np.ndarray:
    """The other leg's vector, mirrored about `down` or as it is, no longer than `longest`."""
    if mirrored:
        vector = vector - 2 * (vector @ across(body.down)) * across(body.down)
    length = float(np.linalg.norm(vector))
    return vector * min(1.0, longest / length) if length else longest * body.down


def _thigh(body: Body, leg: Leg, other: Leg, stance: Stance) -> np.ndarray:
    length = proportions.BODY.thigh * body.q
    guide = body.vector(other[0], other[1])
    if guide is not None:
        seated = abs(angle_from(guide, body.down)) > SEATED
        like = _guided(body, guide, length, abs(body.sideways) > FRONTAL or not seated)
        swing = thigh_swing(body, other)
        if swing is None:
            return like
        against = length * body.swung(opposite(swing), VIEW_FROM_ABOVE)
        return like + stance.stride * (against - like)
    if stance.kind is Legs.SITTING:
        return length * body.swung(np.pi / 2, VIEW_OF_SEATED)
    swung = body.swung(stride_thigh(stance, leg), VIEW_FROM_ABOVE)
    hanging = (1 - stance.bent) * (body.down + stance.stride * (swung - body.down))
    return length * (hanging + stance.raised * (body.swung(np.pi / 2, VIEW_OF_SEATED) - hanging))


def _swing(body: Body, leg: Leg, stance: Stance) -> float:
    """How far the thigh of a placed knee swings forward; the stride's own swing where that cannot be seen."""
    if not body.in_profile:
        return stride_thigh(stance, leg)
    return body.swing(body.points[leg[1]] - body.points[leg[0]], body.down)


def _shank(body: Body, leg: Leg, other: Leg, stance: Stance) -> np.ndarray:
    length = proportions.BODY.shank * body.q
    guide = body.vector(other[1], other[2])
    mirrored = abs(body.sideways) > FRONTAL
    own, counterpart = (body.points[knee] - body.points[hip] for hip, knee, _ in (leg, other))
    thigh = angle_from(own, body.down)
    if guide is not None:
        beside = angle_from(counterpart, body.down)
        # In a stride the legs do different things; the other one only guides while the thighs agree.
        if abs(thigh - (-beside if mirrored else beside)) <= _ALIKE:
            return _guided(body, guide, length, mirrored)
    if stance.kind is Legs.KNEELING:
        return length * body.swung(KNEELING_SHANK, VIEW_FROM_ABOVE)
    if stance.kind is Legs.SITTING or abs(thigh) > SEATED:
        still = (_BELOW_LIFTED + (1 - _BELOW_LIFTED) * body.in_profile) * body.gravity
    else:
        still = (1 - stance.bent) * turned(body.down, float(np.clip(thigh, -_STRAIGHT, _STRAIGHT)))
    if not stance.stride:
        return length * still
    swings = [_swing(body, leg, stance), _swing(body, other, stance)]
    swung = body.swung(stride_shank(stance, leg, *swings), VIEW_FROM_ABOVE)
    return length * (still + stance.stride * (swung - still))


def place_legs(body: Body, stance: Stance, size: Size) -> None:
    """Put missing knees and ankles; the hips are there, `size` is the picture's."""
    pairs, table = ((LEFT, RIGHT), (RIGHT, LEFT)), proportions.BODY
    for leg, other in pairs:
        hip, knee, ankle = leg
        if body.present[ankle] and not body.present[knee]:
            share = table.thigh / (table.thigh + table.shank)
            body.put(knee, body.points[hip] + share * (body.points[ankle] - body.points[hip]))
        if not body.present[knee]:
            way = _thigh(body, leg, other, stance)
            if stance.kind not in _WHERE_TOLD:
                way = leading_out(body, hip, way, table.thigh * body.q * body.down, other, size)
            body.put(knee, body.points[hip] + way)
    for leg, other in pairs:
        _, knee, ankle = leg
        if not body.present[ankle]:
            way = _shank(body, leg, other, stance)
            if stance.kind not in _WHERE_TOLD:
                way = leading_out(body, knee, way, table.shank * body.q * body.gravity, other, size)
            body.put(ankle, body.points[knee] + way)
