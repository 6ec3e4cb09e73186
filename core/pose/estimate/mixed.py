"""A detector's own guesses of what a picture does not show, mixed with the estimate.

Detectors know sitting and running legs from the picture, but squeeze the body into it: trunk and legs come
out too short, by the same share. Lengths are therefore set right first, where the guessed legs hang.
"""

from __future__ import annotations

import numpy as np

from ..person import Person
from ..skeleton import L_HIP, R_HIP
from . import proportions
from .body import LEFT, RIGHT, Body

# The detector's share; its guesses were nearer than the estimate on photographs of people who move or sit,
# and further off on those of people who stand.
SHARE = 0.7
_LONGEST = 1.4
# How much of the way to their whole reach legs that hang are lengthened, and by how much too short a squeezed
# person measures.
_REACH, _SQUEEZED = 0.75, 1.03
_FEET = ((LEFT, slice(18, 21)), (RIGHT, slice(21, 24)))
# Ramps from legs that do not hang to legs that do: the thigh's drop by the trunk's length, and its part of
# the whole leg's drop; and from a trunk as long as the shoulders say to one that is foreshortened.
_DROP, _PART, _BROAD = (0.65, 0.88), (0.36, 0.46), (1.15, 1.27)


def _share(value: float, ramp: tuple[float, float]) -> float:
    return float(np.clip((value - ramp[0]) / (ramp[1] - ramp[0]), 0, 1))


def _hangs(person: Person, body: Body, trunk: float) -> float:
    """How surely the legs hang straight, 0 … 1, by the detector's own points; `trunk` is a stature."""
    points, found, drops, parts = person.points, person.present, [], []
    for hip, knee, ankle in (LEFT, RIGHT):
        if found[hip] and found[knee]:
            drop = float((points[knee] - points[hip]) @ body.trunk)
            drops.append(drop / (proportions.BODY.thigh * trunk))
            if found[ankle]:
                whole = float((points[ankle] - points[hip]) @ body.trunk)
                parts.append(drop / whole if whole > 0 else 0.0)
    shares = [_share(float(np.mean(some)), ramp) for some, ramp in ((drops, _DROP), (parts, _PART)) if some]
    broad = proportions.breadth(points, body.measured)
    raised = _share(broad / trunk, _BROAD) if broad else 0.0
    return min([1.0, *shares]) * (1 - raised)


def _stretch(person: Person, body: Body) -> float:
    """How many times longer than the detector saw it the body is below the shoulders; 1 without a trunk."""
    trunk = proportions.trunk(body.points, body.measured)
    if not trunk or not body.measured[[R_HIP, L_HIP]].all():
        return 1.0
    q = max(body.q, proportions.above_hips(body.points, body.measured) or 0.0)
    return 1 + (float(np.clip(q / trunk, 1, _LONGEST)) - 1) * _hangs(person, body, trunk)


def _move(body: Body, joint: int, way: np.ndarray) -> None:
    """Move a guessed joint; heel and toes go along with their ankle."""
    body.points[joint] += way
    for leg, foot in _FEET:
        if joint == leg[2]:
            body.points[foot] += way * (body.present & ~body.measured)[foot, None]


def _reach(body: Body, person: Person, shoulders: np.ndarray) -> None:
    """Legs that hang end as far below the shoulders as head, arms and trunk together say."""
    table, trunk = proportions.BODY, proportions.trunk(body.points, body.measured)
    q = proportions.together(body.points, body.measured)
    if not trunk or q is None:
        return
    sure = _REACH * _hangs(person, body, trunk)
    whole = table.trunk + table.thigh + table.shank
    wanted = whole * min(_SQUEEZED * q, _LONGEST * trunk)
    for _, knee, ankle in (LEFT, RIGHT):
        if body.measured[ankle]:
            continue
        lower = sure * (wanted - (body.points[ankle] - shoulders) @ body.down) * body.down
        _move(body, ankle, lower)
        if not body.measured[knee]:
            _move(body, knee, (whole - table.shank) / whole * lower)


def mix(body: Body, person: Person, guessed: np.ndarray, share: float = SHARE) -> None:
    """Move the estimate's knees, ankles and feet towards a detector's guesses.

    `person` has the detector's points, `guessed` says which of the 24 are its guesses.
    """
    if not guessed.any():
        return
    shoulders = proportions.shoulders_middle(body.points, body.measured)
    stretch = 1.0 if shoulders is None else _stretch(person, body)
    origin = np.zeros(2) if shoulders is None else shoulders
    hips = (body.points[R_HIP] + body.points[L_HIP]) / 2
    for leg in (LEFT, RIGHT):
        lower = (stretch - 1) * (hips - origin) * (not body.measured[leg[1]])
        for joint in leg[1:]:
            if body.measured[joint]:
                continue
            target = origin + stretch * (person.points[joint] - origin)
            way = target - body.points[joint] - lower
            _move(body, joint, lower + share * way if guessed[joint] else lower)
    if shoulders is not None:
        _reach(body, person, shoulders)
