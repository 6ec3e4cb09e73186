"""Which of BlazePose's files a plan uses: the best that the pack's ComfyUI has, else the pack's own."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli import fetch
from recompose.cli.ending import Failure
from recompose.cli.plan import find, make
from recompose.cli.plan.photo import opened
from recompose.core.pose import skeleton


def put(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_the_better_network_comes_first_and_the_comfyui_s_before_the_pack_s(tmp_path: Path) -> None:
    comfyui, pack = tmp_path / "comfyui", tmp_path / "pack"
    put(pack, fetch.DETECTOR, fetch.FULL)
    assert find.networks([comfyui, pack]) == (pack / fetch.DETECTOR, pack / fetch.FULL)
    put(comfyui, fetch.FULL)
    assert find.networks([comfyui, pack]) == (pack / fetch.DETECTOR, comfyui / fetch.FULL)
    put(comfyui, fetch.HEAVY, fetch.DETECTOR)
    assert find.networks([comfyui, pack]) == (comfyui / fetch.DETECTOR, comfyui / fetch.HEAVY)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=rf"Expected BlazePose's {fetch.DETECTOR} in .*, got none"):
        find.networks([tmp_path])
    put(tmp_path, fetch.DETECTOR)
    with pytest.raises(Failure, match=r"Expected BlazePose's pose_landmark_lite\.tflite in .*, got none"):
        find.networks([tmp_path])


def test_the_pack_s_folder_is_looked_at_and_the_comfyui_s_where_there_is_one(monkeypatch) -> None:
    assert find.folders()[-1] == fetch.OWN
    monkeypatch.setattr(fetch, "place", lambda to: Path("/comfy/models/blazepose"))
    assert find.folders() == [Path("/comfy/models/blazepose"), fetch.OWN]


def test_the_astronaut_is_found_and_her_legs_are_guesses() -> None:
    overlay = os.environ.get("RECOMPOSE_OVERLAY_CONTROLNET_AUX")
    assert overlay, "RECOMPOSE_OVERLAY_CONTROLNET_AUX must name the folder that holds scikit-image."
    picture = opened(Path(overlay) / "skimage" / "data" / "astronaut.png")
    # Her legs are outside the picture, and the points of her face and shoulders lie where one sees them.
    frame = find.people(picture)
    (person,) = frame.people
    assert frame.size == picture.size
    seen = {
        skeleton.NOSE: (224, 124),
        skeleton.R_EYE: (210, 97),
        skeleton.L_EYE: (249, 105),
        skeleton.R_SHOULDER: (107, 245),
        skeleton.L_SHOULDER: (298, 245),
    }
    for point, at in seen.items():
        assert person.present[point] and not person.estimated[point]
        assert np.hypot(*(person.points[point] - at)) < 25
    legs = [skeleton.L_KNEE, skeleton.R_KNEE, skeleton.L_ANKLE, skeleton.R_ANKLE]
    assert not person.measured[legs].any()
    plan = make.plan(frame)
    assert plan.why is None and plan.padding[:3] == (0, 0, 0)
    assert 400 < plan.padding.bottom < 620
    assert plan.frame.people[0].present[legs].all() and plan.frame.people[0].estimated[legs].all()


def test_nobody_is_found_where_nobody_is() -> None:
    assert find.people(Image.new("RGB", (320, 200), (90, 120, 60))).people == ()


def test_a_damaged_file_is_told(monkeypatch, tmp_path: Path) -> None:
    put(tmp_path, fetch.DETECTOR, fetch.FULL)
    monkeypatch.setattr(find, "folders", lambda: [tmp_path])
    with pytest.raises(Failure, match="BlazePose's files cannot be used: "):
        find.people(Image.new("RGB", (32, 32)))
