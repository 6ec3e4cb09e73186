"""Where hips, knees, ankles, heels and toes must be when the picture does not show them.

Lengths are fractions of stature (see proportions.py); directions follow what is visible: gravity tilted by
the trunk, the thigh of the same leg, the other leg, the swing of the arms. Measured points never move.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...shapes import Size
from ..person import Frame, Person, Pose, everybody
from ..skeleton import L_HIP, R_HIP
from . import body as bodies
from . import proportions, stance
from .body import Body
from .feet import place_feet
from .legs import place_hips, place_legs
from .stance import Legs


def _with_guesses(person: Person, body: Body) -> Person:
    """The person with the points placed since, marked as estimated."""
    added = body.present & ~person.present
    if not added.any():
        return person
    points = np.where(added[:, None], body.points, person.points)
    return replace(person, points=points, present=body.present, estimated=person.estimated | added)


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
    return _with_guesses(person, body)


def complete(pose: Pose, legs: Legs = Legs.AUTO) -> list[Frame]:
    """The same people with their missing leg and foot points guessed and marked; complete people come back
    as they are.

    After algorithms by proportion (Winter 2009, figure 4.1). Somebody of whom too little is visible stays
    as they are; raises ValueError when that is everybody, or when nobody is there.
    """
    found = [[complete_person(person, frame.size, legs) for person in frame.people] for frame in pose]
    if not any(found):
        raise ValueError("The pose holds no person; connect a pose with at least one person in it.")
    if all(person is None for people in found for person in people):
        if any(proportions.stature(person) is not None for person in everybody(pose)):
            raise ValueError(
                "The pose shows a limb, but not where the legs begin (a hip, a knee, an ear, both eyes, the "
                "neck or both shoulders); lower the threshold or add such a point in Edit Pose."
            )
        raise ValueError(
            "Too few points are visible to measure anybody; at least a limb, both shoulders, or a "
            "shoulder and its hip are needed. Lower the threshold or correct the pose."
        )
    return [
        replace(frame, people=tuple(new or old for new, old in zip(people, frame.people, strict=True)))
        for frame, people in zip(pose, found, strict=True)
    ]


def count_estimated(pose: Pose) -> int:
    """How many points of all people are guesses."""
    return int(sum(person.estimated.sum() for person in everybody(pose)))
