"""Loaded concepts beside diffusers' own attention processor, on the same small UNet."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.concepts import formats, names
from recompose.tests.in_comfyui.concepts.conftest import WIDTH, Loaded
from torch import Tensor

LEVELS = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
UNET = "diffusion_model."


def theirs(diffusers: ModuleType, model: Any) -> Any:
    """diffusers' UNet with the weights of ComfyUI's."""
    network = diffusers.UNet2DConditionModel(
        sample_size=16, block_out_channels=(32, 64, 64, 64), cross_attention_dim=WIDTH, attention_head_dim=8,
        down_block_types=LEVELS, up_block_types=[each.replace("Down", "Up") for each in reversed(LEVELS)],
    )  # fmt: skip
    state = model.model.diffusion_model.state_dict()
    table = importlib.import_module("comfy.utils").unet_to_diffusers(model.model.model_config.unet_config)
    held = {name: state[own] for name, own in table.items() if own in state and name in network.state_dict()}
    network.load_state_dict(held)
    return network.eval().requires_grad_(False)


def changed(model: Any, part: tuple[str, ...]) -> dict[str, Tensor]:
    """Other weights for the parts of every cross-attention layer."""
    generator = torch.Generator().manual_seed(3)
    return {
        name.removeprefix(UNET): value + 0.1 * torch.randn(value.shape, generator=generator)
        for name, value in model.model.state_dict().items()
        if name.endswith(part)
    }


def with_processors(diffusers: ModuleType, network: Any, weights: dict[str, Tensor], all_of_it: bool) -> None:
    """Put diffusers' processor of Custom Diffusion into every cross-attention layer."""
    module = importlib.import_module("diffusers.models.attention_processor")
    found = {}
    for name, processor in network.attn_processors.items():
        found[name] = processor
        if "attn2" not in name:
            continue
        layer = network.get_submodule(name.removesuffix(".processor"))
        found[name] = module.CustomDiffusionAttnProcessor(True, all_of_it, layer.to_q.out_features, WIDTH)
        prefix = f"{name}."
        named = {formats.processor_name(own): value for own, value in weights.items()}
        own = {key.removeprefix(prefix): value for key, value in named.items() if key.startswith(prefix)}
        found[name].load_state_dict(own)
    network.set_attn_processor(found)


def files(weights: dict[str, Tensor], base: dict[str, Tensor]) -> dict[str, dict[str, Any]]:
    """The same weights in each format."""
    found: dict[str, dict[str, Any]] = {
        "CompVis": {"state_dict": {f"model.diffusion_model.{key}": value for key, value in weights.items()}},
        "delta.bin": {"unet": {names.theirs(key): value for key, value in weights.items()}},
        "diffusers": {formats.processor_name(key): value for key, value in weights.items()},
        "ours": {f"unet.{key}": value for key, value in weights.items()},
    }
    if all(value.ndim == 2 for value in weights.values()):
        found["compressed"] = {
            f"model.diffusion_model.{key}": {"u": value - base[key], "v": torch.eye(value.shape[1])}
            for key, value in weights.items()
        }
    return found


@pytest.mark.parametrize("part", ["keys and values", "cross-attention"])
def test_the_network_is_theirs_in_every_format(sd1: Loaded, diffusers: ModuleType, part: str) -> None:
    load, train = (importlib.import_module(f"recompose.bridge.concepts.{name}") for name in ("load", "train"))
    weights = changed(sd1.model, train.PARTS[part])
    network = theirs(diffusers, sd1.model)
    generator = torch.Generator().manual_seed(1)
    x, words = torch.randn(2, 4, 16, 16, generator=generator), torch.randn(2, 77, WIDTH, generator=generator)
    steps = torch.tensor([100.0, 700.0])
    with torch.no_grad():
        plain = network(x, steps, words).sample
        assert torch.allclose(sd1.model.model.diffusion_model(x, steps, words), plain, atol=1e-4)
        with_processors(diffusers, network, weights, part != "keys and values")
        wanted = network(x, steps, words).sample
        assert (wanted - plain).abs().max() > 0.01
        for raw in files(
            weights, {key: sd1.model.model.state_dict()[UNET + key] for key in weights}
        ).values():
            model, _ = load.applied(sd1.model, sd1.clip, formats.read(raw), 1.0, "Load Concept")
            model.patch_model()
            got = model.model.diffusion_model(x, steps, words)
            model.unpatch_model()
            assert (got - wanted).abs().max() <= 1e-5 * wanted.abs().max()
