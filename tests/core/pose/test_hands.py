"""A hand belongs to the wrist it hangs on, whatever a detector calls it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from recompose.core.pose.hands import settled
from recompose.core.pose.person import Part, Person
from recompose.core.pose.skeleton import L_ELBOW, L_WRIST, R_ELBOW, R_WRIST
from recompose.core.pose.template import template_person
from recompose.core.shapes import Size


@pytest.fixture
def person() -> Person:
    return template_person(Size(400, 600))


def hand(person: Person, wrist: int, away: float = 7.0) -> Part:
    """A hand whose root lies some pixels below a wrist."""
    return Part(person.points[wrist] + [3.0, away] + np.arange(42).reshape(21, 2), np.ones(21, dtype=bool))


def without(person: Person, *points: int) -> Person:
    present = person.present.copy()
    present[list(points)] = False
    return replace(person, present=present)


def test_hands_that_changed_places_change_back(person) -> None:
    left, right = hand(person, L_WRIST), hand(person, R_WRIST)
    found = settled(replace(person, hand_left=right, hand_right=left))
    assert found.hand_left is left and found.hand_right is right


def test_hands_at_their_wrists_stay(person) -> None:
    named = replace(person, hand_left=hand(person, L_WRIST), hand_right=hand(person, R_WRIST))
    for each in (named, without(named, L_WRIST), without(named, L_WRIST, R_WRIST), person):
        assert settled(each) is each


@pytest.mark.parametrize("missing", [(), (L_WRIST,), (L_WRIST, L_ELBOW)])
def test_one_hand_goes_to_the_wrist_it_hangs_on(person, missing) -> None:
    right = hand(person, R_WRIST)
    found = settled(replace(without(person, *missing), hand_left=right))
    assert found.hand_right is right
    assert len(found.hand_left) == 21 and not found.hand_left.present.any()


def test_with_one_wrist_the_nearer_hand_is_its_own(person) -> None:
    left, right = hand(person, L_WRIST), hand(person, R_WRIST)
    found = settled(replace(without(person, R_WRIST), hand_left=right, hand_right=left))
    assert found.hand_left is left and found.hand_right is right


def test_a_hand_far_from_the_only_wrist_stays(person) -> None:
    away = np.linalg.norm(person.points[R_WRIST] - person.points[R_ELBOW])
    far = replace(without(person, L_WRIST), hand_left=hand(person, R_WRIST, float(away)))
    assert settled(far) is far
