"""Which hand belongs to which wrist."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from . import skeleton
from .person import Part, Person
from .skeleton import L_ELBOW, L_WRIST, R_ELBOW, R_WRIST

# A hand whose own wrist is absent belongs to the other one within this part of the other forearm.
_AT_WRIST = 0.5


def _root(part: Part) -> np.ndarray | None:
    return part.points[0] if len(part) and part.present[0] else None


def _length(vector: np.ndarray) -> float:
    # As the editor computes it, for a tie must not depend on the language.
    return math.sqrt(vector[0] * vector[0] + vector[1] * vector[1])


def _distance(person: Person, part: Part, wrist: int) -> float | None:
    root = _root(part)
    if root is None or not person.present[wrist]:
        return None
    return _length(root - person.points[wrist])


def _is_at(person: Person, part: Part, wrist: int, elbow: int) -> bool:
    distance = _distance(person, part, wrist)
    if distance is None or not person.present[elbow]:
        return False
    return distance < _AT_WRIST * _length(person.points[wrist] - person.points[elbow])


def _nearer_to_the_other(person: Person) -> bool:
    """Whether the hands lie nearer to their wrists once they have changed places."""
    left, right = person.hand_left, person.hand_right
    own = (_distance(person, left, L_WRIST), _distance(person, right, R_WRIST))
    other = (_distance(person, left, R_WRIST), _distance(person, right, L_WRIST))
    # Compared is what can be measured either way: hand by hand, or both hands at the one wrist that is there.
    if all(person.present[[L_WRIST, R_WRIST]]):
        pairs = [(a, b) for a, b in zip(own, other, strict=True) if a is not None and b is not None]
        return bool(pairs) and sum(b for _, b in pairs) < sum(a for a, _ in pairs)
    for mine, theirs in ((own[0], other[1]), (own[1], other[0])):
        if mine is not None and theirs is not None:
            return theirs < mine
    return _is_at(person, left, R_WRIST, R_ELBOW) or _is_at(person, right, L_WRIST, L_ELBOW)


def _listed(part: Part) -> Part:
    count = skeleton.HAND_POINTS
    return part if len(part) else Part(np.zeros((count, 2)), np.zeros(count, dtype=bool))


def settled(person: Person) -> Person:
    """The person with a hand that is nearer to the other wrist on that side; the same object if none is."""
    if not _nearer_to_the_other(person):
        return person
    return replace(person, hand_left=_listed(person.hand_right), hand_right=_listed(person.hand_left))
