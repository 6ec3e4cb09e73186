"""Where hips, knees, ankles, heels and toes must be when the picture does not show them.

Lengths are fractions of stature (see proportions.py); directions follow what is visible: gravity tilted by
the trunk, the thigh of the same leg, the other leg, the swing of the arms, a trunk that is short for its
breadth. Measured points never move, but joints pinned to the picture's border do not count as measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...shapes import Size
from ..choices import Guesses
from ..person import Frame, Person, Pose, everybody
from ..skeleton import BODY_POINTS, L_HIP, POINTS, R_HIP
from . import body as bodies
from . import mixed, neighbours, proportions, seen, stance, uncertainty, upper
from .body import Body
from .feet import place_feet
from .legs import place_hips, place_legs
from .stance import Legs
from .upper import place_upper

_LEGS = np.zeros(POINTS, dtype=bool)
_LEGS[[*bodies.LEFT, *bodies.RIGHT, *range(BODY_POINTS, POINTS)]] = True


class _Look(NamedTuple):
    """`given` without what was not seen of the `person`, whose legs' points `guessed` are a detector's."""

    person: Person
    given: Person
    guessed: np.ndarray
    body: Body


def _look(person: Person, size: Size, legs: Legs, guesses: Guesses) -> _Look | None:
    """None when too little is visible to measure the person by or to hang legs from."""
    keeps = guesses is Guesses.KEEP
    guessed = np.zeros(POINTS, dtype=bool) if keeps else seen.by_detector(person) & _LEGS
    given = seen.pinned_left_out(seen.without(person, guessed), size)
    q = proportions.stature(given)
    if q is None:
        return None
    body = bodies.read(given, q, size, legs)
    place_hips(body)
    if not (body.present[L_HIP] and body.present[R_HIP]):
        return None
    return _Look(person, given, guessed, body)


def _finish(look: _Look, size: Size, found: stance.Stance, guesses: Guesses) -> Person:
    person, given, guessed, body = look
    place_legs(body, found, size)
    place_feet(body, found, size)
    place_upper(body, size)
    # What the user says of the legs goes before what a detector guesses.
    if guesses is Guesses.MIX and found.kind is Legs.AUTO:
        mixed.mix(body, person, guessed)
    added = body.present & ~given.present
    if not added.any() and (body.present == person.present).all():
        return person
    spread = uncertainty.of(body, found, person.scores is not None) + upper.spread(body)
    known = np.zeros(POINTS) if person.uncertainty is None else person.uncertainty
    return replace(
        person,
        points=np.where(body.present[:, None], np.where(added[:, None], body.points, person.points), 0.0),
        present=body.present,
        estimated=given.estimated | added,
        uncertainty=np.where(added, spread, known),
    )


def _complete(people: Sequence[Person], size: Size, legs: Legs, guesses: Guesses) -> list[Person | None]:
    looks = [_look(person, size, legs, guesses) for person in people]
    stances = [None if look is None else stance.read(look.body, legs) for look in looks]
    if legs is Legs.AUTO:
        stances = neighbours.agreed([None if look is None else look.body for look in looks], stances)
    return [
        None if look is None or found is None else _finish(look, size, found, guesses)
        for look, found in zip(looks, stances, strict=True)
    ]


def complete_person(
    person: Person, size: Size, legs: Legs = Legs.AUTO, guesses: Guesses = Guesses.MIX
) -> Person | None:
    """The person with hips, knees, ankles, heels and toes; the same object if nothing was missing.

    `size` is the picture's: what is placed there is where it could not be seen. `legs` is what hidden legs
    do, `guesses` what becomes of a detector's guesses of them. None when too little is visible.
    """
    return _complete([person], size, legs, guesses)[0]


def complete(pose: Pose, legs: Legs = Legs.AUTO, guesses: Guesses = Guesses.MIX) -> list[Frame]:
    """The same people with their missing leg and foot points guessed and marked; complete people come back
    as they are.

    Somebody of whom too little is visible stays as they are; raises ValueError when that is everybody, or
    when nobody is there.
    """
    found = [_complete(frame.people, frame.size, legs, guesses) for frame in pose]
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


def count_pinned(before: Pose, after: Pose) -> int:
    """How many measured points do not count after completing, because they are pinned to the border."""
    pairs = zip(everybody(before), everybody(after), strict=True)
    return int(sum((old.measured & ~new.measured).sum() for old, new in pairs))
