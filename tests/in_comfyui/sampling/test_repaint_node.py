"""RePaint all in one: what the sampler object makes, what comes back untouched, and what is refused."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.repaint import PRESETS, Settings

OWN = {"preset": "custom", "steps": 7, "jump_length": 2, "resamplings": 3, "eta": 1.0, "start": 0.0, "end": 1}
MASKS = {
    "in latent cells": (1, 1, 6, 5),
    "of the picture": (48, 40),
    "of a picture whose rest the VAE cuts off": (1, 53, 47),
    "twice as fine": (1, 12, 10),
    "one per latent": (2, 1, 6, 5),
}


@pytest.fixture
def paint(comfy: ModuleType) -> Callable[..., dict]:
    """Run the node on a world; given may replace any input or, as mask, the latent's mask."""
    nodes = importlib.import_module("recompose.nodes.sampling")

    def paint(this: Any, **given: Any) -> dict:
        latent = {"samples": this.latent, "noise_mask": this.mask, **given.pop("latent", {})}
        inputs = {
            "model": this.model, "positive": this.positive, "negative": this.negative, "latent": latent,
            "preset": OWN, "scheduler": "normal", "cfg": 3.0, "seed": 5, "denoise": 1.0, **given,
        }  # fmt: skip
        with torch.inference_mode():
            return nodes.RePaint.execute(**inputs).args[0]

    return paint


@pytest.mark.parametrize("kind", ["eps", "v", "inpaint", "flow", "video"])
def test_it_makes_what_the_sampler_object_makes(
    kind: str, world: Callable, bridge: ModuleType, paint: Callable
) -> None:
    this = world(kind)
    out = paint(this)
    assert torch.equal(out["samples"], this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7)))
    assert torch.equal(out["noise_mask"], this.mask)


def test_less_denoise_takes_the_end_of_a_longer_schedule(
    world: Callable, bridge: ModuleType, paint: Callable
) -> None:
    this = world("eps")
    sigmas = this.sigmas(14)[-8:]
    expected = this.run(bridge.RePaint(Settings(2, 3)), sigmas)
    assert torch.equal(paint(this, denoise=0.5)["samples"], expected)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_settings(name: str, world: Callable, bridge: ModuleType, paint: Callable) -> None:
    this, (steps, settings) = world("eps"), PRESETS[name]
    expected = this.run(bridge.RePaint(settings), this.sigmas(steps))
    assert torch.equal(paint(this, preset={"preset": name})["samples"], expected)


@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_every_scheduler_of_core_s_can_be_used(kind: str, world: Callable, paint: Callable) -> None:
    this = world(kind)
    for scheduler in importlib.import_module("comfy.samplers").SCHEDULER_NAMES:
        for name in PRESETS:
            out = paint(this, preset={"preset": name}, scheduler=scheduler)["samples"]
            assert torch.isfinite(out).all(), (scheduler, name)


def test_what_is_known_everywhere_is_the_very_input(
    world: Callable, paint: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    this = world("eps")
    latent = {"samples": this.latent, "noise_mask": torch.zeros(1, 48, 40)}
    this.model.model.diffusion_model.broken = True
    assert paint(this, latent=latent)["samples"] is this.latent
    assert "empty" in caplog.text


@pytest.mark.parametrize("shape", MASKS.values(), ids=MASKS)
def test_a_mask_may_have_any_size_of_the_latent_s_aspect(
    shape: tuple, world: Callable, paint: Callable
) -> None:
    mask = torch.ones(shape)
    mask[..., : shape[-2] // 2, :] = 0
    this = world("eps")
    out = paint(this, latent={"noise_mask": mask})["samples"]
    assert (out - this.latent)[..., 0, :].abs().max() < 1e-6 < (out - this.latent)[..., -1, :].abs().min()


def test_a_video_takes_one_mask_or_one_per_frame(world: Callable, paint: Callable) -> None:
    this = world("video")
    frames = torch.zeros(3, 6, 5)
    frames[1] = 1
    out = paint(this, latent={"noise_mask": frames})["samples"] - this.latent
    assert out[:, :, [0, 2]].abs().max() < 1e-6 < out[:, :, 1].abs().min()


WRONG = {
    "no mask": ({"noise_mask": None}, {}, ("no noise mask", "Snap Mask to Latent")),
    "a mask of another aspect": ({"noise_mask": torch.ones(1, 40, 48)}, {}, ("48×40", "5×6", "aspect")),
    "a mask of another batch": ({"noise_mask": torch.ones(3, 48, 40)}, {}, ("batch of 3", "2 latents")),
    "a mask with NaN": ({"noise_mask": torch.full((1, 6, 5), torch.nan)}, {}, ("noise mask", "NaN")),
    "a jump that is too long": ({}, {"preset": {**OWN, "jump_length": 7}}, ("7 steps", "jump_length")),
    "no step": ({}, {"preset": {**OWN, "steps": 0}}, ("no step",)),
    "no denoise": ({}, {"denoise": 0.0}, ("no step", "denoise")),
}


@pytest.mark.parametrize(("latent", "given", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_painted_is_said_in_a_sentence(
    latent: dict, given: dict, words: tuple, world: Callable, paint: Callable
) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*\.$") as caught:
        paint(world("eps"), latent=latent, **given)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_mask_per_video_must_come_as_such(world: Callable, paint: Callable) -> None:
    with pytest.raises(ValueError, match=r"batch of 2 but there are 3 latent frames"):
        paint(world("video"), latent={"noise_mask": torch.ones(2, 6, 5)})


def test_inputs_are_not_changed(world: Callable, paint: Callable, caplog: pytest.LogCaptureFixture) -> None:
    this = world("eps")
    latent, mask = this.latent.clone(), this.mask.clone()
    with caplog.at_level(logging.INFO, "recompose"):
        out = paint(this, latent={"downscale_ratio_spacial": 8})
    assert torch.equal(latent, this.latent) and torch.equal(mask, this.mask)
    assert sorted(out) == ["noise_mask", "samples"]
    assert "RePaint: 19 model calls in 7 steps" in caplog.messages
