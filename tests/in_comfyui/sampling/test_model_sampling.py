"""How the samplers learn from a model's own object how it noises latents and shows known cells."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.sampling.noise_schedule import Kind, NoiseSchedule
from torch import Tensor

ADDS = NoiseSchedule(Kind.VE)
# What a ModelSampling class of ComfyUI's inherits from, and how a latent of it is noised.
CLASSES = {
    "EPS": ADDS,
    "V_PREDICTION": ADDS,
    "V_PREDICTION_DDPM": ADDS,
    "EDM": ADDS,
    "X0": ADDS,
    "IMG_TO_IMG": ADDS,
    "COSMOS_RFLOW": ADDS,
    "CONST": NoiseSchedule(Kind.FLOW),
}


@pytest.fixture
def sigmas(bridge: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.sigmas")


@pytest.fixture
def sampling(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("comfy.model_sampling")


@pytest.mark.parametrize(("name", "wanted"), CLASSES.items(), ids=CLASSES)
def test_every_class_that_noises_is_known(
    name: str, wanted: NoiseSchedule, sigmas: ModuleType, sampling: ModuleType
) -> None:
    assert sigmas.noise_schedule_of(getattr(sampling, name)()) == wanted


@pytest.mark.parametrize("scale", [1.0, 0.7, 8.0])
def test_a_flow_s_noise_scale_is_found_exactly(
    scale: float, sigmas: ModuleType, sampling: ModuleType
) -> None:
    class Scaled(sampling.ModelSamplingDiscreteFlow, sampling.CONST):
        pass

    given = Scaled()
    given.set_noise_scale(scale)
    assert sigmas.noise_schedule_of(given) == NoiseSchedule(Kind.FLOW, scale)


class Flow:
    """A flow by what it does, of no class of ComfyUI's."""

    def noise_scaling(self, sigma: Tensor, noise: Tensor, latent: Tensor, max_denoise: bool = False):
        return 3 * sigma * noise + (1 - sigma) * latent


class Preserving(Flow):
    def noise_scaling(self, sigma: Tensor, noise: Tensor, latent: Tensor, max_denoise: bool = False):
        return sigma * noise + (1 - sigma**2) ** 0.5 * latent


class Nan(Flow):
    def noise_scaling(self, sigma: Tensor, noise: Tensor, latent: Tensor, max_denoise: bool = False):
        return latent * torch.nan


class Silent(Flow):
    def noise_scaling(self, sigma: Tensor, noise: Tensor, latent: Tensor, max_denoise: bool = False):
        return (1 - sigma) * latent


class Demanding(Flow):
    def noise_scaling(self, sigma: Tensor, noise: Tensor, latent: Tensor, max_denoise: bool = False):
        raise KeyError("audio")


def test_a_flow_of_another_class_is_known_by_what_it_does(sigmas: ModuleType) -> None:
    assert sigmas.noise_schedule_of(Flow()) == NoiseSchedule(Kind.FLOW, 3.0)


OTHERS = {"preserving": Preserving, "nan": Nan, "silent": Silent, "demanding": Demanding, "none": object}


@pytest.mark.parametrize("kind", OTHERS.values(), ids=OTHERS)
def test_another_way_to_noise_is_refused_by_one_sentence(kind: type, sigmas: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*neither adds noise.*another model[^\n]*\.$"):
        sigmas.noise_schedule_of(kind())


def test_a_model_that_makes_a_picture_of_a_picture_is_refused_before_it_is_asked(
    world: Callable, method: Any, sampling: ModuleType
) -> None:
    this = world("flow")

    class PictureToPicture(sampling.ModelSamplingFlux, sampling.IMG_TO_IMG_FLOW):
        pass

    this.model.model.model_sampling = PictureToPicture()
    levels = torch.tensor([0.9, 0.8, 0.6, 0.5, 0.4, 0.2, 0.1, 0.0])
    with pytest.raises(ValueError, match="neither adds noise"):
        this.run(method.sampler, levels)
    assert this.seen == []
    nodes = importlib.import_module("recompose.nodes.sampling")
    with pytest.raises(ValueError, match="neither adds noise"):
        nodes.InpaintScheduler.execute(this.model, 12, 1.0)


@pytest.mark.parametrize("changed", [False, True])
def test_the_model_hears_the_mask_of_the_level_when_it_noises_known_cells(
    changed: bool, world: Callable, methods: dict
) -> None:
    """As ComfyUI's own samplers tell it since they pass `denoise_mask`."""
    this, told = world("eps"), []
    noising = this.model.model.scale_latent_inpaint

    def listening(**given: Any) -> Tensor:
        told.append((float(given["sigma"][0]), given.pop("denoise_mask")))
        return noising(**given)

    this.model.model.scale_latent_inpaint = listening
    if changed:
        this.model.set_model_denoise_mask_function(lambda sigma, mask, extra_options: mask * sigma[0] / 100)
    out = this.run(methods["RePaint"].sampler, this.sigmas(7))
    assert len(told) >= 7
    for sigma, mask in told:
        assert mask.shape == out.shape
        wanted = this.mask * sigma / 100 if changed else this.mask
        assert torch.allclose(mask, wanted.expand_as(mask), atol=1e-6)


@pytest.mark.parametrize("kind", ["flow", "video"])
def test_a_model_that_takes_known_cells_clean_is_shown_them_clean(
    kind: str, world: Callable, method: Any
) -> None:
    """As LTXV, Wan 2.2 5B and HunyuanVideo I2V have it, by their own `scale_latent_inpaint`."""
    this, seen = world(kind), []
    this.model.model.scale_latent_inpaint = lambda latent_image, **_more: latent_image

    def wrapped(apply: Callable, given: dict) -> Tensor:
        seen.append(given["input"][: len(this.latent)])
        return apply(given["input"], given["timestep"], **given["c"])

    this.model.set_model_unet_function_wrapper(wrapped)
    out = this.run(method.sampler, this.sigmas(7))
    known = (this.mask == 0).expand_as(out)
    assert len(seen) == method.calls
    for shown in seen:
        assert (shown - this.latent)[known].abs().max() < 1e-5
    assert (out - this.latent)[known].abs().max() < 1e-6
    soft = this.run(method.sampler, this.sigmas(7), mask=this.mask.clamp(min=0.3))
    assert torch.isfinite(soft).all()
