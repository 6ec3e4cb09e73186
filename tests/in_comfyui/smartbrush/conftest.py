"""A small SmartBrush model with random weights, made from a small model of Stable Diffusion 1."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor

ROWS, COLUMNS = 12, 16  # cells
CELL = 8


@dataclass
class Tiny:
    """The base, the checkpoint that extends it, and what reads and samples it."""

    base: models.World
    weights: dict[str, Tensor]
    files: ModuleType
    load: ModuleType
    sample: ModuleType

    def model(self, weights: dict[str, Tensor] | None = None, prediction: str = "noise") -> Any:
        unet = self.load.below(weights or self.weights, self.files.UNET)
        config = self.load.config_of(unet, "tiny")
        return self.load.model_of(config, unet, "tiny", prediction)

    def sigmas(self, steps: int = 5) -> Tensor:
        return self.base.sigmas(steps)

    def thing(self, cells: Tensor, precision: int, seed: int = 1) -> Any:
        """A thing of random words in cells."""
        mask = cells.repeat_interleave(CELL, -1).repeat_interleave(CELL, -2)
        return self.sample.thing_of(self.base.prompt(seed), mask, precision)

    def run(self, model: Any, things: list[Any], photo: Tensor, **more: Any) -> tuple[dict, Tensor]:
        sampler = importlib.import_module("comfy.samplers").sampler_object(more.get("sampler", "euler"))
        rules = more.get("rules", self.sample.Rules())
        given = {f"object{number}": thing for number, thing in enumerate(things)}
        with torch.inference_mode():
            return self.sample.sample(
                model, given, self.base.prompt(2), {"samples": photo}, sampler,
                more.get("sigmas", self.sigmas()), more.get("cfg", 3.0), 5, rules,
            )  # fmt: skip


@pytest.fixture(scope="module")
def tiny(comfy: ModuleType) -> Tiny:
    base = models.unet()
    files = importlib.import_module("recompose.bridge.smartbrush.files")
    held = base.model.model.diffusion_model.state_dict()
    weights = files.extended({files.UNET + name: value for name, value in held.items()})
    load = importlib.import_module("recompose.bridge.smartbrush.load")
    return Tiny(base, weights, files, load, importlib.import_module("recompose.bridge.smartbrush.sample"))


@pytest.fixture(scope="module")
def trained(tiny: Tiny) -> Any:
    """A model whose further weights are not zero."""
    files, random = tiny.files, torch.Generator().manual_seed(3)
    weights = dict(tiny.weights)
    for name in (files.FIRST, files.LAST, files.PRECISION, files.LAST.replace("weight", "bias")):
        weights[name] = weights[name] + 0.2 * torch.randn(weights[name].shape, generator=random)
    return tiny.model(weights)


@pytest.fixture
def photo() -> Tensor:
    return torch.randn(1, 4, ROWS, COLUMNS, generator=torch.Generator().manual_seed(9))


def cells(left: int, right: int, top: int = 3, bottom: int = 9) -> Tensor:
    """A box of cells as a mask of cells."""
    mask = torch.zeros(1, ROWS, COLUMNS)
    mask[:, top:bottom, left:right] = 1
    return mask
