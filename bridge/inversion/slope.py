"""A model of ComfyUI's as dx/dsigma for core's solvers: progress, interrupt and errors at each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comfy.model_management as management
import torch
from torch import Tensor

from ...core.sampling.checks import check_finite
from ...core.sampling.noise_schedule import NoiseSchedule
from ..sigmas import noise_schedule_of

# ComfyUI's uni_pc writes 0.001 over the last 0 of its sigmas, for whoever gets the same ones next.
OVERWRITTEN = 1.1e-3


def solver_dtype(device: torch.device) -> torch.dtype:
    """Double precision where the device has it: rounding then comes from the model alone."""
    return torch.float64 if device.type in ("cpu", "cuda") else torch.float32


class ModelSlope:
    """dx/dsigma of a model; `denoise(x, sigma per row)` gives its clean latent, both in single precision."""

    def __init__(self, denoise: Callable[[Tensor, Tensor], Tensor], lowest: float) -> None:
        self.denoise = denoise
        # Where sigma is 0, x equals its clean latent and gives no slope; a little above the model still does.
        self.lowest = lowest
        self.calls = 0
        self.report: Callable[[int, Tensor, Tensor], None] = lambda call, denoised, x: None

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        management.throw_exception_if_processing_interrupted()
        sigma = max(sigma, self.lowest)
        given = x.float()
        denoised = self.denoise(given, given.new_full((len(given),), sigma))
        check_finite(denoised)
        self.report(self.calls, denoised, given)
        self.calls += 1
        return (given.to(x.dtype) - denoised.to(x.dtype)) / sigma


def lowest_of(levels: list[float], exploding: bool) -> float:
    """The sigma at which the model is asked for its answer at 0, well below the first level above."""
    quarter = min(level for level in levels if level > 0) / 4
    return quarter if exploding else min(quarter, 1e-3)


def schedule_of(model_sampling: Any, who: str) -> NoiseSchedule:
    """How the model noises a latent; ValueError unless its noise can be told from its latent."""
    try:
        return noise_schedule_of(model_sampling)
    except ValueError:
        raise ValueError(
            f"{who} needs a model that adds noise to a latent or mixes the two, and this one does neither; "
            "take another model."
        ) from None
