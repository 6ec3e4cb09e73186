"""The lab's demo: the toy models in the committed workflow, and what is missing for them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image
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


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ([], {"detector": "keypoint model", "detector.model": "recompose_demo_detector.safetensors"}),
        (["--image", "mine.jpg"], {"detector": "auto"}),
        (
            ["--image", "mine.jpg", "--detector", "a.pt"],
            {"detector": "keypoint model", "detector.model": "a.pt"},
        ),
    ],
)
def test_the_toy_detector_looks_at_the_demo_s_own_photo_alone(given: list[str], chosen: dict) -> None:
    composed = toy.compose(demo.parser().parse_args(given), None)
    inputs = composed[workflow.find(composed, "Detect Pose")]["inputs"]
    assert {name: value for name, value in inputs.items() if name.startswith("detector")} == chosen


def test_an_own_photo_is_planned_before_a_server_starts(tmp_path, capsys, monkeypatch) -> None:
    nobody = tmp_path / "wall.png"
    Image.new("RGB", (200, 160), (90, 120, 60)).save(nobody)
    monkeypatch.setattr(models, "assembled", lambda cache: pytest.fail("Nothing is to be set up."))
    environment = Environment(Path(sys.executable), Path(), tmp_path / "cache")
    assert command.main(["--image", str(nobody), "--out", str(tmp_path / "out")], environment) == 1
    assert "found nobody; give the person's pose with --pose FILE" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_plan_is_all_where_that_is_asked(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(models, "assembled", lambda cache: pytest.fail("Nothing is to be set up."))
    environment = Environment(Path(sys.executable), Path(), tmp_path / "cache")
    assert command.main(["--plan-only", "--out", str(tmp_path / "out")], environment) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plan.png"]
    assert "Canvas: 128×184" in capsys.readouterr().out


def test_the_private_server_gets_the_small_models_at_their_size() -> None:
    options = demo.parser().parse_args(["--checkpoint", "other.safetensors"])
    composed = toy.compose(options, "[]")
    values = {workflow.title(composed, key): node["inputs"] for key, node in composed.items()}
    assert values["Checkpoint"]["ckpt_name"] == "other.safetensors"
    assert values["ControlNet"]["control_net_name"] == "recompose_demo_openpose.safetensors"
    assert values["Caption"]["model"] == "recompose_demo"
    assert (values["Crop to Region"]["width"], values["Crop to Region"]["height"]) == (128, 192)
