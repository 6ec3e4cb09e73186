"""People who lie, dive or stand on their hands: their legs go on as the trunk does."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose.estimate import complete
from recompose.core.pose.estimate.stance import Legs
from recompose.core.pose.extension import extension_needed
from recompose.core.pose.person import Frame
from recompose.core.shapes import Size

Q = 500.0
LEGS = [8, 9, 10, 11, 12, 13]


def turned(rows: np.ndarray, degrees: float, about: tuple[float, float]) -> np.ndarray:
    """The figure turned clockwise in the picture."""
    a = np.deg2rad(degrees)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return np.column_stack([(rows[:, :2] - about) @ turn + about, rows[:, 2]])


# Name, turn, yaw, picture, hips, side that must grow: left, top, right, bottom.
CASES = [
    ("supine, head left, knees seen", -90, 90, (640, 400), (480, 250), 2),
    ("supine, head left, knees cut off", -90, 90, (640, 400), (560, 250), 2),
    ("supine, head right", 90, -90, (640, 400), (80, 250), 0),
    ("on the side, frontal", -90, 0, (640, 400), (480, 250), 2),
    ("push-up", -70, 90, (640, 400), (470, 230), 2),
    ("handstand, knees seen", 180, 90, (400, 640), (200, 200), 1),
    ("handstand, frontal, knees cut off", 180, 0, (400, 640), (200, 60), 1),
    ("diving to the right", 125, 90, (640, 500), (300, 120), 1),
]


@pytest.mark.parametrize(
    ("turn", "yaw", "size", "hips", "side"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_legs_follow_the_trunk_and_that_side_grows(figure, person, seen, turn, yaw, size, hips, side) -> None:
    truth = turned(figure(q=Q, hips=hips, yaw=yaw), turn, hips)
    given = seen(truth, size)
    assert not given[[10, 13], 2].any()
    found = complete.complete_person(person(given), Size(*size))
    off = np.linalg.norm(found.points[LEGS] - truth[LEGS, :2], axis=1)
    assert off.max() < 0.001 * Q
    sides = extension_needed([Frame(Size(*size), (found,))], Size(*size))[:4]
    assert np.argmax(sides) == side and sides[side] > 0.05 * Q


def test_a_bow_is_seen_from_the_side_and_the_legs_stand(figure, person, seen) -> None:
    truth = figure(q=Q, hips=(320.0, 330.0), yaw=90, bow=80)
    size = (640, 370)
    found = complete.complete_person(person(seen(truth, size)), Size(*size))
    assert np.linalg.norm(found.points[LEGS] - truth[LEGS, :2], axis=1).max() < 0.001 * Q


def test_lying_can_be_told(figure, person, hide) -> None:
    truth = turned(figure(q=Q, hips=(300.0, 200.0), yaw=90), -60, (300.0, 200.0))
    given = person(hide(truth, [9, 10, 12, 13, *range(18, 24)]))
    # The legs may well hang out of this picture: the points alone do not tell.
    size = Size(640, 260)
    standing, lying = (
        complete.complete_person(given, size, legs).points for legs in (Legs.STANDING, Legs.LYING)
    )
    assert np.linalg.norm(lying[LEGS] - truth[LEGS, :2], axis=1).max() < 0.001 * Q
    assert (standing[[10, 13], 1] > lying[[10, 13], 1] + 0.1 * Q).all()
