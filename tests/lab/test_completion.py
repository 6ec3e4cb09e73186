"""The sums behind the figures of completed legs, and that those figures do not get worse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from recompose.core.pose.estimate import complete
from recompose.core.pose.person import Frame, Pose, from_rows
from recompose.lab.evaluate.completion import measure
from recompose.lab.evaluate.completion import page as completion_page
from recompose.lab.evaluate.models import catalogue
from recompose.lab.evaluate.rows import Figures, mean
from recompose.lab.places import DOCS
from recompose.lab.toy.world import picture
from recompose.lab.toy.world.poses import FAMILIES
from recompose.lab.toy.world.skeleton import key_points

# Ankles cut off below the hips and below the knees, in statures, of six people of the test part each, with a
# tenth and .002 to spare.
MEASURED = {
    "standing": (0.037, 0.016),
    "walking": (0.028, 0.015),
    "running": (0.097, 0.027),
    "crossed legs": (0.11, 0.02),
    "arms up": (0.043, 0.012),
    "hands on hips": (0.042, 0.012),
    "waving": (0.049, 0.013),
    "sitting": (0.104, 0.03),
}


def legs(hips: float, knees: tuple[float, float], ankles: tuple[float, float]) -> np.ndarray:
    """Heights of the joints of right and left leg, 20 pixels apart."""
    points = np.zeros((24, 3))
    points[[8, 9, 10], 1] = hips, knees[0], ankles[0]
    points[[11, 12, 13], 1] = hips, knees[1], ankles[1]
    points[[11, 12, 13], 0] = 20
    return points


def test_cuts_lie_beside_and_between_the_joints() -> None:
    points = legs(100, (140, 150), (180, 200))
    assert [measure.cut_row(points, 200, cut) for cut in measure.CUTS] == [96, 104, 120, 154, 175, 204]


def test_legs_are_seated_striding_or_upright() -> None:
    assert measure.kind(legs(100, (120, 129), (170, 178)), 200) == "seated"
    assert measure.kind(legs(100, (120, 131), (170, 178)), 200) == "upright"
    apart = legs(100, (150, 150), (195, 195))
    apart[13, 0] = 51
    assert measure.kind(apart, 200) == "striding"


def test_somebody_known_is_found_among_those_alike() -> None:
    alike = measure.Alike(per_family=measure.NEIGHBOURS)
    drawn = picture.example(3, "train", family="running")
    alike.known = np.repeat(alike.known[[2 * measure.NEIGHBOURS + 3]] * 1.7 + 5, 20, axis=0)
    found = measure.guessed(drawn, "below the hips", alike)
    assert max(found["knees"] + found["ankles"] + found["toes"]) == 0
    assert found["extension"] == 0


def test_a_guess_is_measured_in_statures_from_the_truth() -> None:
    drawn = picture.example(0, "test", family="standing")

    def lower(pose: Pose) -> Pose:
        """The truth, 3 % of the stature too low."""
        truth = key_points(drawn)
        truth[~pose[0].people[0].present, 1] += 0.03 * drawn.drawing.stature
        return [Frame(pose[0].size, (from_rows(truth),))]

    found = measure.guessed(drawn, "below the knees", lower)
    assert (found["knees"], found["ankles"]) == ([], [0.03, 0.03])
    assert found["extension"] == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize("family", FAMILIES)
def test_completed_ankles_are_as_near_as_they_were(family: str) -> None:
    drawn = [picture.example(seed, "test", family=family) for seed in range(6)]
    for cut, before in zip(("below the hips", "below the knees"), MEASURED[family], strict=True):
        rows = [measure.guessed(example, cut, complete.complete) for example in drawn]
        assert mean(distance for row in rows for distance in row["ankles"]) <= 1.1 * before + 0.002


def test_the_page_in_the_docs_shows_the_committed_rows() -> None:
    committed = json.loads((catalogue.FOLDER / "completion.json").read_text(encoding="utf-8"))
    figures = Figures(committed["rows"], committed["summary"])
    assert len({(row["family"], row["seed"]) for row in figures.rows}) >= 300
    assert measure.summary(figures.rows) == figures.summary
    page = (DOCS / "completion.md").read_text(encoding="utf-8")
    assert page == completion_page.write(figures)
