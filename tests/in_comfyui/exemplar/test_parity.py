"""Loaded exemplar models beside diffusers' own pipeline, on the same small random weights."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.exemplar.conftest import SIDE, Published, layouts_of
from torch import Tensor

STEPS, GUIDANCE, BOUND = 4, 5.0, 1e-4
KINDS = ("transformers 5", "transformers 4", "original")


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


PHOTO, REFERENCE = drawn(1, 1, 64, 128, 3), drawn(2, 1, SIDE, SIDE, 3)
MASK = torch.zeros(1, 64, 128)
MASK[:, 8:40, 32:88] = 1
NOISE = torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(3))


def conditioned(module: ModuleType, encoder: Any, vae: Any) -> Any:
    with torch.inference_mode():
        return module.condition(encoder, REFERENCE, PHOTO, MASK, vae, "one per row")


def relative(found: Tensor, true: Tensor) -> float:
    return float((found - true).norm() / true.norm())


@pytest.fixture(scope="module")
def seen(comfy: ModuleType) -> Tensor:
    """The reference as both are given it."""
    seen = importlib.import_module("recompose.core.exemplar.reference").seen
    return seen(REFERENCE[0].movedim(-1, 0), SIDE)[None]


@pytest.fixture(scope="module")
def truth(published: Published, seen: Tensor) -> Tensor:
    """The latent of their pipeline after four DDIM steps, with the mean of the masked photo's latents."""

    def mean(output: Any, *_: Any, **__: Any) -> Tensor:
        return output.latent_dist.mode()

    module = published.module
    before, module.retrieve_latents = module.retrieve_latents, mean
    try:
        return published.pipe(
            example_image=seen, image=2 * PHOTO.movedim(-1, 1) - 1, mask_image=MASK[:, None].clone(),
            num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=NOISE, output_type="latent",
        ).images  # fmt: skip
    finally:
        module.retrieve_latents = before


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: Any, published: Published, load: ModuleType) -> tuple[Any, Any, Any]:
    with torch.inference_mode():
        return load.load_exemplar(layouts_of(published)[request.param])


def sigmas(model: Any, published: Published) -> Tensor:
    """The levels of noise of diffusers' steps."""
    levels = model.get_model_object("model_sampling").sigmas
    published.pipe.scheduler.set_timesteps(STEPS)
    return torch.cat([levels[published.pipe.scheduler.timesteps], torch.zeros(1)])


def sampled(model: Any, published: Published, positive: Any, negative: Any) -> Tensor:
    samplers, sample = (importlib.import_module(f"comfy.{name}") for name in ("samplers", "sample"))
    levels = sigmas(model, published)
    # diffusers' latents have variance 1, ComfyUI's noise is scaled by the first level.
    noise = NOISE * (1 + levels[0] ** 2) ** 0.5 / levels[0]
    with torch.inference_mode():
        found = sample.sample_custom(
            model, noise, GUIDANCE, samplers.sampler_object("euler"), levels, positive, negative,
            torch.zeros_like(NOISE), noise_mask=None, disable_pbar=True, seed=1,
        )  # fmt: skip
    return model.model.process_latent_in(found)


def test_the_words_are_theirs(loaded: Any, published: Published, seen: Tensor) -> None:
    _, _, encoder = loaded
    words, null = published.pipe.image_encoder(seen, return_uncond_vector=True)
    assert relative(encoder.encode(seen), words) < 1e-6
    assert torch.equal(encoder.null, null)


def test_one_prediction_is_theirs(
    loaded: Any, published: Published, seen: Tensor, conditioning: ModuleType
) -> None:
    model, vae, encoder = loaded
    inputs = conditioned(conditioning, encoder, vae)
    step = 501
    sigma = model.get_model_object("model_sampling").sigmas[[step]]
    concat = model.model.concat_cond(noise=NOISE, device="cpu", **inputs[0][0][1])
    x = NOISE * (1 + sigma**2) ** 0.5
    with torch.inference_mode():
        clean = model.model.apply_model(x, sigma, c_concat=concat, c_crossattn=inputs[0][0][0])
    mask, masked = published.module.prepare_mask_and_masked_image(
        2 * PHOTO.movedim(-1, 1) - 1, MASK[:, None].clone()
    )
    pipe = published.pipe
    known = pipe.vae.encode(masked).latent_dist.mode() * pipe.vae.config.scaling_factor
    keep = torch.nn.functional.interpolate(mask, size=NOISE.shape[-2:])
    words = pipe.image_encoder(seen)
    true = pipe.unet(torch.cat([NOISE, known, keep], 1), step, encoder_hidden_states=words).sample
    assert relative((x - clean) / sigma, true) < BOUND


def test_four_steps_are_theirs(
    loaded: Any, published: Published, truth: Tensor, conditioning: ModuleType
) -> None:
    model, vae, encoder = loaded
    positive, negative, _ = conditioned(conditioning, encoder, vae)
    assert relative(sampled(model, published, positive, negative), truth) < BOUND


@pytest.mark.parametrize(
    "keys", [("mask", "masked_image"), ("mask_inverted", "masked_image"), ("masked_image", "mask")]
)
def test_another_order_or_polarity_is_told_apart(
    published: Published, load: ModuleType, conditioning: ModuleType, truth: Tensor, keys: tuple[str, ...]
) -> None:
    model, vae, encoder = load.load_exemplar(layouts_of(published)["original"])
    positive, negative, _ = conditioned(conditioning, encoder, vae)
    model.model.concat_keys = keys
    assert relative(sampled(model, published, positive, negative), truth) > 100 * BOUND
