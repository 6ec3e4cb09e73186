"""Concepts trained outside of a server: by the command, and in two processes."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.lab.setup.environment import cache_folder
from recompose.lab.setup.models import assembled
from recompose.lab.toy import world
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[3]
# The command in a process that knows the demo's small sizes, as its model pack in ComfyUI does.
SCRIPT = """
import sys
from types import ModuleType
alias = ModuleType("recompose"); alias.__path__ = [{root!r}]; sys.modules["recompose"] = alias
from recompose.cli import train
options = train.parser().parse_args(sys.argv[1:])
train.make_importable(train.comfyui(None))
from recompose.bridge.training import alone
alone.prepare()
import comfy.supported_models
from recompose.lab.toy.model_pack.registration import DemoSD15
comfy.supported_models.models.append(DemoSD15)
from recompose.cli import ending
from recompose.cli.training import concept
sys.exit(ending.status_of("train", lambda: print(concept.train(options))))
"""


@pytest.fixture(scope="module")
def checkpoint() -> Path:
    return assembled(cache_folder()) / "checkpoints" / "recompose_demo.safetensors"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(4):
        Image.fromarray(world.closer(seed, "test").image).save(folder / f"{seed}.png")
    return folder


def options(checkpoint: Path, pictures: Path, out: Path, *more: str) -> list[str]:
    return [
        "concept", "--checkpoint", str(checkpoint), "--pictures", str(pictures), "--out", str(out),
        "--class-word", "ball", "--size", "128", "--batch-size", "2", "--steps", "4", "--save-every", "2",
        "--learning-rate", "0.001", "--prior-pictures", "0", *more,
    ]  # fmt: skip


def started(arguments: list[str], **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(root=str(ROOT)), *arguments],
        env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen) -> tuple[int, list[str], str]:
    """The exit status, the lines of steps, and what went wrong."""
    out, err = process.communicate(timeout=600)
    return process.returncode, [line for line in out.splitlines() if line.startswith("step ")], err


def test_the_command_trains_and_writes_a_concept(checkpoint: Path, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "ball.safetensors"
    status, lines, err = ended(started(options(checkpoint, pictures, out)))
    assert status == 0, err
    assert lines[-1].startswith("step 4 of 4, loss ")
    held = load_file(out)
    assert held["token.<new1>.clip_l"].shape == (64,) and any(name.endswith("to_k.weight") for name in held)
    again, lines, _ = ended(started(options(checkpoint, pictures, out)))
    assert again == 0 and lines == []  # its state says that it is finished


def test_full_memory_is_one_sentence_that_names_the_options(
    checkpoint: Path, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ball.safetensors"
    status, _, err = ended(started(options(checkpoint, pictures, out, "--size", str(2**28))))
    assert status == 2 and "lower --batch-size or --size" in err.splitlines()[-1], err
    assert "Traceback" not in err and not out.exists()


def test_two_processes_have_the_losses_of_one(checkpoint: Path, pictures: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.safetensors"
    status, lines, err = ended(started(options(checkpoint, pictures, alone, "--batch-size", "4")))
    assert status == 0, err
    both = tmp_path / "both.safetensors"
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    arguments = options(checkpoint, pictures, both, "--batch-size", "4")
    found = [
        ended(each)
        for each in [started(arguments, RANK=str(rank), LOCAL_RANK=str(rank), **shared) for rank in (0, 1)]
    ]
    assert [each[0] for each in found] == [0, 0], found
    first, second = found[0][1], found[1][1]
    assert second == [] and [number(line) for line in first] == pytest.approx(
        [number(line) for line in lines], rel=1e-4
    )
    one, two = load_file(alone), load_file(both)
    assert all(torch.allclose(one[name], two[name], atol=1e-4) for name in one)


def test_a_server_trains_the_same_concept(
    server: Any, comfy: ModuleType, checkpoint: Path, pictures: Path, tmp_path: Path, capsys: Any
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in pictures.glob("*.png"):
        side = int(path.stem) + 1
        Image.fromarray(np.uint8(np.arange(128)[:, None] * np.ones(128) < 128 / side) * 255).resize(
            Image.open(path).size
        ).save(masks / path.name)
        path.with_suffix(".txt").write_text(f"photo of a <new1> ball\nnumber {path.stem}", encoding="utf-8")
    here, there = tmp_path / "here.safetensors", tmp_path / "new folder" / "there.safetensors"
    status, _, err = ended(started(options(checkpoint, pictures, here, "--masks", str(masks))))
    assert status == 0, err
    command = importlib.import_module("recompose.cli.train")
    arguments = options(Path(checkpoint.name), pictures, there, "--masks", str(masks), "--server", server.url)
    assert command.main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(there)
    one, two = load_file(here), load_file(there)
    assert one.keys() == two.keys() and all(torch.allclose(one[name], two[name], atol=1e-4) for name in one)
    moved = load_file(checkpoint)
    name = next(name for name in one if name.endswith("to_k.weight"))
    base = moved[name.replace("unet.", "model.diffusion_model.", 1)]
    assert not torch.allclose(two[name].float(), base.float(), atol=1e-4)


def number(line: str) -> float:
    return float(line.rpartition(" ")[2])


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"--checkpoint": "gone.safetensors"}, "got no file gone.safetensors"),
        ({"--out": "ball.bin"}, "ends in .safetensors"),
        ({"--pictures": "nowhere", "--server": "127.0.0.1:1"}, "Expected pictures in nowhere"),
        ({"--steps": "0"}, "--steps of at least 1, got 0"),
        ({"--learning-rate": "0"}, "learning rate above 0"),
        ({"--comfyui": "nowhere"}, "no comfy/sd.py there"),
    ],
)
def test_wrong_options_are_one_sentence(
    comfy: ModuleType,
    checkpoint: Path,
    pictures: Path,
    tmp_path: Path,
    capsys: Any,
    change: dict[str, str],
    why: str,
) -> None:
    command = importlib.import_module("recompose.cli.train")
    arguments = options(checkpoint, pictures, tmp_path / "x.safetensors")
    for name, value in change.items():
        arguments += [name, value]
    assert command.main(arguments) == 2
    assert why in capsys.readouterr().err
