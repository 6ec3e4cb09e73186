"""Load SmartBrush: what a file must be, and what it becomes."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.smartbrush.precision import LEVELS
from recompose.tests.in_comfyui.smartbrush.conftest import Tiny
from safetensors.torch import load_file, save_file

NAME = "brush.safetensors"


@pytest.fixture
def folder(comfy: ModuleType, tmp_path: Path) -> Iterator[Path]:
    """models/smartbrush, empty."""
    paths = importlib.import_module("folder_paths")
    before, root = paths.folder_names_and_paths.pop("smartbrush", None), paths.models_dir
    paths.models_dir = str(tmp_path)
    (tmp_path / "smartbrush").mkdir()
    yield tmp_path / "smartbrush"
    paths.models_dir = root
    paths.folder_names_and_paths.pop("smartbrush", None)
    if before is not None:
        paths.folder_names_and_paths["smartbrush"] = before


@pytest.fixture
def demo_sizes(comfy: ModuleType) -> Iterator[None]:
    """The demo's sizes registered, and taken back afterwards."""
    models = importlib.import_module("comfy.supported_models").models
    before = list(models)
    asyncio.run(importlib.import_module("recompose.lab.toy.model_pack.registration").HostPack().on_load())
    yield
    models[:] = before


def test_a_checkpoint_that_was_extended_gives_model_clip_and_vae(
    tiny: Tiny, folder: Path, demo_sizes: None, tmp_path: Path
) -> None:
    from recompose.lab.setup.models import assembled

    checkpoint = assembled(tmp_path) / "checkpoints" / "recompose_demo.safetensors"
    tiny.files.write(folder / NAME, tiny.files.extended(load_file(checkpoint)), "velocity", steps=0)
    with torch.inference_mode():
        model, clip, vae = tiny.load.load_smartbrush(NAME)
        base, words, _ = importlib.import_module("comfy.sd").load_checkpoint_guess_config(str(checkpoint))[:3]
        text = "a red ball in the snow"
        ours, theirs = (each.encode_from_tokens_scheduled(each.tokenize(text)) for each in (clip, words))
        assert torch.equal(ours[0][0], theirs[0][0])
        x, sigma = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([2.0])
        answers = []
        for patcher in (model, base):
            importlib.import_module("comfy.model_management").load_models_gpu([patcher])
            answers.append(
                patcher.model.apply_model(x, sigma, c_crossattn=ours[0][0], transformer_options={})
            )
        torch.testing.assert_close(*answers, rtol=1e-3, atol=1e-3)
        assert vae.encode(torch.rand(1, 32, 32, 3)).shape == (1, 4, 4, 4)


def test_what_a_model_predicts_is_in_its_file(tiny: Tiny, folder: Path) -> None:
    for prediction, wanted in (("velocity", "V_PREDICTION"), ("noise", "EPS")):
        tiny.files.write(folder / NAME, tiny.weights, prediction, steps=7)
        raw, stated = tiny.files.read(folder / NAME)
        assert stated["steps"] == 7 and len(stated["sigmas"]) == LEVELS - 1
        assert tiny.model(raw, stated["prediction"]).model.model_type.name == wanted


def broken(tiny: Tiny, how: str) -> dict[str, torch.Tensor]:
    """Weights of other files."""
    files, weights = tiny.files, dict(tiny.weights)
    if how == "a checkpoint":
        del weights[files.PRECISION]
        weights[files.FIRST], weights[files.LAST] = weights[files.FIRST][:, :4], weights[files.LAST][:4]
    if how == "an inpaint checkpoint":
        weights[files.FIRST] = torch.cat([weights[files.FIRST], weights[files.FIRST][:, :4]], 1)
    if how == "other levels":
        weights[files.PRECISION] = weights[files.PRECISION][:3]
    if how == "no UNet":
        weights = {"words": torch.ones(2)}
    if how == "NaN":
        weights[files.PRECISION] = weights[files.PRECISION] + float("nan")
    if how == "a part":
        del weights[f"{files.UNET}middle_block.0.in_layers.2.weight"]
    return {name: value.contiguous() for name, value in weights.items()}


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("a checkpoint", "has 4 input and 4 output channels, and a SmartBrush model has 5 of both"),
        ("an inpaint checkpoint", "has 9 input and 5 output channels"),
        ("other levels", "knows 3 precisions, not 6"),
        ("no UNet", "has no UNet of Stable Diffusion 1"),
        ("NaN", "NaN or infinite weights"),
        ("a part", "lacks 1 weights of its network"),
        ("no words", "has no text encoder"),
    ],
)
def test_other_files_are_refused_by_a_sentence(tiny: Tiny, folder: Path, how: str, sentence: str) -> None:
    save_file(broken(tiny, how), folder / NAME)
    with pytest.raises(ValueError, match=sentence):
        tiny.load.load_smartbrush(NAME)


@pytest.mark.parametrize("name", ["none.safetensors", "../brush.safetensors", "a" * 400, "\0"])
def test_a_name_without_a_file_is_refused(tiny: Tiny, folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="neither models/smartbrush nor output/smartbrush has"):
        tiny.load.load_smartbrush(name)


def test_the_files_are_offered(tiny: Tiny, folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / NAME).write_bytes(b"")
    choices: Any = importlib.import_module("recompose.bridge.choices")
    assert f"mine/{NAME}" in choices.smartbrushes()
