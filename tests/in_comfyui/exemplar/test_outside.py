"""Exemplar models trained outside of a server: from every kind of boxes, and in two processes."""

from __future__ import annotations

import importlib
import json
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
from recompose.tests.in_comfyui.concepts.test_outside import free_port, number
from recompose.tests.in_comfyui.exemplar.conftest import Published, layouts_of
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[3]
# The command in a process that knows the demo's small sizes, as its model pack in ComfyUI does.
SCRIPT = """
import sys
from types import ModuleType
alias = ModuleType("recompose"); alias.__path__ = [{root!r}]; sys.modules["recompose"] = alias
from recompose.cli import here, main
here.make_importable(here.comfyui(None))
from recompose.bridge.training import alone
alone.prepare()
import comfy.supported_models
from recompose.lab.toy.model_pack.registration import DemoSD15
comfy.supported_models.models.append(DemoSD15)
sys.exit(main.main(["train", "exemplar", *sys.argv[1:]]))
"""
KIND, WIDTH = "ball", 64


@pytest.fixture(scope="module")
def checkpoint(published: Published) -> Path:
    return published.folder.parents[1] / "checkpoints" / layouts_of(published)["original"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Drawn pictures of a ball, and where it is in each way that the command reads."""
    folder, masks, labels = (tmp_path / name for name in ("pictures", "masks", "labels"))
    for each in (folder, masks, labels):
        each.mkdir()
    images, annotations = [], []
    for seed in range(3):
        drawn = world.closer(seed, "train", things=((KIND, "red"),), person=False)
        mask = drawn.masks[KIND]
        Image.fromarray(drawn.image).save(folder / f"{seed}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(masks / f"{seed}.png")
        rows, columns = np.nonzero(mask)
        left, top = int(columns.min()), int(rows.min())
        width, height = int(columns.max()) + 1 - left, int(rows.max()) + 1 - top
        images.append({"id": seed, "file_name": f"{seed}.png"})
        annotations.append({"image_id": seed, "bbox": [left, top, width, height]})
        whole, high = drawn.image.shape[1], drawn.image.shape[0]
        share = [(left + width / 2) / whole, (top + height / 2) / high, width / whole, height / high]
        (labels / f"{seed}.txt").write_text("0 " + " ".join(f"{each:.12f}" for each in share))
    held = {"images": images, "annotations": annotations}
    (tmp_path / "instances.json").write_text(json.dumps(held))
    return folder


def options(checkpoint: Path, pictures: Path, boxes: str, out: Path, *more: str) -> list[str]:
    return [
        "--checkpoint", str(checkpoint), "--pictures", str(pictures), "--boxes",
        str(pictures.parent / boxes), "--out", str(out), "--size", "64", "--batch-size", "2", "--steps", "4",
        "--save-every", "2", "--learning-rate", "0.001", "--warmup", "1", "--views", "2", *more,
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


def test_every_kind_of_boxes_trains_the_same_model(checkpoint: Path, pictures: Path, tmp_path: Path) -> None:
    found = {}
    for boxes in ("instances.json", "labels", "masks"):
        out = tmp_path / f"{Path(boxes).stem}.safetensors"
        status, lines, err = ended(started(options(checkpoint, pictures, boxes, out)))
        assert status == 0, err
        assert lines[-1].startswith("step 4 of 4, loss ")
        found[boxes] = load_file(out)
    first, base = found.pop("instances.json"), load_file(checkpoint)
    for other in found.values():
        assert all(torch.allclose(first[name], value, atol=1e-3) for name, value in other.items())
    name = "model.diffusion_model.out.2.weight"
    assert not torch.allclose(first[name], base[name], atol=1e-4)
    assert first["learnable_vector"].shape == base["learnable_vector"].shape
    again, lines, _ = ended(started(options(checkpoint, pictures, "masks", tmp_path / "masks.safetensors")))
    assert again == 0 and lines == []  # its state says that it is finished


def vision(folder: Path) -> Path:
    """A small CLIP vision file."""
    clip = importlib.import_module("comfy.clip_model")
    config = {
        "model_type": "clip_vision_model", "hidden_size": WIDTH, "num_hidden_layers": 2,
        "num_attention_heads": 1, "intermediate_size": 64, "hidden_act": "quick_gelu", "image_size": 32,
        "patch_size": 8, "num_channels": 3,
    }  # fmt: skip
    ops = importlib.import_module("comfy.ops").manual_cast
    made = clip.CLIPVisionModelProjection(config, torch.float32, torch.device("cpu"), ops)
    torch.manual_seed(1)
    weights = {name: 0.1 * torch.randn(value.shape) for name, value in made.state_dict().items()}
    save_file(weights, folder / "vision.safetensors")
    return folder / "vision.safetensors"


def test_two_processes_make_an_exemplar_model_of_a_plain_one_as_one_does(
    comfy: ModuleType, pictures: Path, tmp_path: Path, load: ModuleType, models: Path
) -> None:
    plain = assembled(cache_folder()) / "checkpoints" / "recompose_demo.safetensors"
    more = ("--vision", str(vision(tmp_path)), "--batch-size", "4")
    alone, both = tmp_path / "alone.safetensors", models / "exemplar" / "both.safetensors"
    status, lines, err = ended(started(options(plain, pictures, "masks", alone, *more)))
    assert status == 0, err
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    arguments = options(plain, pictures, "masks", both, *more)
    found = [
        ended(each)
        for each in [started(arguments, RANK=str(rank), LOCAL_RANK=str(rank), **shared) for rank in (0, 1)]
    ]
    assert [each[0] for each in found] == [0, 0], found
    first, second = found[0][1], found[1][1]
    true = [number(line) for line in lines]
    assert second == [] and [number(line) for line in first] == pytest.approx(true, rel=1e-4)
    one, two = load_file(alone), load_file(both)
    assert all(torch.allclose(one[name].float(), two[name].float(), atol=2e-3) for name in one)
    model, _, encoder = load.load_exemplar(both.name)
    assert model.model.model_type.name == "V_PREDICTION" and encoder.null.shape == (1, 1, 64)
    assert model.model.model_config.unet_config["num_heads"] == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"--checkpoint": "gone.safetensors"}, "Expected --checkpoint, got no file gone.safetensors"),
        ({"--vision": "gone.safetensors"}, "Expected --vision, got no file gone.safetensors"),
        ({"--boxes": "gone.json"}, "Expected --boxes, got no file gone.json"),
        ({"--pictures": "nowhere"}, "Expected a folder of pictures, got no folder nowhere"),
        ({"--out": "model.ckpt"}, "ends in .safetensors"),
        ({"--views": "0"}, "Expected --views of at least 1, got 0"),
        ({"--learning-rate": "0"}, "learning rate above 0"),
        ({"--size": "100"}, "size must be a multiple of 64, got 100"),
        ({"--comfyui": "nowhere"}, "no comfy/sd.py there"),
    ],
)
def test_wrong_options_are_one_sentence(
    comfy: ModuleType, checkpoint: Path, pictures: Path, tmp_path: Path, capsys: Any, change: dict, why: str
) -> None:
    command = importlib.import_module("recompose.cli.train")
    arguments = options(checkpoint, pictures, "masks", tmp_path / "x.safetensors")
    for name, value in change.items():
        arguments += [name, value]
    assert command.main(["exemplar", *arguments]) == 2
    assert why in capsys.readouterr().err
