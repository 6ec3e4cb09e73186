"""Planted pictures are what they claim: the world's own but for the feet, whose number is known."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.lab.toy import corruptions, world
from recompose.lab.toy.world.chance import Chance
from recompose.lab.toy.world.labels import MATERIAL, SEGMENT

SEEDS = range(3, 15)
COUNTS = {
    "true": {2},
    "nobody": {0},
    "no feet": {0},
    "one foot": {1},
    "three legs": {3},
    "blurred feet": {0, 1},
    "detached feet": {0, 1},
}


def test_every_kind_has_a_known_count() -> None:
    assert corruptions.KINDS.keys() == COUNTS.keys()


@pytest.mark.parametrize("manner", [corruptions.EXAM, corruptions.PRACTICE], ids=["exam", "practice"])
@pytest.mark.parametrize("kind", COUNTS)
def test_it_shows_as_many_feet_as_it_claims(kind: str, manner: corruptions.Manner) -> None:
    found = [corruptions.planted(kind, seed, "validation", manner).count for seed in SEEDS]
    # A third leg may hide behind the others and is not counted then.
    if kind == "three legs":
        assert set(found) <= {2, 3} and found.count(3) >= 8
    else:
        assert set(found) == COUNTS[kind]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_true_picture_is_the_worlds(seed: int) -> None:
    example, found = world.example(seed, "validation"), corruptions.planted("true", seed, "validation")
    assert np.array_equal(found.image, example.image)
    assert np.array_equal(found.material, example.drawing.material)
    person = example.pose[0]["people"][0]
    assert found.points.ravel().tolist() == pytest.approx(
        person["pose_keypoints_2d"] + person["foot_keypoints_2d"], abs=1e-4
    )
    for number, side in enumerate(("left", "right"), 1):
        assert np.array_equal(found.feet == number, example.drawing.segment == SEGMENT[f"{side} foot"])


@pytest.mark.parametrize("kind", [kind for kind in COUNTS if kind not in ("true", "nobody")])
def test_a_fault_changes_something_and_only_below_the_chest(kind: str) -> None:
    for seed in SEEDS:
        whole, found = world.example(seed, "validation"), corruptions.planted(kind, seed, "validation")
        changed = np.nonzero((found.image != whole.image).any(2))[0]
        chest = whole.drawing.points["neck"][1] + 0.1 * whole.drawing.stature
        assert len(changed) > 30 and changed.min() > chest
        again = corruptions.planted(kind, seed, "validation")
        assert np.array_equal(again.image, found.image)


@pytest.mark.parametrize("kind", ["no feet", "one foot", "blurred feet", "detached feet"])
def test_bad_feet_have_no_points_and_good_ones_keep_theirs(kind: str) -> None:
    for seed in SEEDS:
        found = corruptions.planted(kind, seed, "validation")
        assert (found.points[18:, 2] > 0).sum() == 3 * found.count
        assert (found.points[:14, 2] > 0).all()


def test_nobody_is_nobody() -> None:
    for seed in SEEDS:
        found = corruptions.planted("nobody", seed, "validation")
        assert not found.points.any()
        person = [MATERIAL[name] for name in ("skin", "hair", "top", "bottom", "shoes")]
        assert not np.isin(found.material, person).any()


def test_detached_feet_lie_apart_from_their_legs() -> None:
    """A foot of its own colour is an island: none of its pixels touches the person's other pixels."""
    apart = 0
    for seed in SEEDS:
        stage = corruptions.staged(seed, "validation")
        figure = corruptions.moved(stage, "left", Chance("validation", seed, 5), corruptions.EXAM)
        (x, y), (ox, oy) = figure.at["left ankle"], stage.figure.at["left ankle"]
        apart += np.hypot(x - ox, y - oy) >= 0.12 * figure.stature
    assert apart >= len(SEEDS) - 2


def test_a_foot_is_shown_from_a_number_of_pixels_on() -> None:
    feet = np.zeros((20, 30), np.uint8)
    feet[2, : corruptions.SHOWN_PIXELS] = 1
    feet[4, : corruptions.SHOWN_PIXELS - 1] = 2
    assert corruptions.feet_shown(feet) == 1
    assert corruptions.feet_shown(np.zeros((4, 4), np.uint8)) == 0


def test_the_blur_keeps_what_is_even_and_spreads_a_dot() -> None:
    even = np.full((9, 13, 3), 37.0, np.float32)
    assert np.allclose(corruptions.blurred(even, 1.7), even, atol=1e-4)
    dot = np.zeros((41, 41, 1), np.float32)
    dot[20, 20] = 1
    soft = corruptions.blurred(dot, 3.0)[..., 0]
    assert soft.sum() == pytest.approx(1, abs=1e-3)
    spread = ((np.arange(41) - 20) ** 2 * soft.sum(0)).sum()
    assert spread == pytest.approx(9, rel=0.05)  # variance of the kernel, in pixels squared
