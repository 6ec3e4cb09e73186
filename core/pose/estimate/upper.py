"""Head, shoulders and arms that the picture cuts off: placed only where they lie beyond it.

Inside the picture a face may be turned away and a hand be in a pocket; there they stay unseen.
"""

from __future__ import annotations

import numpy as np

from ...shapes import Size
from ..skeleton import (
    L_EAR,
    L_ELBOW,
    L_EYE,
    L_SHOULDER,
    L_WRIST,
    NECK,
    NOSE,
    R_EAR,
    R_ELBOW,
    R_EYE,
    R_SHOULDER,
    R_WRIST,
)
from . import proportions
from .body import Body, across
from .reach import is_inside

# In statures from the neck: how far to the person's left, how far up.
_HEAD = {
    NOSE: (0.0, 0.105),
    R_EYE: (-0.02, 0.125),
    L_EYE: (0.02, 0.125),
    R_EAR: (-0.045, 0.118),
    L_EAR: (0.045, 0.118),
}
_ARMS = ((R_SHOULDER, R_ELBOW, R_WRIST, -1.0), (L_SHOULDER, L_ELBOW, L_WRIST, 1.0))
POINTS = (NECK, *_HEAD, *(joint for arm in _ARMS for joint in arm[:3]))
_SPREAD = 0.04


def _put(body: Body, index: int, point: np.ndarray, size: Size) -> None:
    if not is_inside(point, size):
        body.put(index, point)


def place_upper(body: Body, size: Size) -> None:
    """Put what is missing of neck, shoulders, head and arms and lies outside the picture of `size`."""
    table, left = proportions.BODY, body.sideways * across(body.trunk)
    half = table.shoulder_width / 2 * body.q * left
    for shoulder, _, _, side in _ARMS:
        if body.present[shoulder]:
            _put(body, NECK, body.points[shoulder] - side * half, size)
    if body.present[NECK]:
        neck = body.points[NECK].copy()
        for shoulder, _, _, side in _ARMS:
            _put(body, shoulder, neck + side * half, size)
        for index, (aside, up) in _HEAD.items():
            _put(body, index, neck + body.q * (aside * left - up * body.trunk), size)
    for shoulder, elbow, wrist, _ in _ARMS:
        if body.present[shoulder]:
            _put(body, elbow, body.points[shoulder] + table.upper_arm * body.q * body.trunk, size)
        if body.present[[shoulder, elbow]].all():
            upper = body.points[elbow] - body.points[shoulder]
            length = float(np.linalg.norm(upper))
            way = upper / length if length else body.trunk
            _put(body, wrist, body.points[elbow] + table.forearm * body.q * way, size)


def spread(body: Body) -> np.ndarray:
    """24 standard deviations in pixels of the points that place_upper puts."""
    result = np.zeros(len(body.present))
    result[list(POINTS)] = _SPREAD * body.q
    return result
