"""The lab's demo: the toy models in the committed workflow, and what is missing for them."""

from __future__ import annotations

import sys
from pathlib import Path

from recompose.cli import demo
from recompose.cli.comfy import workflow
from recompose.lab.commands import demo as command
from recompose.lab.setup import models
from recompose.lab.setup.environment import Environment
from recompose.lab.toy import prompt as toy


def test_a_missing_part_of_the_models_is_named(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(models.assembled, "__defaults__", (tmp_path / "no weights",))
    environment = Environment(Path(sys.executable), Path(), tmp_path / "cache")
    assert command.main(["--out", str(tmp_path / "out")], environment) == 2
    assert "is missing" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["demo-models.lock"]


def test_without_a_pose_the_toy_detector_looks_at_the_photo() -> None:
    composed = toy.compose(demo.parser().parse_args([]), None)
    pose = composed[workflow.find(composed, "Pose")]
    assert pose["class_type"] == "RecomposeDetectPose"
    assert pose["inputs"]["detector"] == "keypoint model"
    assert pose["inputs"]["detector.model"] == "recompose_demo_detector.safetensors"


def test_the_private_server_gets_the_small_models_at_their_size() -> None:
    options = demo.parser().parse_args(["--checkpoint", "other.safetensors"])
    composed = toy.compose(options, "[]")
    values = {workflow.title(composed, key): node["inputs"] for key, node in composed.items()}
    assert values["Checkpoint"]["ckpt_name"] == "other.safetensors"
    assert values["ControlNet"]["control_net_name"] == "recompose_demo_openpose.safetensors"
    assert values["Caption"]["model"] == "recompose_demo"
    assert (values["Crop to Region"]["width"], values["Crop to Region"]["height"]) == (128, 192)
