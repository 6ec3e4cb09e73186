"""A real photograph through the whole main job: however it is cut, no pixel of it changes."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.tests.in_comfyui import main_job

POSE = Path(__file__).resolve().parent.parent / "data" / "astronaut_pose.json"
# left, top, right, bottom in the photograph of 512 x 512.
CROPS = {
    "whole": (0, 0, 512, 512),
    "odd": (13, 7, 476, 492),
    "portrait, neither side a multiple of 8": (60, 30, 371, 505),
    "landscape": (0, 61, 512, 390),
    "tight around the head and shoulders": (81, 22, 338, 301),
}


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """The photograph (Eileen Collins, NASA) out of scikit-image's wheel."""
    overlay = os.environ.get("RECOMPOSE_OVERLAY_CONTROLNET_AUX")
    assert overlay, "RECOMPOSE_OVERLAY_CONTROLNET_AUX must name the folder that holds scikit-image."
    with Image.open(Path(overlay) / "skimage" / "data" / "astronaut.png") as image:
        return np.array(image.convert("RGB"))


def cut_pose(box: tuple[int, int, int, int]) -> dict:
    """The hand-made pose as it lies on a crop; points the crop leaves out are not seen."""
    pose = copy.deepcopy(json.loads(POSE.read_text()))
    left, top, right, bottom = box
    pose["canvas_width"], pose["canvas_height"] = right - left, bottom - top
    flat = pose["people"][0]["pose_keypoints_2d"]
    for index in range(0, len(flat), 3):
        x, y, score = flat[index : index + 3]
        seen = score > 0 and left <= x < right and top <= y < bottom
        flat[index : index + 3] = (x - left, y - top, score) if seen else (0, 0, 0)
    return pose


@pytest.mark.parametrize("box", CROPS.values(), ids=CROPS)
def test_the_astronaut_gets_legs_and_keeps_every_pixel(box: tuple, astronaut: np.ndarray, server) -> None:
    left, top, right, bottom = box
    photo = np.ascontiguousarray(astronaut[top:bottom, left:right])
    # Head and shoulders alone need more new canvas than the default max_extension allows.
    more = {"Complete Pose.max_extension": 5.0, "Extend Canvas.mode.max_extension": 5.0}
    prompt = main_job.prompt("astronaut.png", cut_pose(box), **more)
    done = main_job.run(server, prompt, main_job.png(photo))
    assert main_job.changed(photo, done) == 0
    # The chin is at 180, and a standing person is at least six heads tall.
    assert done.region["canvas_height"] >= 800 - top
    assert done.executed.count("KSampler") == 2
    assert done.reports["Complete Pose"]["estimated"] >= 12
    assert np.ptp(main_job.added(done).astype(int), axis=0).min() > 0
    assert 0 <= done.reports["Stitch Back"]["seam_ratio"] < 100


def test_max_extension_stops_a_pose_that_needs_too_much(astronaut: np.ndarray, server) -> None:
    left, top, right, bottom = box = CROPS["tight around the head and shoulders"]
    (server.input_dir / "astronaut.png").write_bytes(main_job.png(astronaut[top:bottom, left:right]))
    outcome = server.run(main_job.prompt("astronaut.png", cut_pose(box)))
    assert not outcome.succeeded
    assert "max_extension" in outcome.error["exception_message"]
