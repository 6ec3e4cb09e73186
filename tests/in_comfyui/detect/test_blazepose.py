"""BlazePose in Detect Pose: its files, *auto*, what it marks as a guess, memory, and a running ComfyUI."""

from __future__ import annotations

import gc
import importlib
import json
import os
import shutil
import weakref
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.bridge import pose_record
from recompose.core.pose import skeleton
from recompose.core.pose.blazepose import find
from recompose.tests.in_comfyui import main_job
from recompose.tests.in_comfyui.detect import conftest, test_node

SHIPPED = Path(__file__).parents[3] / "models" / "blazepose"
DETECTOR, FULL, HEAVY = "pose_detection.tflite", "pose_landmark_full.tflite", "pose_landmark_heavy.tflite"
AUTO = {"detector": "auto"}
BLAZEPOSE = {"detector": "BlazePose", "network": "largest", "person_score": 0.45}


@pytest.fixture
def node(comfy: ModuleType) -> type:
    return importlib.import_module("recompose.nodes.detect").DetectPose


@pytest.fixture
def bridge(comfy: ModuleType, models: Path) -> ModuleType:
    """BlazePose's module, nothing in ComfyUI's models folder."""
    return importlib.import_module("recompose.bridge.detectors.blazepose")


@pytest.fixture
def alone(bridge: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The same where the pack brings no files."""
    monkeypatch.setattr(bridge, "SHIPPED", tmp_path / "nothing")
    return bridge


def astronaut() -> torch.Tensor:
    """Scikit-image's photograph (NASA, public domain) of a person cut off at the hips, 1,512,512,3."""
    folder = Path(os.environ["RECOMPOSE_OVERLAY_CONTROLNET_AUX"]) / "skimage" / "data"
    with Image.open(folder / "astronaut.png") as image:
        return torch.from_numpy(np.array(image.convert("RGB")))[None].float() / 255


@pytest.mark.parametrize("choice", [AUTO, BLAZEPOSE], ids=["auto", "BlazePose"])
def test_a_photograph_needs_no_download(choice: dict, node: type, bridge: ModuleType) -> None:
    assert node.validate_inputs(detector=choice) is True
    pose, preview, report = test_node.run(node, choice, torch.cat([astronaut(), astronaut() * 0]))
    assert report == {"people": [1, 0], "notices": ["Detect Pose: nobody was found in picture 2 of 2."]}
    assert preview.shape == (2, 512, 512, 3) and not torch.equal(preview[0], astronaut()[0] / 2)
    right = find.frame(
        astronaut().permute(0, 3, 1, 2), find.open_finder(SHIPPED / DETECTOR, SHIPPED / FULL)
    ).people[0]
    (made,) = pose_record.read(pose)[0].people
    assert np.abs(made.points - right.points).max() < 0.01
    assert (made.present == right.present).all() and (made.estimated == right.estimated).all()
    (record,) = pose[0]["people"]
    assert len(record["recompose"]["confidence"]) == 24
    assert sum(record["recompose"]["estimated"]) >= 6, "the legs below the photograph"
    assert made.measured[[skeleton.NOSE, skeleton.NECK, skeleton.R_SHOULDER, skeleton.R_HIP]].all()


def test_complete_pose_goes_on_from_what_was_seen(node: type, bridge: ModuleType) -> None:
    pose, _, _ = test_node.run(node, AUTO, astronaut())
    complete = importlib.import_module("recompose.nodes.pose").CompletePose
    output = complete.execute(pose=pose, max_extension=2.0, threshold=0.3, legs="standing")
    (person,) = pose_record.read(output.args[0])[0].people
    (seen,) = pose_record.read(pose)[0].people
    assert np.array_equal(person.points[seen.measured], seen.points[seen.measured])
    assert person.present[: skeleton.BODY_POINTS][[9, 10, 12, 13]].all()
    assert person.points[[10, 13], 1].min() > 700, "the ankles are far below the photograph"


def test_a_higher_person_score_finds_nobody(node: type, bridge: ModuleType) -> None:
    report = test_node.run(node, {**BLAZEPOSE, "person_score": 0.95}, astronaut())[2]
    assert report["people"] == [0] and "nobody was found" in report["notices"][0]


def test_the_largest_network_whose_file_is_there_is_taken(
    node: type, bridge: ModuleType, models: Path
) -> None:
    assert bridge.chosen("largest") == "full"
    assert [path.name for path in bridge.files("largest")] == [DETECTOR, FULL]
    before = node.fingerprint_inputs(detector=AUTO)
    (models / "blazepose").mkdir(parents=True)
    shutil.copy(SHIPPED / FULL, models / "blazepose" / HEAVY)
    assert bridge.chosen("largest") == bridge.chosen("heavy") == "heavy"
    assert bridge.files(None)[1] == models / "blazepose" / HEAVY
    assert node.fingerprint_inputs(detector=AUTO) != before
    assert bridge.files("full")[1] == SHIPPED / FULL
    shutil.copy(SHIPPED / FULL, models / "blazepose" / FULL)
    assert bridge.files("full")[1] == models / "blazepose" / FULL, "the user's own file comes first"
    assert test_node.run(node, BLAZEPOSE, astronaut())[2] == {"people": [1]}


def test_a_network_that_is_not_there_is_named_with_the_command_that_brings_it(
    node: type, bridge: ModuleType, models: Path
) -> None:
    choice = {**BLAZEPOSE, "network": "heavy"}
    sentence = node.validate_inputs(detector=choice)
    assert HEAVY in sentence and str(models / "blazepose") in sentence and "\n" not in sentence
    assert "python3 cli models blazepose" in sentence and "choose the network largest" in sentence
    with pytest.raises(ValueError, match=HEAVY):
        test_node.run(node, choice, astronaut())


def test_auto_takes_what_is_there(
    node: type, alone: ModuleType, models: Path, libraries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    detect = importlib.import_module("recompose.bridge.detectors.detect")
    assert detect.automatic() is None
    sentence = node.validate_inputs(detector=AUTO)
    assert DETECTOR in sentence and FULL.replace("full", "lite") in sentence and "cli models" in sentence
    with pytest.raises(ValueError, match="BlazePose needs"):
        test_node.run(node, AUTO, astronaut())
    conftest.put_zeros(models / "openpose")
    assert detect.automatic()["detector"] == "OpenPose"
    assert node.validate_inputs(detector=AUTO) is True
    assert [path.name for path in detect.files(AUTO)] == test_node.FILES["OpenPose"]
    person = test_node.put_person(models / "dwpose")
    assert detect.automatic()["detector"] == "DWPose"
    _pose, _, report = test_node.run(node, AUTO, test_node.image())
    assert report == {"people": [1]} and len(person) == 133
    (models / "blazepose").mkdir()
    for name in (DETECTOR, FULL):
        shutil.copy(SHIPPED / name, models / "blazepose" / name)
    assert detect.automatic()["detector"] == "BlazePose"


@pytest.mark.parametrize("name", [DETECTOR, FULL])
def test_damaged_files_are_named(name: str, node: type, alone: ModuleType, models: Path) -> None:
    (models / "blazepose").mkdir(parents=True)
    for each in (DETECTOR, FULL):
        shutil.copy(SHIPPED / each, models / "blazepose" / each)
    path, other = models / "blazepose" / name, {DETECTOR: FULL, FULL: DETECTOR}[name]
    for damage in (b"", b"<html>", (SHIPPED / name).read_bytes()[:100000], (SHIPPED / other).read_bytes()):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match=name) as raised:
            test_node.run(node, AUTO, astronaut())
        assert "\n" not in str(raised.value)


def test_comfyui_knows_the_networks_while_they_run_and_nothing_holds_them_afterwards(
    node: type, bridge: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    management = importlib.import_module("comfy.model_management")
    load, made = bridge.load, []

    def loaded(network: str | None) -> find.Finder:
        finder = load(network)
        (both,) = [
            entry.model.model.inner
            for entry in management.current_loaded_models
            if isinstance(entry.model.model.inner, torch.nn.ModuleList)
        ]
        made.extend(weakref.ref(each) for each in both)
        weights = [weight for each in both for weight in each.parameters() if weight.ndim == 4]
        assert {weight.dtype for weight in weights} == {torch.float16}
        return finder

    monkeypatch.setattr(bridge, "load", loaded)
    test_node.run(node, BLAZEPOSE, astronaut())
    gc.collect()
    assert len(made) == 2 and [reference() for reference in made] == [None] * 2


def test_it_stops_when_it_is_interrupted(node: type, bridge: ModuleType) -> None:
    management = importlib.import_module("comfy.model_management")
    finder = bridge.load("full")
    management.interrupt_current_processing(True)
    with pytest.raises(management.InterruptProcessingException):
        finder.detector(torch.zeros(1, 224, 224, 3))
    management.interrupt_current_processing(False)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (900, 2), (9, 5)])
def test_tiny_and_narrow_pictures_are_looked_at(size: tuple, node: type, bridge: ModuleType) -> None:
    width, height = size
    pose, preview, _ = test_node.run(node, AUTO, torch.rand(1, height, width, 4))
    assert preview.shape == (1, height, width, 3)
    json.dumps(pose, allow_nan=False)


def test_a_running_comfyui_finds_the_astronaut(server) -> None:
    png = main_job.png((astronaut()[0].numpy() * 255).round().astype(np.uint8))
    for choice in (AUTO, {**BLAZEPOSE, "network": "full"}):
        done = server.run(test_node.prompt(choice, ["a.png"]), {"a.png": png})
        assert done.succeeded, done.error
        assert done.report("detect") == {"people": [1]}
        (person,) = json.loads(done.outputs["text"]["text"][0])[0]["people"]
        assert len(person["pose_keypoints_2d"]) == 54 and sum(person["recompose"]["estimated"]) >= 6
