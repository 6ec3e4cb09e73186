"""Where hips, knees, ankles, heels and toes must be when the picture does not show them.

Lengths are fractions of stature (see proportions.py); directions follow what is visible: gravity tilted by
the trunk, the thigh of the same leg, the other leg, the swing of the arms. Measured points never move.
"""

from __future__ import annotations

import copy

import numpy as np

from ...shapes import Size
from .. import people, skeleton
from ..people import Person, Pose
from ..skeleton import L_HIP, R_HIP
from . import body as bodies
from . import proportions, stance
from .body import Body
from .feet import place_feet
from .legs import place_hips, place_legs
from .stance import Legs


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


def complete_person(person: Person, size: Size, legs: Legs = Legs.AUTO) -> Person | None:
    """The person with hips, knees, ankles, heels and toes; the same object if nothing was missing.

    `size` is the picture's: feet that would lie inside it unseen are left unseen. `legs` is what hidden legs
    do. None when too little is visible to measure the person by.
    """
    q = proportions.stature(person)
    if q is None:
        return None
    body = bodies.read(person, q)
    place_hips(body)
    if not (body.present[L_HIP] and body.present[R_HIP]):
        return None
    found = stance.read(body, legs)
    place_legs(body, found)
    place_feet(body, found, size)
    return _written(person, body)


def complete(pose: Pose, threshold: float = 0.3, legs: Legs = Legs.AUTO) -> Pose:
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
        found = [complete_person(person, size, legs) for person in frame.get("people") or []]
        measured |= any(person is not None for person in found)
        frame["people"] = [new or old for new, old in zip(found, frame.get("people") or [], strict=True)]
    if not measured:
        raise ValueError(
            "Too few points are visible to measure anybody; at least a limb, both shoulders, or a "
            "shoulder and its hip are needed. Lower the threshold or correct the pose."
        )
    return result


def count_estimated(pose: Pose) -> int:
    """How many points of all people are guesses."""
    return int(sum(people.estimated(person).sum() for person in people.everybody(pose)))
