"""Which of BlazePose's files a plan uses: the best that the pack's ComfyUI has, else the pack's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from recompose.cli import fetch
from recompose.cli.ending import Failure
from recompose.cli.plan import find


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
