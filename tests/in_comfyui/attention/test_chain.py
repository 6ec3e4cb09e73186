"""Mutual Attention beside other patches in one graph: all of them work, and the source row is as without."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture(scope="module")
def large(comfy: ModuleType) -> models.World:
    """As large as HyperTile needs, whose tiles are of 32 latent cells at least."""
    found = models.unet()
    found.size = (64, 64)
    return found


def of_core(file: str, name: str, *given: Any) -> Callable[[Any], Any]:
    """A node of ComfyUI that takes a MODEL first."""

    def patched(model: Any) -> Any:
        node = getattr(importlib.import_module(f"comfy_extras.{file}"), name)
        found = node.execute(model, *given)
        return found[0] if isinstance(found, tuple) else found.args[0]

    return patched


def reference_keys(model: Any) -> Any:
    """As IPAdapter does: more keys and values for the words, by a patch of cross-attention."""
    from comfy.ldm.modules.attention import optimized_attention

    def attention(q: Tensor, k: Tensor, v: Tensor, extra: dict) -> Tensor:
        own = optimized_attention(q, k, v, extra["n_heads"])
        return own + 0.5 * optimized_attention(q, k.flip(1)[:, :4], v.flip(1)[:, :4], extra["n_heads"])

    model = model.clone()
    for number in range(3, 12):
        model.set_model_attn2_replace(attention, "output", number)
    return model


def sharper(model: Any, number: int | None = None) -> Any:
    """Self-attention of another kind, in a block or in one layer."""
    from comfy.ldm.modules.attention import optimized_attention

    def attention(q: Tensor, k: Tensor, v: Tensor, extra: dict, **_more: Any) -> Tensor:
        return optimized_attention(1.5 * q, k, v, extra["n_heads"])

    model = model.clone()
    for block in range(6, 12):
        model.set_model_attn1_replace(attention, "output", block, *([] if number is None else [number]))
    return model


def noisy_inputs(model: Any) -> Any:
    """A patch of self-attention's inputs, and one of its output."""
    model = model.clone()
    model.set_model_attn1_patch(lambda n, context, value, extra: (n, 1.2 * context, value))
    model.set_model_attn1_output_patch(lambda out, extra: 0.8 * out)
    return model


def halved(model: Any) -> Any:
    """Attention of another kind everywhere, by the one slot there is for it."""
    model = model.clone()
    model.model_options["transformer_options"]["optimized_attention_override"] = (
        lambda function, *given, **named: 0.7 * function(*given, **named)
    )
    return model


def rescaled(model: Any) -> Any:
    module = importlib.import_module("comfy_extras.nodes_model_advanced")
    return module.RescaleCFG().patch(model, 0.7)[0]


OTHERS: dict[str, Callable[[Any], Any]] = {
    "IPAdapter": reference_keys,
    "another self-attention in a block": sharper,
    "another self-attention in a layer": lambda model: sharper(model, 0),
    "inputs of self-attention": noisy_inputs,
    "another attention everywhere": halved,
    "FreeU": of_core("nodes_freelunch", "FreeU_V2", 1.3, 1.4, 0.9, 0.2),
    "PAG": of_core("nodes_pag", "PerturbedAttentionGuidance", 2.0),
    "SAG": of_core("nodes_sag", "SelfAttentionGuidance", 0.5, 2.0),
    "ToMe": of_core("nodes_tomesd", "TomePatchModel", 0.3),
    "Rescale CFG": rescaled,
}
HYPERTILE = of_core("nodes_hypertile", "HyperTile", 256, 1, 0, False)
MASK = torch.zeros(1, 512, 512)
MASK[:, 100:300, 200:450] = 1
MODES = {
    "replace": {"mode": "replace"},
    "union": {"mode": "union"},
    "masked": {"mode": "masked", "mask_source": MASK, "mask_target": MASK.flip(-1)},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_both_patches_work_whichever_node_comes_first(
    other: Callable, world: models.World, mutual: Callable
) -> None:
    layers = "6-"  # the middle as well, which PAG changes
    alone = world.run(other(world.model), steps=2)
    first = world.run(other(mutual(world.model, layers=layers)), steps=2)
    last = world.run(mutual(other(world.model), layers=layers), steps=2)
    assert torch.equal(first, last)
    assert torch.equal(first[0], alone[0]), (first[0] - alone[0]).abs().max() / alone.std()
    assert not torch.equal(first[1], alone[1])
    assert not torch.equal(first[0], world.run(steps=2)[0])  # the other one did something


@pytest.mark.parametrize("mode", ["replace", "union"])
def test_hypertile(mode: str, large: models.World, mutual: Callable) -> None:
    alone = large.run(HYPERTILE(large.model), steps=1, cfg=1.0)
    first = large.run(HYPERTILE(mutual(large.model, mode=mode)), steps=1, cfg=1.0)
    last = large.run(mutual(HYPERTILE(large.model), mode=mode), steps=1, cfg=1.0)
    assert torch.equal(first, last)
    assert torch.equal(first[0], alone[0]) and not torch.equal(first[1], alone[1])
    assert not torch.equal(first[0], large.run(steps=1, cfg=1.0)[0])


@pytest.mark.parametrize("given", MODES.values(), ids=MODES)
def test_all_of_them_in_one_graph(given: dict, world: models.World, mutual: Callable) -> None:
    from nodes import ControlNetApplyAdvanced

    left = torch.zeros(1, 512, 512)
    left[..., :256] = 1
    words = [world.prompt(seed, rows=2)[0][0] for seed in (1, 7)]
    regions = [[words[0], {"mask": left, "set_area_to_bounds": False}], [words[1], {"mask": 1 - left}]]
    hint = torch.rand(1, 512, 512, 3, generator=torch.Generator().manual_seed(4))
    network = models.controlnet()
    prompts = ControlNetApplyAdvanced().apply_controlnet(
        regions, world.prompt(2), network, hint, 1.0, 0.0, 1.0
    )
    model = world.model
    for name in ("IPAdapter", "another self-attention in a block", "FreeU", "PAG"):
        model = OTHERS[name](model)
    plain = world.run(model, *prompts, steps=2)
    out = world.run(mutual(model, **given), *prompts, steps=2)
    assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1]) and out.isfinite().all()


def test_two_of_them_act_on_their_own_layers(world: models.World, mutual: Callable) -> None:
    both = mutual(mutual(world.model, layers="10-12"), layers="13-15")
    assert torch.equal(world.run(both, steps=2), world.run(mutual(world.model, layers="10-15"), steps=2))


def test_a_lora_like_patch_of_weights(world: models.World, mutual: Callable) -> None:
    key = "diffusion_model.output_blocks.9.1.transformer_blocks.0.attn1.to_k.weight"
    model = world.model.clone()
    weight = model.model.state_dict()[key]
    model.add_patches({key: ("diff", (torch.full_like(weight, 0.1),))}, 1.0)
    plain, out = world.run(model, steps=2), world.run(mutual(model), steps=2)
    assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1])
    assert not torch.equal(plain[0], world.run(steps=2)[0])
