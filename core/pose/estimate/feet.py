"""Where hidden heels and toes go."""

from __future__ import annotations

import numpy as np

from ...shapes import Size
from . import proportions
from .body import BOWED, FRONTAL, GRAVITY, LEFT, RIGHT, Body, Leg, across, angle_from
from .legs import KNEELING_SHANK, VIEW_FROM_ABOVE
from .stance import Legs, Stance

_LYING = np.deg2rad(60.0)
# A sole lies flat as long as the ankle can bend: far when the shank leans forward over the foot, little the
# other way; toes point up no further than the last angle.
_FLAT, _HEEL_STRIKE, _TOES_UP = np.deg2rad(26.0), np.deg2rad(10.0), np.deg2rad(25.0)
# (big toe, small toe, heel) and the side of the body the foot is on, along the line from right to left.
FEET = {LEFT: ((18, 19, 20), 1.0), RIGHT: ((21, 22, 23), -1.0)}


def _profile(body: Body, other: Leg, down: np.ndarray) -> float:
    """What a unit towards the toes is across the picture: by the other foot where that is seen."""
    (big_toe, _, heel), _ = FEET[other]
    guide = body.vector(heel, big_toe)
    if guide is not None:
        seen = float(guide @ across(down)) / (proportions.FOOT_LENGTH * body.q)
        if abs(seen) > 0.4:
            return float(np.clip(seen, -1, 1)) * (-1 if abs(body.sideways) > FRONTAL else 1)
    return body.profile


def _tilt(body: Body, shank: np.ndarray, kneels: bool) -> float:
    """How far toes point up, in radians: flat unless the shank leans further than the ankle bends."""
    swing = angle_from(shank, GRAVITY) * np.sign(body.profile)
    share = 1.0 if kneels else body.in_profile
    swing = KNEELING_SHANK if kneels else swing
    return share * (min(swing + _FLAT, 0.0) + float(np.clip(swing - _HEEL_STRIKE, 0, _TOES_UP)))


def _axes(body: Body, leg: Leg, other: Leg, kneels: bool) -> tuple[np.ndarray, np.ndarray]:
    """What a unit down to the sole and a unit towards the toes are in the picture."""
    shank = body.points[leg[2]] - body.points[leg[1]]
    bowed = abs(angle_from(body.trunk, GRAVITY)) > BOWED
    lying = abs(angle_from(shank, GRAVITY)) > _LYING and (bowed or not body.in_profile) and not kneels
    down = shank / np.linalg.norm(shank) if lying else GRAVITY
    forward = _profile(body, other, down) * across(down) + body.sideways * VIEW_FROM_ABOVE * down
    tilt = 0.0 if lying else _tilt(body, shank, kneels)
    return (
        np.cos(tilt) * down + np.sin(tilt) * forward,
        np.cos(tilt) * forward - np.sin(tilt) * down,
    )


def foot(body: Body, leg: Leg, other: Leg, kneels: bool = False) -> np.ndarray:
    """Big toe, small toe and heel (3,2) of the foot below the leg's ankle."""
    down, forward = _axes(body, leg, other, kneels)
    outward = FEET[leg][1] * body.sideways * across(GRAVITY)
    sole = body.points[leg[2]] + proportions.BODY.ankle_height * body.q * down
    toes, half = proportions.TOES_AHEAD * body.q, proportions.FOOT_BREADTH / 2 * body.q
    return np.stack(
        [
            sole + toes * forward - half / 2 * outward,
            sole + 0.8 * toes * forward + half * outward,
            sole - proportions.HEEL_BEHIND * body.q * forward,
        ]
    )


def place_feet(body: Body, stance: Stance, size: Size) -> None:
    """A foot is placed where its ankle was guessed or where the picture cuts it off; else it stays unseen."""
    for leg, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        ankle, indices = leg[2], list(FEET[leg][0])
        kneels = stance.kind is Legs.KNEELING and not body.measured[ankle]
        points = foot(body, leg, other, kneels)
        concerned = np.concatenate([points[~body.present[indices]], body.points[[ankle]]])
        cut_off = bool(((concerned < 0) | (concerned > size)).any())
        if cut_off or not body.measured[ankle]:
            for index, point in zip(indices, points, strict=True):
                body.put(index, point)
