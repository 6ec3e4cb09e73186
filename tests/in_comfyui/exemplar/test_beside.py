"""An exemplar model is an ordinary MODEL: LoRA, ControlNet, other patches, and our samplers work on it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.attention.test_chain import reference_keys
from recompose.tests.in_comfyui.exemplar.conftest import WORD, Published, layouts_of
from torch import Tensor

PHOTO = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(1))
REFERENCES = torch.rand(2, 40, 40, 3, generator=torch.Generator().manual_seed(2))
MASK = torch.zeros(1, 64, 64)
MASK[:, 16:48, 16:40] = 1
INSIDE = (slice(None), slice(None), slice(2, 6), slice(2, 5))


@pytest.fixture(scope="module")
def loaded(published: Published, load: ModuleType) -> Any:
    return load.load_exemplar(layouts_of(published)["original"])


@pytest.fixture(scope="module")
def given(loaded: Any, conditioning: ModuleType) -> Any:
    """Positive, negative and latent of two rows, each with a reference of its own."""
    with torch.inference_mode():
        return conditioning.condition(loaded[2], REFERENCES, PHOTO, MASK, loaded[1], "one per row")


def sampled(
    model: Any, given: Any, rows: list[int] | None = None, steps: int = 3, sampler: str = "euler"
) -> Tensor:
    sample = importlib.import_module("comfy.sample")
    positive, negative, latent = given
    noise = sample.prepare_noise(latent["samples"], 5, rows)
    with torch.inference_mode():
        return sample.sample(
            model, noise, steps, 3.0, sampler, "normal", positive, negative, latent["samples"],
            noise_mask=latent["noise_mask"], disable_pbar=True, seed=5,
        )  # fmt: skip


def test_the_reference_is_what_is_painted_and_the_rest_stays(loaded: Any, given: Any) -> None:
    found = sampled(loaded[0], given, [0, 0])
    assert not torch.allclose(found[0][INSIDE[1:]], found[1][INSIDE[1:]], atol=1e-3)
    outside = torch.ones(64, dtype=torch.bool).view(8, 8)
    outside[INSIDE[2:]] = False
    assert torch.allclose(found[..., outside], given[2]["samples"][..., outside], atol=1e-5)


def test_a_row_alone_is_as_in_the_batch(loaded: Any, given: Any, conditioning: ModuleType) -> None:
    with torch.inference_mode():
        alone = conditioning.condition(loaded[2], REFERENCES[1:], PHOTO, MASK, loaded[1], "one per row")
    found, true = sampled(loaded[0], alone, [0]), sampled(loaded[0], given, [0, 0])[1:]
    # Other batches round differently, and the random network enlarges that.
    assert float((found - true).norm() / true.norm()) < 1e-4


@pytest.mark.parametrize("sampler", ["dpmpp_2m_sde", "uni_pc", "lms", "ddim"])
def test_any_sampler_works(loaded: Any, given: Any, sampler: str) -> None:
    assert torch.isfinite(sampled(loaded[0], given, sampler=sampler)).all()


def test_a_lora_changes_as_its_weights_say(loaded: Any, given: Any) -> None:
    model, name = loaded[0], "diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_v.weight"
    patched = model.clone()
    shape = model.model.state_dict()[name].shape
    up, down = torch.randn(shape[0], 2), torch.randn(2, shape[1])
    key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_v"
    file = {f"{key}.lora_up.weight": up, f"{key}.lora_down.weight": down, f"{key}.alpha": torch.tensor(2.0)}
    with torch.inference_mode():
        patched, _ = importlib.import_module("comfy.sd").load_lora_for_models(model, None, file, 0.5, 0)
    by_hand = model.clone()
    by_hand.add_patches({name: ("diff", (up @ down,))}, 0.5)
    plain, found = sampled(model, given), sampled(patched, given)
    assert not torch.allclose(found, plain, atol=1e-3)
    assert torch.allclose(found, sampled(by_hand, given), atol=1e-4)
    assert torch.equal(sampled(model, given), plain)


def test_a_controlnet_works(loaded: Any, given: Any) -> None:
    control = models.controlnet(WORD)
    hint = torch.rand(1, 64, 64, 3)
    node = importlib.import_module("nodes").ControlNetApplyAdvanced()
    positive, negative = node.apply_controlnet(given[0], given[1], control, hint, 1.0, 0.0, 1.0)
    found = sampled(loaded[0], (positive, negative, given[2]))
    assert torch.isfinite(found).all() and not torch.allclose(found, sampled(loaded[0], given), atol=1e-3)


def test_a_patch_of_cross_attention_works_and_leaves_the_model(loaded: Any, given: Any) -> None:
    """As IPAdapter puts more keys and values in."""
    plain = sampled(loaded[0], given)
    found = sampled(reference_keys(loaded[0]), given)
    assert torch.isfinite(found).all() and not torch.allclose(found, plain, atol=1e-3)
    assert torch.equal(sampled(loaded[0], given), plain)


def own_samplers(model: Any, given: Any) -> dict[str, Callable[[], Any]]:
    sampling = importlib.import_module("recompose.nodes.sampling")
    positive, negative, latent = given
    shared = {
        "model": model,
        "positive": positive,
        "negative": negative,
        "latent": latent,
        "cfg": 3.0,
        "seed": 1,
    }
    custom = {
        "preset": "custom",
        "steps": 4,
        "jump_length": 2,
        "resamplings": 2,
        "eta": 1.0,
        "start": 0.0,
        "end": 1.0,
    }
    return {
        "RePaint": lambda: sampling.RePaint.execute(**shared, preset=custom, scheduler="normal", denoise=1.0),
        "Lagrange": lambda: sampling.LagrangeInpaint.execute(
            **shared, steps=4, scheduler="inpaint", denoise=1.0
        ),
    }


@pytest.mark.parametrize("name", ["RePaint", "Lagrange"])
def test_our_samplers_paint_each_rows_reference(loaded: Any, given: Any, name: str) -> None:
    with torch.inference_mode():
        found = own_samplers(loaded[0], given)[name]().args[0]["samples"]
    outside = torch.ones(8, 8, dtype=torch.bool)
    outside[INSIDE[2:]] = False
    assert torch.isfinite(found).all()
    assert torch.allclose(found[..., outside], given[2]["samples"][..., outside], atol=1e-5)
    assert not torch.allclose(found[0][INSIDE[1:]], found[1][INSIDE[1:]], atol=1e-3)


def test_mutual_attention_shares_the_look_and_keeps_the_source(loaded: Any, given: Any) -> None:
    mutual = importlib.import_module("recompose.bridge.attention.mutual")
    plain = sampled(loaded[0], given, [0, 0])
    found = sampled(mutual.mutual(loaded[0], 1.0, "replace", "0", "", ""), given, [0, 0])
    assert torch.equal(found[0], plain[0])
    assert not torch.allclose(found[1], plain[1], atol=1e-3)
