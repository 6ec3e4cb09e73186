"""The samplers all in one: what the object makes, what comes back untouched, and what is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch

MASKS = {
    "in latent cells": (1, 1, 6, 5),
    "of the picture": (48, 40),
    "of a picture whose rest the VAE cuts off": (1, 53, 47),
    "twice as fine": (1, 12, 10),
    "one per latent": (2, 1, 6, 5),
}


@pytest.mark.parametrize("kind", ["eps", "v", "inpaint", "flow", "video"])
def test_it_makes_what_the_sampler_object_makes(kind: str, world: Callable, method: Any) -> None:
    this = world(kind)
    out = method.paint(this)
    assert torch.equal(out["samples"], this.run(method.sampler, this.sigmas(7)))
    assert torch.equal(out["noise_mask"], this.mask)


def test_less_denoise_takes_the_end_of_a_longer_schedule(world: Callable, method: Any) -> None:
    this = world("eps")
    sigmas = this.sigmas(14)[-8:]
    expected = this.run(method.sampler, sigmas)
    assert torch.equal(method.paint(this, denoise=0.5)["samples"], expected)


def test_what_is_known_everywhere_is_the_very_input(
    world: Callable, method: Any, caplog: pytest.LogCaptureFixture
) -> None:
    this = world("eps")
    latent = {"samples": this.latent, "noise_mask": torch.zeros(1, 48, 40)}
    this.model.model.diffusion_model.broken = True
    assert method.paint(this, latent=latent)["samples"] is this.latent
    assert "empty" in caplog.text


@pytest.mark.parametrize("shape", MASKS.values(), ids=MASKS)
def test_a_mask_may_have_any_size_of_the_latent_s_aspect(shape: tuple, world: Callable, method: Any) -> None:
    mask = torch.ones(shape)
    mask[..., : shape[-2] // 2, :] = 0
    this = world("eps")
    out = method.paint(this, latent={"noise_mask": mask})["samples"]
    assert (out - this.latent)[..., 0, :].abs().max() < 1e-6 < (out - this.latent)[..., -1, :].abs().min()


def test_a_video_takes_one_mask_or_one_per_frame(world: Callable, method: Any) -> None:
    this = world("video")
    frames = torch.zeros(3, 6, 5)
    frames[1] = 1
    out = method.paint(this, latent={"noise_mask": frames})["samples"] - this.latent
    assert out[:, :, [0, 2]].abs().max() < 1e-6 < out[:, :, 1].abs().min()


WRONG = {
    "no mask": ({"noise_mask": None}, {}, ("no noise mask", "Snap Mask to Latent")),
    "a mask of another aspect": ({"noise_mask": torch.ones(1, 40, 48)}, {}, ("48×40", "5×6", "aspect")),
    "a mask of another batch": ({"noise_mask": torch.ones(3, 48, 40)}, {}, ("batch of 3", "2 latents")),
    "a mask with NaN": ({"noise_mask": torch.full((1, 6, 5), torch.nan)}, {}, ("noise mask", "NaN")),
    "no denoise": ({}, {"denoise": 0.0}, ("denoise", "from 0.01 to 1.0")),
}


@pytest.mark.parametrize(("latent", "given", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_painted_is_said_in_a_sentence(
    latent: dict, given: dict, words: tuple, world: Callable, method: Any
) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*\.$") as caught:
        method.paint(world("eps"), latent=latent, **given)
    assert all(word in str(caught.value) for word in words), caught.value


def test_one_latent_takes_one_mask_and_the_sentence_says_so(world: Callable, method: Any) -> None:
    this = world("eps")
    this.latent = this.latent[:1]
    with pytest.raises(ValueError, match=r"batch of 3 but there is 1 latent; connect 1 mask\.$"):
        method.paint(this, latent={"noise_mask": torch.ones(3, 48, 40)})


def test_a_mask_per_video_must_come_as_such(world: Callable, method: Any) -> None:
    with pytest.raises(ValueError, match=r"batch of 2 but there are 3 latent frames"):
        method.paint(world("video"), latent={"noise_mask": torch.ones(2, 6, 5)})


def test_inputs_are_not_changed(world: Callable, method: Any, caplog: pytest.LogCaptureFixture) -> None:
    this = world("eps")
    latent, mask = this.latent.clone(), this.mask.clone()
    with caplog.at_level(logging.INFO, "recompose"):
        out = method.paint(this, latent={"downscale_ratio_spacial": 8})
    assert torch.equal(latent, this.latent) and torch.equal(mask, this.mask)
    assert sorted(out) == ["noise_mask", "samples"]
    assert f"{method.name}: {method.calls} model calls in 7 steps" in caplog.messages
