"""Guessed legs of the drawn world's people, whose proportions vary and whose joints are set elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose.estimate import complete, proportions
from recompose.core.pose.person import from_rows
from recompose.core.shapes import Size
from recompose.lab.toy.world import picture
from recompose.lab.toy.world.skeleton import key_points

UPRIGHT = ("standing", "waving", "hands on hips", "arms up")
HIPS, KNEES, ANKLES = [8, 11], [9, 12], [10, 13]


def guesses(family: str, cut_above: list[int], count: int = 12) -> np.ndarray:
    """Per picture the measured stature, and how far the lowest foot point lies too low, in true statures."""
    rows = []
    for seed in range(count):
        drawn = picture.example(seed, "validation", family=family)
        truth = key_points(drawn)
        line = truth[cut_above, 1].min() - 2
        seen = np.where(truth[:, 1:2] > line, 0, truth)
        person = from_rows(seen)
        found = complete.complete_person(person, Size(drawn.image.shape[1], int(line) + 1)).rows
        stature = drawn.drawing.stature
        rows.append(
            (
                proportions.stature(person) / stature,
                (found[10:, 1].max() - truth[10:, 1].max()) / stature,
            )
        )
    return np.array(rows)


@pytest.mark.parametrize("family", UPRIGHT)
@pytest.mark.parametrize(
    ("cut", "furthest"), [(ANKLES, 0.05), (KNEES, 0.06), (HIPS, 0.08)], ids=["ankles", "knees", "hips"]
)
def test_upright_people_get_their_height(family, cut, furthest) -> None:
    stature, lowest = guesses(family, cut).T
    assert abs(np.median(stature) - 1) < 0.06
    assert abs(stature - 1).max() < 0.15
    assert abs(lowest).max() < furthest


@pytest.mark.parametrize(
    ("family", "furthest"), [("walking", 0.06), ("running", 0.12), ("crossed legs", 0.06)]
)
def test_moving_legs_end_near_the_ground(family, furthest) -> None:
    assert abs(guesses(family, ANKLES)[:, 1]).max() < furthest


def test_seated_shanks_hang_from_the_knees() -> None:
    assert abs(guesses("sitting", ANKLES)[:, 1]).max() < 0.06
