"""Joints pinned to the picture's border, and a detector's guesses beyond it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from recompose.core.pose.choices import Guesses, Legs
from recompose.core.pose.estimate import complete, seen
from recompose.core.pose.extension import extension_needed
from recompose.core.pose.person import Frame, Person, from_rows
from recompose.core.shapes import Size

Q = 800.0
LEGS = [9, 10, 12, 13]
FEET = list(range(18, 24))
# Hips at 523, knees at 695.8, ankles at 866.2.
CUT = Size(823, 720)


def standing(figure, **moved: tuple[float, float]) -> np.ndarray:
    rows = figure(q=Q)
    rows[FEET] = 0
    for joint, at in moved.items():
        rows[int(joint[1:]), :2] = at
    return rows


def needed(person: Person, size: Size) -> tuple[float, ...]:
    return extension_needed([Frame(size, (person,))], size)[:4]


def right(figure, size: Size) -> tuple[float, ...]:
    rows = standing(figure)
    rows[LEGS] = 0
    return needed(complete.complete_person(from_rows(rows), size), size)


def test_legs_clamped_to_the_border_are_cut_off(figure) -> None:
    size = Size(823, 620)
    rows = standing(figure)
    rows[LEGS, 1] = 620
    found = complete.complete_person(from_rows(rows), size)
    assert found.estimated[LEGS].all() and not found.estimated[:9].any()
    assert found.points[[9, 12], 1] == pytest.approx(523 + 0.216 * Q)
    assert needed(found, size) == pytest.approx(right(figure, size))


def test_an_ankle_a_little_beyond_the_border_is_cut_off_and_the_knee_inside_is_kept(figure) -> None:
    rows = standing(figure)
    rows[[9, 12], 1], rows[[10, 13], 1] = 690, 732
    found = complete.complete_person(from_rows(rows), CUT)
    assert found.estimated[[10, 13]].all() and not found.estimated[[9, 12]].any()
    # The shank measures 5 % of its length: .213 of 800 px below the knee.
    assert found.points[[10, 13], 1] == pytest.approx(690 + 0.213 * Q, rel=0.01)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_every_border_pins(figure, turns) -> None:
    """The same person turned by quarters, clamped at the right, the top and the left."""
    size = np.array([823.0, 620.0])
    rows = standing(figure)
    rows[LEGS, 1] = 620
    for _ in range(turns):
        rows[:, :2] = np.column_stack([size[1] - rows[:, 1], rows[:, 0]])
        size = size[::-1]
    rows[FEET] = 0
    found = seen.cut_off(from_rows(rows), Size(*map(int, size)), Q)
    assert found.nonzero()[0].tolist() == LEGS


def test_a_whole_leg_that_ends_beyond_the_border_stays(figure) -> None:
    rows = standing(figure)
    assert not seen.cut_off(from_rows(rows), CUT, Q).any()
    found = complete.complete_person(from_rows(rows), CUT)
    assert (found.points[:18] == rows[:18, :2]).all() and not found.estimated[:18].any()


def test_short_thighs_of_somebody_who_sits_are_no_sign(figure) -> None:
    rows = standing(figure)
    # Shoulders and hips a third broader than the trunk is long: the knees towards us are seen on the border.
    rows[[2, 5, 8, 11], 0] = 411 + np.array([-96, 96, -53.4, 53.4])
    rows[[9, 12], 1] = 620
    rows[[10, 13]] = 0
    found = complete.complete_person(from_rows(rows), Size(823, 620))
    assert not found.estimated[[9, 12]].any()


def test_a_detector_that_is_not_sure_of_a_joint_near_the_border_did_not_see_it(figure) -> None:
    person = from_rows(standing(figure))
    scores = np.where(person.present, 0.95, 0.0)
    scores[9] = 0.6
    near = replace(person, scores=scores)
    size = Size(823, 710)  # 14.2 px below the knees, .018 of the stature
    assert seen.cut_off(near, size, Q).nonzero()[0].tolist() == [9, 10]
    assert not seen.cut_off(near, Size(823, 730), Q).any()
    assert not seen.cut_off(person, size, Q).any()


def guessing(figure, squeeze: float = 1.0, bend: float = 0.0) -> Person:
    """Shoulders to hips in a picture cut below them, the legs guessed by a detector, all squeezed in y."""
    rows = figure(q=Q)
    rows[FEET] = 0
    shoulders = rows[2, 1]
    rows[8:14, 1] = shoulders + squeeze * (rows[8:14, 1] - shoulders)
    rows[[9, 10, 12, 13], 0] += bend
    guessed = np.isin(np.arange(24), LEGS)
    scores = np.where(guessed, 0.2, 0.95) * rows[:, 2]
    return Person(rows[:, :2].copy(), rows[:, 2] > 0, guessed, scores)


def test_a_detectors_guess_is_mixed_kept_or_ignored(figure) -> None:
    size, given = Size(823, 560), guessing(figure, bend=60.0)
    straight = figure(q=Q)[LEGS, :2]
    found = {
        guesses: complete.complete_person(given, size, guesses=guesses).points[LEGS] for guesses in Guesses
    }
    assert found[Guesses.KEEP] == pytest.approx(straight + np.array([60, 0]))
    assert found[Guesses.IGNORE] == pytest.approx(straight)
    # A detector that guesses squeezes: three quarters of the way to legs of 1.03 of their reach.
    lower = 0.75 * 0.03 * Q * np.array([[0.508], [0.721], [0.508], [0.721]])
    assert found[Guesses.MIX] == pytest.approx(straight + np.array([0.7 * 60, 0]) + lower * [0, 1])


def test_what_is_told_goes_before_a_detectors_guess(figure) -> None:
    found = complete.complete_person(guessing(figure, bend=60.0), Size(823, 560), Legs.STANDING)
    assert found.points[LEGS] == pytest.approx(figure(q=Q)[LEGS, :2])


def test_legs_that_a_detector_squeezed_into_the_picture_get_their_length(figure) -> None:
    # Trunk and legs at .93 of their length; arms and shoulders measure the person.
    found = complete.complete_person(guessing(figure, squeeze=0.93), Size(823, 515))
    truth = figure(q=Q)
    assert found.points[[10, 13], 1] == pytest.approx(truth[[10, 13], 1], abs=0.01 * Q)


def test_mixing_happens_once(figure) -> None:
    size = Size(823, 560)
    once = complete.complete([Frame(size, (guessing(figure, bend=60.0),))])
    assert complete.complete(once)[0].people == once[0].people
    assert complete.count_pinned([Frame(size, (guessing(figure),))], once) == 0


def test_guesses_without_scores_and_earlier_estimates_are_no_detectors(figure) -> None:
    given = guessing(figure)
    assert seen.by_detector(given).nonzero()[0].tolist() == LEGS
    assert not seen.by_detector(replace(given, scores=None)).any()
    assert not seen.by_detector(replace(given, uncertainty=np.ones(24))).any()
