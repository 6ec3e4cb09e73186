"""The main job's measures where the answer is known: true pictures, planted steps, planted displacements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from recompose.core.canvas.seam import lab
from recompose.lab.evaluate.main_job import calibration, cases, completion, metrics
from recompose.lab.evaluate.rows import pck
from recompose.lab.toy.tensors import stacked


@dataclass
class Told:
    """What an evaluator would say."""

    points: np.ndarray
    feet: int


@pytest.fixture(scope="module")
def some() -> list[cases.Case]:
    return [cases.case(seed) for seed in range(12)]


def plan(case: cases.Case, method: str = "c", left: int = 0) -> dict:
    """As if the canvas were the true picture, `left` columns wider, and the completed pose the true one."""
    height, width = case.whole.image.shape[:2]
    region = {"x": left, "y": 0, "width": width, "height": case.cropped.image.shape[0]}
    region |= {"canvas_width": width + left, "canvas_height": height}
    pose = [
        {"people": [dict(case.whole.pose[0]["people"][0])], "canvas_width": width, "canvas_height": height}
    ]
    return {"method": method, "region": region, "pose": pose, "caption": "", "seconds": 1.0}


def told(case: cases.Case, moved: tuple[float, float] = (0, 0), score: float = 1.0, left: int = 0) -> Told:
    points = np.zeros((24, 3))
    points[list(metrics.ANKLES)] = case.ankles + np.array([left + moved[0], moved[1], score - 1])
    return Told(points, case.feet)


def test_the_cases_are_the_test_parts_first_hundred() -> None:
    assert cases.PART == "test" and list(cases.SEEDS) == list(range(100))


def test_a_case_is_cut_between_hip_and_ankle_and_the_same_again(some) -> None:
    for case in some:
        points = case.whole.drawing.points
        row = case.cropped.image.shape[0]
        assert min(points[f"{side} hip"][1] for side in ("left", "right")) - 1 <= row
        assert row <= case.ankles[:, 1].min() + 1
        assert 0 <= case.share <= 1
        assert (cases.case(case.seed).cropped.image == case.cropped.image).all()


def test_the_length_is_the_persons_box_and_a_standing_person_shows_two_feet() -> None:
    standing = next(case for case in map(cases.case, range(50)) if case.whole.family == "arms up")
    rows = np.nonzero(standing.whole.masks["person"])[0]
    assert standing.length == rows.max() - rows.min() + 1
    assert standing.feet == 2


def test_the_true_picture_has_no_step_more_than_itself(some) -> None:
    for case in some:
        region = plan(case)["region"]
        assert metrics.step_excess(case.whole.image, case.whole.image, region) == 0


def test_a_planted_step_is_the_step_more_even_on_a_wider_and_lower_canvas(some) -> None:
    grey = np.full((120, 80, 3), 128, np.uint8)
    stepped = calibration.planted_step(grey, 70)
    made = np.pad(stepped, ((0, 30), (8, 8), (0, 0)), mode="edge")
    region = {"x": 8, "y": 0, "width": 80, "height": 70, "canvas_width": 96, "canvas_height": 150}
    assert metrics.step_excess(made, grey, region) == pytest.approx(5, abs=0.25)


@pytest.mark.parametrize("difference", [2.0, 5.0])
def test_the_planted_step_is_as_large_as_it_says(difference: float) -> None:
    ramp = np.linspace(60, 250, 64).astype(np.uint8)[None, :, None].repeat(20, 0).repeat(3, 2)
    ramp[..., 2] //= 2
    planted = calibration.planted_step(ramp, 8, difference)
    before, after = (lab(stacked([picture]).permute(0, 2, 3, 1)) for picture in (ramp, planted))
    away = (before - after).norm(dim=-1)[0]
    assert (planted[:8] == ramp[:8]).all()
    assert float(away[8:].mean()) == pytest.approx(difference, abs=0.15)


def test_the_seam_ratio_is_one_on_uncut_pictures_and_sees_a_planted_step(some) -> None:
    found = calibration.calibrate(some)
    assert 0.5 < np.median(found.uncut) < 1.25
    assert min(found.planted) > 1.5
    assert found.holds
    assert not calibration.Calibration(found.uncut, found.uncut).holds
    assert not calibration.Calibration(found.planted, found.planted).holds


@pytest.mark.parametrize(
    ("away", "score", "near_05", "near_10"),
    [(0.0, 1.0, 1, 1), (0.04, 1.0, 1, 1), (0.06, 1.0, 0, 1), (0.11, 1.0, 0, 0), (0.0, 0.49, 0, 0)],
    ids=["there", "inside 0.05", "inside 0.1", "outside", "not seen"],
)
def test_planted_displacements_of_the_ankles(some, away, score, near_05, near_10) -> None:
    case = some[1]
    found = told(case, (0.6 * away * case.length, 0.8 * away * case.length), score)
    row = metrics.evaluated(case, plan(case), found)
    for key in ("to_completed", "to_true"):
        assert pck([row[key]], 0.05) == near_05
        assert pck([row[key]], 0.10) == near_10


def test_one_ankle_off_is_half_and_left_is_not_right(some) -> None:
    case = some[1]
    found = told(case)
    found.points[metrics.ANKLES[1], 0] += 0.2 * case.length
    assert pck([metrics.evaluated(case, plan(case), found)["to_true"]], 0.1) == 0.5
    swapped = told(case)
    swapped.points[list(metrics.ANKLES)] = swapped.points[list(reversed(metrics.ANKLES))]
    apart = np.linalg.norm(case.ankles[0] - case.ankles[1]) / case.length
    assert pck([metrics.evaluated(case, plan(case), swapped)["to_true"]], 0.05) == (apart <= 0.05)


def test_the_true_pose_moves_with_the_photo_on_the_canvas(some) -> None:
    case = some[3]
    row = metrics.evaluated(case, plan(case, left=24), told(case, left=24))
    assert row["to_true"] == [0.0, 0.0]
    assert row["true_feet"] == row["feet"] == case.feet


def test_the_judge_on_the_true_picture_itself(some) -> None:
    case = some[4]
    right = metrics.evaluated_truth(case, told(case))
    assert right == {"seed": 4, "feet": case.feet, "true_feet": case.feet, "to_true": [0.0, 0.0]}


def test_a_row_of_the_true_picture_itself(some) -> None:
    case = some[5]
    row = metrics.measured(case, plan(case), case.whole.image, case.cropped.image)
    assert (row["seed"], row["method"], row["family"]) == (5, "c", case.whole.family)
    assert row["changed_pixels"] == 0 and row["step_excess"] == 0
    assert row["completed_to_true"] == [0.0, 0.0]
    spoilt = case.whole.image.copy()
    spoilt[3, 4:9, 1] ^= 1
    assert metrics.measured(case, plan(case), spoilt, case.cropped.image)["changed_pixels"] == 5


def test_completed_legs_are_told_by_where_the_frame_cuts(some) -> None:
    found = [completion.completed(case) for case in some]
    assert {one.band for one in found} <= set(completion.BANDS)
    pictures, error, near = completion.summary(found)
    assert pictures == 12 and 0 < error < 0.5 and 0 < near <= 1
    known = completion.Completed("standing", 0.99, [0.02, 0.14])
    assert known.band == "shins"
    assert completion.summary([known]) == (1, pytest.approx(0.08), 0.5)
    assert completion.summary([]) is None
