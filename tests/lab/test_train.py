"""The training command: what it refuses, and one real, very short run."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from recompose.lab.commands import train_demo
from recompose.lab.setup.environment import Environment
from recompose.lab.toy import table


@pytest.fixture
def environment(comfy: ModuleType, tmp_path: Path) -> Environment:
    return Environment(Path(sys.executable), Path(os.environ["COMFYUI_PATH"]), tmp_path / "cache")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """All trainings on three pictures, two steps each."""
    from recompose.lab.train import task

    for name in table.MODELS:
        config = task.configuration(name)
        config |= {name: 2 for name in ("closer",) if name in config} | {"batch": 2, "steps": 2}
        config |= {"pictures": 3} if "pictures" in config else {}
        (tmp_path / f"{name}.json").write_text(json.dumps(config))
    monkeypatch.setattr(task, "CONFIGS", tmp_path)
    return tmp_path


def test_a_run_writes_the_part_and_tells_the_loss(
    environment: Environment, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["vae", "--weights", str(tmp_path / "weights"), "--threads", "1", "--minutes", "5"]
    assert train_demo.main(arguments, environment) == 0
    assert (tmp_path / "weights" / "vae.safetensors").stat().st_size > 2_445_065  # a byte for each weight
    out, error = capsys.readouterr()
    assert out.startswith("step      1   loss ") and "of 5 min" in out and error == ""
    assert [path.name for path in environment.cache.iterdir()] == ["training"]


def test_slices_go_on_by_the_same_command_and_count_once(
    environment: Environment, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from recompose.lab.toy.models import parts

    weights = tmp_path / "weights"
    arguments = ["text", "--weights", str(weights), "--threads", "1", "--slice", "0.0001"]
    steps = []
    for _ in range(3):
        assert train_demo.main(arguments, environment) == 0
        steps.append(parts.read(weights, "text")[1]["steps"])
    assert steps == ["1", "2", "2"]  # the third finds it finished
    assert "step      2" in capsys.readouterr().out
    assert (environment.cache / "training" / "text.state").is_file()


def test_what_it_builds_on_is_named(
    environment: Environment, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_demo.main(["unet", "--weights", str(tmp_path / "none")], environment) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "text.safetensors is missing" in error
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("arguments", [["critic"], [], ["vae", "--minutes", "soon"]])
def test_unknown_names_and_numbers_are_refused(environment: Environment, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        train_demo.main(arguments, environment)
    assert refused.value.code == 2


def test_no_time_is_no_training(environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_demo.main(["vae", "--minutes", "0"], environment) == 2
    assert "minutes above 0, got 0" in capsys.readouterr().err


def test_a_setting_can_have_another_value(
    environment: Environment, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from recompose.lab.toy.models import parts

    weights = tmp_path / "weights"
    arguments = [
        "vae",
        "--weights",
        str(weights),
        "--threads",
        "1",
        "--set",
        "steps=1",
        "--set",
        "cuda_graphs=false",
    ]
    assert train_demo.main(arguments, environment) == 0
    assert parts.read(weights, "vae")[1]["steps"] == "1"
    capsys.readouterr()
    assert train_demo.main([*arguments, "--set", "speed=3"], environment) == 2
    assert (
        "one of the settings batch, bfloat16, closer," in (error := capsys.readouterr().err)
        and "got speed" in error
    )


@pytest.mark.parametrize("wrong", ["batch", "batch=", "batch=many", 'batch="4"', "batch=[4]"])
def test_a_setting_that_is_no_number_is_refused(
    environment: Environment, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        train_demo.main(["vae", "--set", wrong], environment)
    assert refused.value.code == 2 and "expected NAME=VALUE with a number" in capsys.readouterr().err
