"""Pictures of a concept's class that the model makes itself."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.concepts.conftest import Loaded
from torch import Tensor

SIDE = 64


class Cells:
    """An autoencoder whose latents are the means of cells."""

    def spacial_compression_encode(self) -> int:
        return 8

    def encode(self, pixels: Tensor) -> Tensor:
        means = torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)
        return torch.cat([means, means[:, :1]], 1)

    def decode(self, latents: Tensor) -> Tensor:
        return latents[:, :3].repeat_interleave(8, 2).repeat_interleave(8, 3).movedim(1, -1)


@pytest.fixture
def output(comfy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    paths = importlib.import_module("folder_paths")
    monkeypatch.setattr(paths, "get_output_directory", lambda: str(tmp_path))
    return tmp_path


def prepared(train: ModuleType, sd1: Loaded, settings: Any, brightness: float) -> None:
    """Prepare a training on a picture of a thing with two pictures of its class."""
    trainer = importlib.import_module("recompose.bridge.concepts.trainer")
    training = train.ConceptTraining(sd1.model, sd1.clip, settings)
    given = trainer.Given([torch.full((1, SIDE, SIDE, 3), brightness)], prior_pictures=2)
    with torch.no_grad():
        trainer.prepared(training, sd1.model, sd1.clip, Cells(), given)


def test_class_pictures_serve_every_thing_of_the_class(
    sd1: Loaded, train: ModuleType, settings: Any, output: Path
) -> None:
    settings = replace(settings, size=SIDE)
    for part in ("keys and values", "cross-attention", "embedding alone"):
        for brightness in (0.2, 0.7):
            prepared(train, sd1, replace(settings, train=part), brightness)
            assert len(list(output.rglob("*.png"))) == 2


def test_class_pictures_are_made_anew_for_another_model_class_or_seed(
    sd1: Loaded, train: ModuleType, settings: Any, output: Path
) -> None:
    settings = replace(settings, size=SIDE, train="embedding alone")
    prepared(train, sd1, settings, 0.2)
    prepared(train, sd1, replace(settings, class_word="dog"), 0.2)
    assert len(list(output.rglob("*.png"))) == 4
    prepared(train, sd1, replace(settings, seed=9), 0.2)
    assert len(list(output.rglob("*.png"))) == 6
    name = next(name for name in sd1.model.model.state_dict() if name.endswith("attn2.to_v.weight"))
    weight = sd1.model.model.state_dict()[name]
    before = weight.clone()
    weight.mul_(1.5)
    try:
        prepared(train, sd1, settings, 0.2)
    finally:
        weight.copy_(before)
    assert len(list(output.rglob("*.png"))) == 8
