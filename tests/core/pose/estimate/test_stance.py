"""Legs that walk, run, sit or kneel, guessed from arms, thighs or the user's word; distances in statures."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose import skeleton
from recompose.core.pose.estimate import complete
from recompose.core.pose.estimate.stance import Legs
from recompose.core.shapes import Size

Q = 800.0
FEET = list(range(18, 24))
ANKLES = [10, 13, *FEET]
KNEES = [9, 12, *ANKLES]
CUT = Size(823, 640)
WALK_ARMS = {"yaw": 90, "arms": (-20, 20)}
RUN_ARMS = {"yaw": 90, "arms": (-35, 30), "elbows": (90, 90)}


def off(truth: np.ndarray, given: dict, legs: Legs = Legs.AUTO) -> np.ndarray:
    """How far each of the 24 points of the completed person lies from the true one."""
    found = complete.complete_person(given, CUT, legs).rows
    return np.linalg.norm(found[:, :2] - truth[:, :2], axis=1) / Q


# What is seen, what is hidden, and the thighs and knees that follow by the sums in the comments.
RULES = [
    # Left arm in front, so the right leg: 24 and 7 bent; behind −18 and 1.15 · 18 = 20.7 bent.
    ("arms swing as in walking", WALK_ARMS, KNEES, (24, -18), (7, 20.7)),
    ("half as far over the first 8 degrees", {"yaw": 90, "arms": (-13, 40)}, KNEES, None, None),
    # In front 36 and 1.7 · 36 − 16 = 45.2 bent; behind −18 and 20 + 1.5 · (60 − 36) = 56 bent.
    ("arms swing as in running", RUN_ARMS, KNEES, (36, -18), (45.2, 56)),
    ("both arms in front", {"yaw": 90, "arms": (20, 40)}, KNEES, (0, 0), (0, 0)),
    ("one arm far in front", {"yaw": 90, "arms": (0, 80)}, KNEES, (0, 0), (0, 0)),
    ("both elbows bent in front", {"yaw": 90, "arms": (10, 10), "elbows": (90, 90)}, KNEES, (0, 0), (0, 0)),
    ("seen from the front", {"arms": (-30, 30)}, KNEES, (0, 0), (0, 0)),
    ("thighs of a walk", {"yaw": 90, "thighs": (20, -15)}, ANKLES, (20, -15), (7, 17.25)),
    ("the other way round", {"yaw": -90, "thighs": (-20, 24)}, ANKLES, (-20, 24), (23, 7)),
    ("thighs of a run", {"yaw": 90, "thighs": (60, -20)}, ANKLES, (60, -20), (86, 20)),
    ("bent elbows make a walk's thighs a run", {**RUN_ARMS, "thighs": (24, -10)}, ANKLES, None, (24.8, 74)),
    # Nothing is behind: not a leap, and the lifted knee bends 7 + 1.3 · (60 − 30).
    ("a foot on a step", {"yaw": 90, "thighs": (60, 0)}, ANKLES, (60, 0), (46, 0)),
    ("sitting with thighs apart", {"yaw": 90, "thighs": (88, 50)}, ANKLES, (88, 50), (88, 50)),
    # What flexes 20 in front extends 15 behind.
    ("one leg hidden in a stride", {"yaw": 90, "thighs": (20, -15)}, [12, *ANKLES], (20, -15), (7, 17.25)),
    ("a trunk bent forward", {"yaw": 90, "bow": 25}, KNEES, (0, 0), (0, 0)),
]


@pytest.mark.parametrize(
    ("seen", "hidden", "thighs", "knees"), [row[1:] for row in RULES], ids=[row[0] for row in RULES]
)
def test_legs_follow_arms_and_thighs(figure, person, hide, seen, hidden, thighs, knees) -> None:
    if thighs is None and knees is None:
        # Half of the evidence: halfway between a standing and a walking leg.
        ends = [figure(q=Q, **(seen | legs)) for legs in ({}, {"thighs": (24, -18)})]
        truth, compared = (ends[0] + ends[1]) / 2, [9, 12]
    else:
        truth, compared = figure(q=Q, **(seen | {"thighs": thighs or seen["thighs"], "knees": knees})), None
    given = person(hide(figure(q=Q, **seen), hidden))
    assert off(truth, given)[compared or [9, 10, 12, 13]].max() < 1e-9


TOLD = [
    (Legs.STANDING, WALK_ARMS, (0, 0), (0, 0)),
    (Legs.WALKING, WALK_ARMS, (24, -18), (7, 20.7)),
    (Legs.WALKING, RUN_ARMS, (24, -18), (7, 20.7)),
    # Nothing shows which leg leads: the far one.
    (Legs.WALKING, {"yaw": 90}, (-18, 24), (20.7, 7)),
    (Legs.WALKING, {"yaw": -90}, (24, -18), (7, 20.7)),
    (Legs.RUNNING, {"yaw": 90}, (-18, 36), (56, 45.2)),
    (Legs.WALKING, {}, (0, 0), (0, 0)),
    (Legs.SITTING, WALK_ARMS, (90, 90), (90, 90)),
    (Legs.KNEELING, {"yaw": 90}, (0, 0), (105, 105)),
]


@pytest.mark.parametrize(("legs", "seen", "thighs", "knees"), TOLD)
def test_legs_do_what_they_are_told(figure, person, hide, legs, seen, thighs, knees) -> None:
    truth = figure(q=Q, **(seen | {"thighs": thighs, "knees": knees}))
    assert off(truth, person(hide(figure(q=Q, **seen), KNEES)), legs)[8:14].max() < 1e-9


def test_from_the_front_one_looks_down_at_a_lap_and_kneels_on_the_toes(figure, person, hide) -> None:
    truth = figure(q=Q)
    sits, kneels = (
        complete.complete_person(person(hide(truth, KNEES)), CUT, legs).rows[:, 1] / Q
        for legs in (Legs.SITTING, Legs.KNEELING)
    )
    hips = truth[8, 1] / Q
    assert sits[[9, 12]] == pytest.approx(hips + 0.35 * 0.216)
    assert sits[[10, 13]] == pytest.approx(hips + 0.35 * 0.216 + 0.95 * 0.213)
    assert kneels[[9, 12]] == pytest.approx(hips + 0.216)
    assert (kneels[[10, 13]] < kneels[[9, 12]]).all()
    assert (kneels[[18, 21]] > kneels[[9, 12]]).all()


def test_what_is_seen_goes_before_what_is_told(figure, person, hide) -> None:
    seated = figure(q=Q, yaw=90, thighs=(90, 90), knees=(90, 90))
    given = person(hide(seated, ANKLES))
    assert off(seated, given, Legs.STANDING)[8:14].max() < 1e-9
    stride = figure(q=Q, yaw=90, thighs=(20, -15), knees=(7, 17.25))
    assert off(stride, person(hide(stride, [13, *FEET])), Legs.SITTING)[[8, 9, 10, 11, 12]].max() == 0


def test_a_heel_lifts_when_the_shank_leans_further_than_the_ankle_bends(figure, person, hide) -> None:
    for knee, tilt in ((20, 0.0), (26, 0.0), (40, 14.0), (86, 60.0)):
        seen = hide(figure(q=Q, yaw=90, thighs=(0, 0), knees=(0, knee)), FEET)
        found = complete.complete_person(person(seen), Size(823, 760)).rows
        sole = found[18, :2] - found[20, :2]
        assert np.rad2deg(np.arctan2(sole[1], sole[0])) == pytest.approx(tilt, abs=1e-6)
        assert np.linalg.norm(sole) == pytest.approx(0.152 * Q)


@pytest.mark.parametrize("legs", Legs)
@pytest.mark.parametrize("yaw", [0, 40, 60, 90, 200])
def test_a_mirrored_picture_gives_the_mirrored_guess(figure, person, hide, legs, yaw) -> None:
    for joints in ({}, {"arms": (-15, 15)}, {"thighs": (20, -10)}):
        seen = hide(figure(q=Q, yaw=yaw, **joints), ANKLES if "thighs" in joints else KNEES)
        mirror = seen[list(skeleton.MIRRORED)].copy()
        mirror[mirror[:, 2] > 0, 0] = 823 - mirror[mirror[:, 2] > 0, 0]
        found, mirrored = (
            complete.complete_person(person(points), CUT, legs).rows for points in (seen, mirror)
        )
        mirrored = mirrored[list(skeleton.MIRRORED)]
        np.testing.assert_allclose(823 - mirrored[:, 0], found[:, 0], atol=1e-6)
        np.testing.assert_allclose(mirrored[:, 1], found[:, 1], atol=1e-6)


@pytest.mark.parametrize("legs", Legs)
def test_guesses_and_complete_people_stay_whatever_is_told(figure, person, pose, hide, legs) -> None:
    once = complete.complete(pose([person(hide(figure(), KNEES)), person(figure())], CUT), legs=legs)
    assert not once[0].people[1].estimated.any()
    for again in Legs:
        assert complete.complete(once, legs=again)[0].people == once[0].people


def test_a_guess_moves_little_when_the_points_move_little(figure, person, hide) -> None:
    """No threshold flips the legs: one degree more of anything moves no joint by more than a tenth of q."""
    for arm in range(0, 40):
        for yaw in (45, 60, 75, 90):
            steps = [
                complete.complete_person(
                    person(hide(figure(q=Q, yaw=yaw + turn, arms=(-a, a), elbows=(a, a)), KNEES)), CUT
                ).rows
                for a, turn in ((arm, 0), (arm + 1, 0), (arm, 1))
            ]
            for other in steps[1:]:
                assert np.linalg.norm(other[8:14, :2] - steps[0][8:14, :2], axis=1).max() < 0.1 * Q
