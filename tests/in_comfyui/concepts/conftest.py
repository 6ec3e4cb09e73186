"""A small model with its CLIP, as ComfyUI's loaders give them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import nn

WIDTH = 48
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}


@dataclass
class Loaded:
    """MODEL and CLIP of one checkpoint."""

    world: models.World
    clip: Any

    @property
    def model(self) -> Any:
        return self.world.model


class Target:
    """What comfy.sd.CLIP is made from."""

    def __init__(self, clip: Any, tokenizer: Any) -> None:
        self.clip, self.tokenizer, self.params = clip, tokenizer, {}


def small_clip(kind: str) -> Any:
    """ComfyUI's CLIP of SD1 or SDXL with small networks of random weights."""
    sd1, sdxl = importlib.import_module("comfy.sd1_clip"), importlib.import_module("comfy.sdxl_clip")
    target = {
        "SD1": Target(sd1.SD1ClipModel, sd1.SD1Tokenizer),
        "SDXL": Target(sdxl.SDXLClipModel, sdxl.SDXLTokenizer),
    }[kind]
    options = {f"{name}_model_config": SIZES for name in ("clip_l", "clip_g")}
    clip = importlib.import_module("comfy.sd").CLIP(target, model_options=options)
    filled(clip.cond_stage_model)
    return clip


def filled(network: nn.Module) -> None:
    generator = torch.Generator().manual_seed(7)
    for name, parameter in network.named_parameters():
        values = 0.3 * torch.randn(parameter.shape, generator=generator)
        parameter.data.copy_(values + (parameter.ndim == 1 and name.endswith("norm.weight")))


@pytest.fixture(scope="module")
def sd1(comfy: ModuleType) -> Loaded:
    return Loaded(models.unet(settings={**models.UNET, "context_dim": WIDTH}), small_clip("SD1"))


@pytest.fixture(scope="module")
def sdxl(comfy: ModuleType) -> Loaded:
    return Loaded(models.unet("EPS", "SDXL", {**models.SDXL, "context_dim": 2 * WIDTH}), small_clip("SDXL"))


@pytest.fixture(scope="module")
def load(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.concepts.load")


@pytest.fixture(scope="module")
def train(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.concepts.train")


@pytest.fixture(scope="module")
def data(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.concepts.data")


@pytest.fixture(scope="module")
def words(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.concepts.words")


@pytest.fixture(scope="module")
def merge(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.concepts.merge")


@pytest.fixture
def settings(train: ModuleType) -> Any:
    return train.Settings(class_word="cat", steps=6, learning_rate=0.01, batch=2)
