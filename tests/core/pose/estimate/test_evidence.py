"""What a trunk, an outstretched arm and a neighbour tell of hidden legs, and how sure a guess is."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose.estimate import body as bodies
from recompose.core.pose.estimate import complete, proportions
from recompose.core.pose.estimate.reach import leading_out
from recompose.core.pose.estimate.uncertainty import SURE
from recompose.core.pose.person import Frame, Person, from_rows
from recompose.core.shapes import Size

Q = 800.0
FEET = list(range(18, 24))
KNEES = [9, 12, 10, 13, *FEET]
BELOW_HIPS = Size(823, 560)


def broad(figure, hide, share: float, hips: tuple[float, float] = (411.0, 523.0)) -> np.ndarray:
    """Seen down to the hips, the trunk `share` as long as its breadth says."""
    rows = hide(figure(q=Q, hips=hips), KNEES)
    upper = rows[:8, 2] > 0
    rows[:8][upper, 1] += (1 - share) * 0.292 * Q
    rows[14:18, 1] += (1 - share) * 0.292 * Q
    return rows


def test_a_trunk_short_for_its_breadth_sits(figure, person, hide) -> None:
    found = complete.complete_person(person(broad(figure, hide, 0.75)), BELOW_HIPS)
    # Breadth measures 800 px: seated knees .35 · .216 below the hips, shanks of .213 hang from them.
    assert proportions.stature(person(broad(figure, hide, 0.75))) == pytest.approx(Q)
    assert found.points[[9, 12], 1] == pytest.approx(523 + 0.35 * 0.216 * Q)
    assert found.points[[10, 13], 1] == pytest.approx(523 + (0.35 * 0.216 + 0.213) * Q)
    upright = complete.complete_person(person(broad(figure, hide, 0.95)), BELOW_HIPS)
    assert upright.points[[10, 13], 1] == pytest.approx(523 + 0.429 * Q, rel=0.01)


def test_neighbours_on_one_bench_both_sit_and_who_stands_between_them_stands(figure, person, hide) -> None:
    size = Size(1400, 560)
    sits = broad(figure, hide, 0.75, (300.0, 523.0))
    beside = hide(figure(q=Q, hips=(700.0, 530.0)), KNEES)
    first, second = complete.complete([Frame(size, (person(sits), person(beside)))])[0].people
    assert second.points[[10, 13], 1] == pytest.approx(530 + (0.35 * 0.216 + 0.213) * Q)
    assert first.points[10, 1] == pytest.approx(523 + (0.35 * 0.216 + 0.213) * Q)
    stands = hide(figure(q=Q, hips=(700.0, 370.0)), KNEES)
    last = broad(figure, hide, 0.75, (1100.0, 523.0))
    row = complete.complete([Frame(Size(1400, 440), (person(sits), person(stands), person(last)))])
    assert row[0].people[1].points[[10, 13], 1] == pytest.approx(370 + 0.429 * Q)


def test_an_arm_flung_aside_bends_the_legs_and_a_raised_hand_does_not(figure, person, hide) -> None:
    rows = hide(figure(q=Q), KNEES)
    rows[3, :2] = rows[2, :2] + [-0.160 * Q, 0]
    rows[4, :2] = rows[3, :2] + [-0.138 * Q, 0]
    found = complete.complete_person(person(rows), BELOW_HIPS)
    # The whole arm aside: .45 · (1 − .4) of the reach is lost.
    assert found.points[10, 1] == pytest.approx(523 + (1 - 0.27) * 0.429 * Q)
    rows[4, :2] = rows[3, :2] + [-0.069 * Q, -0.1195 * Q]
    waving = complete.complete_person(person(rows), BELOW_HIPS)
    assert waving.points[10, 1] == pytest.approx(523 + 0.429 * Q, rel=1e-4)


def test_somebody_who_leans_aside_bends_the_legs(figure, person, hide) -> None:
    rows = hide(figure(q=Q, lean=10), KNEES)
    found = complete.complete_person(person(rows), BELOW_HIPS)
    # sin 10° is .174, .074 of it over a tenth: .75 · .074 of the reach is lost.
    lost = 0.75 * (np.sin(np.deg2rad(10)) - 0.1)
    legs = np.linalg.norm(found.points[[10, 13]] - found.points[[8, 11]], axis=1)
    assert legs == pytest.approx((1 - lost) * 0.429 * Q)


def test_a_hidden_knee_does_not_lie_in_plain_sight(figure, person, hide) -> None:
    """The other knee is lifted to the side; mirrored, this one would be seen."""
    rows = hide(figure(q=Q), [9, 10, 13, *FEET])
    rows[12, :2] = rows[11, :2] + [0.19 * Q, 0.1 * Q]
    size = Size(823, 640)
    found = complete.complete_person(person(rows), size)
    assert found.points[9, 1] > 640
    assert np.linalg.norm(found.points[9] - rows[8, :2]) == pytest.approx(0.216 * Q, rel=0.05)


def test_what_even_a_long_leg_does_not_lead_out_of_is_hidden_by_something(figure, person, hide) -> None:
    rows = hide(figure(q=Q), KNEES)
    found = complete.complete_person(person(rows), Size(823, 1001))
    assert found.points[[10, 13], 1] == pytest.approx(523 + 0.429 * Q)


def test_a_way_that_ends_inside_is_turned_towards_straight() -> None:
    points = np.zeros((24, 2))
    points[8] = 50, 50
    none = np.zeros(24, dtype=bool)
    down = np.array([0.0, 1.0])
    body = bodies.Body(points, none, none, 100.0, down, down, bodies.GRAVITY, 1.0, 0.0)
    straight, size = np.array([0.0, 40.0]), Size(200, 70)
    found = leading_out(body, 8, np.array([40.0, 0.0]), straight, bodies.LEFT, size)
    # 20 of 40 px down are half: it leads out from 60° on, and halfway to straight is 30°.
    assert np.hypot(*found) == pytest.approx(40)
    assert np.rad2deg(np.arctan2(*found)) == pytest.approx(30, abs=2)
    assert leading_out(body, 8, straight, straight, bodies.LEFT, size).tolist() == [0, 40]
    assert leading_out(body, 8, np.array([0.0, 10.0]), straight, bodies.LEFT, Size(200, 110)).tolist() == [
        0,
        10,
    ]


def sigmas(person: Person, size: Size) -> np.ndarray:
    return complete.complete_person(person, size).uncertainty / proportions.stature(person)


def test_a_guess_is_less_sure_the_less_is_seen(figure, person, hide) -> None:
    near = sigmas(person(hide(figure(q=Q), [10, 13, *FEET])), Size(823, 720))
    assert near[[10, 13]] == pytest.approx(SURE) and near[18:] == pytest.approx(SURE)
    assert (near[[8, 9, 11, 12]] == 0).all()
    far = sigmas(person(hide(figure(q=Q), KNEES)), BELOW_HIPS)
    assert far[10] > far[9] == pytest.approx(SURE)
    leans = sigmas(person(hide(figure(q=Q, lean=14), KNEES)), BELOW_HIPS)
    assert (leans[[9, 10]] > far[[9, 10]]).all()
    assert far[10] == pytest.approx(SURE + 0.015)


def test_guesses_keep_their_uncertainty(figure, person, hide) -> None:
    once = complete.complete([Frame(BELOW_HIPS, (person(hide(figure(q=Q), KNEES)),))])
    again = complete.complete(once)
    assert again[0].people[0] is once[0].people[0]
    assert from_rows(figure(q=Q)).uncertainty is None
