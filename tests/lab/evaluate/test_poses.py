"""PCK and OKS of poses whose answer is known by hand."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.core.pose import skeleton
from recompose.core.pose.person import Person, from_rows
from recompose.lab.evaluate.folders import poses
from recompose.lab.evaluate.rows import pck
from recompose.lab.toy import world
from recompose.tests.lab.evaluate.conftest import Call, noise, save


def standing(x: float = 0, y: float = 0) -> Person:
    """Nose, shoulders, hips and ankles in a box of 40 × 100 px."""
    at = {
        skeleton.NOSE: (20, 0),
        skeleton.NECK: (20, 15),
        skeleton.R_SHOULDER: (0, 20),
        skeleton.L_SHOULDER: (40, 20),
        skeleton.R_HIP: (10, 60),
        skeleton.L_HIP: (30, 60),
        skeleton.R_ANKLE: (10, 100),
        skeleton.L_ANKLE: (30, 100),
    }
    rows = np.zeros((24, 3))
    for point, (across, down) in at.items():
        rows[point] = across + x, down + y, 1
    return from_rows(rows)


def changed(person: Person, point: int, move: tuple[float, float] | None) -> Person:
    """The person with one point moved, or gone."""
    rows = person.rows.copy()
    rows[point] = 0 if move is None else rows[point] + (*move, 0)
    return from_rows(rows)


def test_the_same_pose_is_right_and_a_point_that_is_gone_is_wrong() -> None:
    person = standing()
    assert poses.oks(person, person) == 1
    assert poses.oks(changed(person, skeleton.NOSE, None), person) == pytest.approx(6 / 7)
    # COCO knows no neck.
    assert poses.oks(changed(person, skeleton.NECK, None), person) == 1
    assert poses.oks(person, changed(person, skeleton.NOSE, None)) == 1


def test_oks_falls_with_the_distance_in_the_points_own_sigma() -> None:
    person, area = standing(), 0.53 * 40 * 100
    for point, sigma in ((skeleton.NOSE, 0.026), (skeleton.R_HIP, 0.107), (skeleton.L_ANKLE, 0.089)):
        near = math.exp(-25 / (2 * area * (2 * sigma) ** 2))
        assert poses.oks(changed(person, point, (3, -4)), person) == pytest.approx((6 + near) / 7)


def test_everybody_is_compared_with_their_own_counterpart() -> None:
    left, right = standing(), standing(200)
    found = poses.measured([changed(right, skeleton.NOSE, (0, 6)), left], [left, right])
    assert found
    assert found["OKS"][0] == 1 > found["OKS"][1] > 6 / 7
    # The box is 100 px high: 6 px are 6 % of it.
    assert pck(found["distances"], 0.05) == 15 / 16
    assert pck(found["distances"], 0.1) == 1
    assert (found["people wanted"], found["people found"]) == (2, 2)


def test_one_found_person_stands_for_one_wanted_person() -> None:
    found = poses.measured([standing()], [standing(), standing(5)])
    assert found
    assert found["OKS"] == [1, 0]
    assert pck(found["distances"], 0.1) == 8 / 16
    nobody = poses.measured([], [standing()])
    assert nobody
    assert nobody["OKS"] == [0]
    assert nobody["distances"] == [[None] * 8]
    assert poses.measured([standing()], []) is None


def test_a_guessed_point_counts_as_not_found_where_it_was_detected_and_as_wanted_where_it_was_wanted() -> (
    None
):
    marks = np.zeros(24, bool)
    marks[skeleton.R_ANKLE] = True
    guessed = from_rows(standing().rows, marks)
    assert poses.oks(guessed, standing()) == pytest.approx(6 / 7)
    assert poses.oks(standing(), guessed) == 1


def written(person: Person, path: Path, width: int, height: int) -> None:
    record = {"people": [{"pose_keypoints_2d": person.rows[:18].ravel().tolist()}]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record | {"canvas_width": width, "canvas_height": height}))


def test_files_of_both_poses_need_no_detector(tmp_path: Path, call: Call) -> None:
    save(noise(0, 240, 160), tmp_path / "real/a.png")
    save(noise(1, 120, 80), tmp_path / "made/a.png")  # poses are of any size of the picture
    written(standing(20, 10), tmp_path / "poses/a.json", 160, 240)
    half = from_rows(standing(20, 10).rows * (0.5, 0.5, 1))
    written(changed(half, skeleton.NOSE, (0, 4)), tmp_path / "found/a.json", 80, 120)
    said = call("--poses", "poses", "--made-poses", "found", "--metrics", "pck", "oks")
    assert said.status == 0, said.errors
    assert said.value("PCK@0.05") == pytest.approx(7 / 8, abs=1e-4)
    assert said.value("PCK@0.1") == 1
    assert 6 / 7 < said.value("OKS") < 1
    assert said.json["notes"] == ["Poses: 1 people wanted, 1 found in the made pictures."]
    assert said.json["settings"]["detector"] == "files"


def test_blazepose_finds_the_pose_of_a_photo(tmp_path: Path, call: Call) -> None:
    overlay = os.environ.get("RECOMPOSE_OVERLAY_CONTROLNET_AUX")
    assert overlay, "RECOMPOSE_OVERLAY_CONTROLNET_AUX must name the folder that holds scikit-image."
    with Image.open(Path(overlay) / "skimage" / "data" / "astronaut.png") as file:
        photo = np.asarray(file.convert("RGB"))
    (person,) = poses.finder("BlazePose")(photo)
    written(from_rows(np.column_stack([person.points, person.measured])), tmp_path / "poses/a.json", 512, 512)
    save(photo, tmp_path / "made/a.png")
    save(photo, tmp_path / "real/a.png")
    said = call("--poses", "poses", "--metrics", "pck")
    assert said.status == 0, said.errors
    assert said.value("PCK@0.05") == 1


def test_the_evaluator_finds_the_pose_of_a_drawn_picture(tmp_path: Path, call: Call) -> None:
    drawn = world.example(3, "test")
    height, width = drawn.image.shape[:2]
    written(from_rows(world.points_of(drawn)), tmp_path / "poses/a.json", width, height)
    for folder in ("made", "real"):
        save(drawn.image, tmp_path / folder / "a.png")
    said = call("--poses", "poses", "--metrics", "pck", "--detector", "evaluator")
    assert said.value("PCK@0.1") >= 0.9
