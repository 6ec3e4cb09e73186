"""Inverted noise as ComfyUI's NOISE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...core.inversion.trajectory import tiled

LEAST = 1e-4  # share of the latent below which sampling starts from noise alone


class Gains(NamedTuple):
    """What a model makes of noise and latent as sampling starts: x = noise · n + latent · z."""

    noise: float
    latent: float

    @property
    def hold_latent(self) -> bool:
        """Whether the start tells anything of the latent."""
        return self.latent > LEAST

    @classmethod
    def at(cls, model_sampling: Any, sigma: Tensor, max_denoise: bool) -> Gains:
        """The gains at a first sigma, by the model's own answer."""

        def answer(noise: float, latent: float) -> float:
            ones = torch.ones(1, 1, 1, 1, dtype=torch.float64)
            level = sigma.detach().to("cpu", torch.float64)
            return float(model_sampling.noise_scaling(level, noise * ones, latent * ones, max_denoise))

        return cls(answer(1, 0), answer(0, 1))


class InvertedNoise:
    """The noise that, with whatever latent is sampled from, starts where the inversion ended.

    `process_in` brings a LATENT to the model's units.
    """

    seed = 0

    def __init__(self, end: Tensor, gains: Gains, process_in: Callable[[Tensor], Tensor]) -> None:
        self.end, self.gains, self.process_in = end, gains, process_in

    def of(self, clean: Tensor) -> Tensor:
        """The noise beside a clean latent in the model's units."""
        end = tiled(self.end, len(clean))
        return ((end - self.gains.latent * clean.to(end)) / self.gains.noise).float()

    def generate_noise(self, input_latent: dict[str, Any]) -> Tensor:
        """The noise for a LATENT, as ComfyUI asks for it; ValueError for one of another shape."""
        samples = input_latent["samples"]
        if samples.is_nested or samples.shape[1:] != self.end.shape[1:]:
            got = "nested" if samples.is_nested else list(samples.shape[1:])
            raise ValueError(
                f"The inverted noise has the shape {list(self.end.shape[1:])} but the latent is {got}; "
                "connect the latent that was inverted, or an empty one of its size."
            )
        samples = samples.float().cpu()
        # ComfyUI leaves an empty latent at zero.
        return self.of(self.process_in(samples) if samples.any() else samples)
