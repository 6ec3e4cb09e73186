"""Guessed legs against figures whose hidden points are known; distances in fractions of stature."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose import skeleton
from recompose.core.pose.estimate import complete, proportions
from recompose.core.pose.extension import extension_needed
from recompose.core.pose.person import Frame, Person, everybody, from_rows, moved
from recompose.core.shapes import Size

Q = 800.0
FEET = list(range(18, 24))
ANKLES = [10, 13, *FEET]
KNEES = [9, 12, *ANKLES]
HIPS = [8, 11, *KNEES]
ARMS = [3, 4, 6, 7]
ONE_ANKLE = [10, *FEET]
ONE_LEG = [9, 10, *FEET]
SOLES = {10: [21, 22, 23], 13: [18, 19, 20]}
CUT = Size(823, 640)


def result(person: Person, size: Size = CUT) -> np.ndarray:
    return complete.complete_person(person, size).rows


def test_a_table_person_cut_at_the_knee_gets_exact_ankles_and_soles(figure, person, pose, seen) -> None:
    truth = figure(q=800.0, hips=(411.0, 424.0))
    # Stature 800, thigh .216, shank .213, sole .060: the soles stand at 815.2; cut 23 px below the knees.
    size = (823, 620)
    completed = complete.complete(pose([person(seen(truth, size))], size))
    found = completed[0].people[0].rows
    np.testing.assert_allclose(found[:18], truth[:18], atol=1e-9)
    needed = extension_needed(completed, Size(*size))
    soles = 424 + 800 * 0.489
    assert found[[10, 13], 1] + 0.060 * needed.body == pytest.approx(soles)
    assert needed.body == pytest.approx(800)
    # Frontal toes reach a little below the sole, by a tenth of their .114.
    assert needed.bottom == pytest.approx(soles - 620 + 0.0114 * 800)
    assert needed[:3] == (0, 0, 0)


TABLE = [
    ("standing without ankles", {}, ANKLES, 1e-9, 0.02),
    ("standing without knees", {}, KNEES, 1e-9, 0.02),
    ("standing without hips", {}, HIPS, 1e-9, 0.02),
    ("head and shoulders only", {}, HIPS + ARMS, 1e-9, 0.02),
    ("legs apart", {"splay": 6}, ANKLES, 1e-9, 0.02),
    ("legs apart, one leg hidden", {"splay": 6}, ONE_LEG, 1e-9, 0.02),
    ("from behind", {"yaw": 180}, KNEES, 1e-9, 0.02),
    ("in profile", {"yaw": 90}, KNEES, 1e-9, 0.002),
    ("in the other profile without hips", {"yaw": -90}, HIPS, 1e-9, 0.002),
    ("profile, head and shoulders", {"yaw": -90}, HIPS + ARMS, 1e-9, 0.002),
    ("profile, one eye and ear seen", {"yaw": -90}, [*HIPS, *ARMS, 15, 17], 1e-9, 0.002),
    ("three quarters", {"yaw": 45}, KNEES, 1e-9, 0.03),
    ("walking, both ankles hidden", {"yaw": 90, "thighs": (25, -15), "knees": (10, 25)}, ANKLES, 0.04, 0.06),
    (
        "walking, one ankle hidden",
        {"yaw": 90, "thighs": (25, -15), "knees": (10, 25)},
        ONE_ANKLE,
        0.03,
        0.035,
    ),
    ("walking, one leg hidden", {"yaw": 90, "thighs": (25, -15), "knees": (10, 25)}, ONE_LEG, 0.07, 0.07),
    ("walking towards us", {"thighs": (25, -15), "knees": (10, 25)}, ANKLES, 0.06, 0.07),
    ("sitting in profile", {"yaw": 90, "thighs": (90, 90), "knees": (90, 90)}, ANKLES, 1e-9, 0.002),
    ("sitting, one leg hidden", {"yaw": 90, "thighs": (85, 90), "knees": (90, 90)}, ONE_LEG, 0.04, 0.04),
    ("sitting towards us", {"thighs": (80, 80), "knees": (80, 80)}, ANKLES, 1e-9, 0.02),
    ("sitting, three quarters", {"yaw": 50, "thighs": (90, 90), "knees": (90, 90)}, ANKLES, 0.01, 0.03),
    ("bent far forward", {"yaw": 90, "bow": 70}, KNEES, 1e-9, 0.002),
    ("bent a little", {"yaw": -90, "bow": 30}, KNEES, 1e-9, 0.002),
    ("bent towards us", {"bow": 50, "arms": (50, 50)}, KNEES, 0.05, 0.06),
    ("crossed legs", {"splay": -14}, ANKLES, 0.02, 0.03),
    ("crossed legs, one ankle hidden", {"splay": -14}, ONE_ANKLE, 1e-9, 0.02),
    ("arms up", {"arms": (180, 180)}, KNEES, 1e-9, 0.02),
    ("arms up, hips hidden", {"arms": (170, 175)}, HIPS, 0.02, 0.03),
    ("arms bent", {"arms": (20, 40), "elbows": (100, 90)}, KNEES, 0.01, 0.02),
    ("leaning", {"lean": 5}, KNEES, 1e-9, 0.03),
    ("leaning, hips hidden", {"lean": -5}, HIPS, 1e-9, 0.03),
    ("one hip hidden", {"yaw": 20}, [8], 1e-9, 1e-9),
    ("knees hidden between hips and ankles", {}, [9, 12], 1e-9, 1e-9),
    ("only the feet cut off", {}, FEET, 0.0, 0.02),
]


@pytest.mark.parametrize(
    ("joints", "hidden", "legs", "feet"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_hidden_points_are_found(figure, person, hide, joints, hidden, legs, feet) -> None:
    truth = figure(q=Q, **joints)
    found = result(person(hide(truth, hidden)), Size(823, 905) if hidden == FEET else CUT)
    distance = np.linalg.norm(found[:, :2] - truth[:, :2], axis=1) / Q
    assert (found[8:14, 2] == 1).all() and (found[18:, 2] == 1).all()
    assert distance[8:14].max() <= legs
    assert distance[18:].max() <= feet
    visible = [index for index in range(24) if index not in hidden]
    assert (found[visible] == truth[visible]).all()


@pytest.mark.parametrize(("joints", "hidden"), [row[1:3] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_mirrored_picture_gives_the_mirrored_guess(figure, person, hide, joints, hidden) -> None:
    seen = hide(figure(q=Q, **joints), hidden)
    mirror = seen[list(skeleton.MIRRORED)].copy()
    mirror[mirror[:, 2] > 0, 0] = 823 - mirror[mirror[:, 2] > 0, 0]
    found, mirrored = result(person(seen)), result(person(mirror))[list(skeleton.MIRRORED)]
    mirrored[mirrored[:, 2] > 0, 0] = 823 - mirrored[mirrored[:, 2] > 0, 0]
    np.testing.assert_allclose(mirrored, found, atol=1e-6)


@pytest.mark.parametrize(("joints", "hidden"), [row[1:3] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_scaled_and_shifted_picture_gives_the_scaled_and_shifted_guess(
    figure, person, pose, hide, joints, hidden
) -> None:
    before = pose([person(hide(figure(q=Q, **joints), hidden))], (800, 640))
    # Exactly: what the picture shows matters, too.
    after = moved(before, (0.375, 0.375), (0.0, 0.0), Size(300, 240))
    found, scaled = complete.complete(before), complete.complete(after)
    expected = moved(found, (0.375, 0.375), (0.0, 0.0), CUT)
    for a, b in zip(everybody(scaled), everybody(expected), strict=True):
        np.testing.assert_allclose(a.rows, b.rows, atol=1e-6)
    shifted = moved(before, (1, 1), (-31.0, 0.0), CUT)
    expected = moved(found, (1, 1), (-31.0, 0.0), CUT)
    for a, b in zip(everybody(complete.complete(shifted)), everybody(expected), strict=True):
        np.testing.assert_allclose(a.rows[:18], b.rows[:18], atol=1e-6)


@pytest.mark.parametrize("feet", [True, False])
def test_a_complete_person_comes_back(figure, person, pose, feet, tall) -> None:
    given = pose([person(figure(), feet=feet)], tall)
    assert complete.complete(given)[0].people[0] is given[0].people[0]
    assert complete.count_estimated(given) == 0


def test_only_feet_the_frame_cuts_off_are_guessed(figure, person, pose) -> None:
    truth = figure()
    ankle = truth[10, 1]
    inside, outside = (
        complete.complete(pose([person(truth, feet=False)], (823, height)))
        for height in (int(ankle) + 60, int(ankle) + 20)
    )
    assert complete.count_estimated(inside) == 0
    assert complete.count_estimated(outside) == 6
    assert outside[0].people[0].estimated.tolist() == [False] * 18 + [True] * 6


def test_completing_twice_changes_nothing_more(figure, person, pose, hide) -> None:
    once = complete.complete(pose([person(hide(figure(), KNEES))], CUT))
    assert complete.complete(once)[0].people == once[0].people
    assert complete.count_estimated(once) == len(KNEES)


@pytest.mark.parametrize("seed", range(60))
def test_any_points_at_all_are_kept_and_completed_once(person, pose, seed) -> None:
    generator = np.random.default_rng(seed)
    points = generator.uniform(-0.2, 1.2, (24, 3)) * [300, 400, 1]
    if seed % 3 == 0:
        points[:, :2] = points[:, :2].round(-2)
    points[:, 2] = generator.random(24) < 0.4 + 0.5 * generator.random()
    points[points[:, 2] == 0] = 0
    points[[2, 5, 8]] = [[90, 50, 1], [160, 55, 1], [100, 180, 1]]
    once = complete.complete(pose([person(points)], (300, 400)))
    found, guessed = once[0].people[0].rows, once[0].people[0].estimated
    present = points[:, 2] > 0
    assert np.isfinite(found).all() and (found[8:14, 2] == 1).all()
    kept = present & ~guessed
    assert (found[kept] == points[kept]).all()
    assert (guessed | present | (found[:, 2] == 0)).all()
    # What was there and is guessed now, or gone, hung on a joint on the border or beyond it.
    inside = ((points[:, :2] > 0.01) & (points[:, :2] < np.array([300, 400]) - 0.01)).all(axis=1)
    for joint, hanging in ((8, [9, 10, *SOLES[10]]), (11, [12, 13, *SOLES[13]])):
        if (present & inside)[[joint, *hanging]].sum() == present[[joint, *hanging]].sum():
            assert not (present & ~kept)[[joint, *hanging]].any()
    assert not (present & ~kept)[:8].any()
    assert complete.complete(once)[0].people == once[0].people


def test_several_people_need_the_union(figure, person, pose, seen) -> None:
    size = (1203, 640)
    near, far = figure(q=800.0, hips=(300.0, 424.0)), figure(q=500.0, hips=(900.0, 424.0), yaw=90)
    whole = figure(q=300.0, hips=(600.0, 300.0))
    completed = complete.complete(pose([person(seen(points, size)) for points in (far, whole, near)], size))
    assert (completed[0].people[1].rows == whole).all()
    alone = [
        extension_needed(complete.complete(pose([person(seen(points, size))], size)), Size(*size))
        for points in (near, far, whole)
    ]
    together = extension_needed(completed, Size(*size))
    assert together == tuple(max(sides) for sides in zip(*alone, strict=True))
    assert together.bottom == alone[0].bottom > alone[1].bottom > alone[2].bottom == 0


def test_an_unmeasurable_stranger_stays_and_alone_is_refused(figure, person, pose, hide) -> None:
    stranger = person(hide(figure(), [index for index in range(24) if index != 0]))
    somebody = person(hide(figure(), ANKLES))
    assert complete.complete(pose([stranger, somebody], CUT))[0].people[0] is stranger
    with pytest.raises(ValueError, match="Too few points"):
        complete.complete(pose([stranger], CUT))
    with pytest.raises(ValueError, match="no person"):
        complete.complete(pose([], CUT))


def test_stature_survives_foreshortening(figure, person, hide) -> None:
    for joints in (
        {"thighs": (80, 80), "knees": (80, 80)},
        {"arms": (90, 30), "elbows": (0, 120)},
        {"bow": 40, "arms": (40, 40)},
        {"yaw": 60},
        {"arms": (-30, 30)},
    ):
        assert proportions.stature(person(figure(q=700.0, **joints))) == pytest.approx(700, rel=0.02), joints
    alone = person(hide(figure(q=700.0), [index for index in range(24) if index not in (9, 10)]))
    assert proportions.stature(alone) == pytest.approx(700)


def test_an_arm_alone_is_told_what_it_lacks() -> None:
    rows = np.zeros((24, 3))
    rows[[2, 3, 4]] = [(50, 60, 1), (52, 90, 1), (55, 115, 1)]
    with pytest.raises(ValueError, match="a hip, a knee, an ear, both eyes, the neck or both shoulders"):
        complete.complete([Frame(Size(100, 140), (from_rows(rows),))])
    for added in ([8], [9], [16], [14, 15], [1], [5]):
        more = rows.copy()
        more[added] = [(60 + 9 * index, 62, 1) for index in range(len(added))]
        assert complete.complete([Frame(Size(100, 140), (from_rows(more),))])[0].people[0].estimated.any()
