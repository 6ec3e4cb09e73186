"""What is known of the picture, and how it enters a run at each noise level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .noise_schedule import NoiseLevel, renoise


@dataclass(frozen=True)
class Observation:
    """The known part: a cell of mask m is an observation with normal noise of variance m / (1 - m).

    The variance is in units of the latent's: mask 0 is exact, 1 unknown. A noisy observation equals the
    diffusion state at its own noise level, so cells are re-noised from it above that level and sampled
    freely below.
    """

    latent: Tensor  # B,C,… clean
    mask: Callable[[Tensor], Tensor]  # at a sigma per row, the mask in the latent's shape; 1 = repaint
    noised: Callable[[Tensor, Tensor], Tensor]  # the latent at a sigma per row, with this normal noise
    start: tuple[Tensor, NoiseLevel] | None = None  # what unknown cells began as, where it is to be kept

    def renoise_known(self, x: Tensor, sigma: Tensor, level: NoiseLevel, normal: Tensor) -> Tensor:
        """`x` with its known cells freshly noised to the level of `sigma` (one per row)."""
        mask, share = self.mask(sigma), 1 / (1 + level.noise_to_signal**-2)
        # What the observation's own error leaves to add; cells that are not held may give any value here.
        rest = (1 - mask / (1 - mask) * ((1 - share) / share)).clamp(min=0).sqrt()
        return torch.where(mask < share, self.noised(sigma, normal * rest), x)

    def replace_known(self, denoised: Tensor, sigma: Tensor) -> Tensor:
        """`denoised` with the exactly known cells as they are."""
        return torch.where(self.mask(sigma) <= 0, self.latent, denoised)

    def restore_known(self, x: Tensor, sigma: Tensor, level: NoiseLevel) -> Tensor:
        """`x` with the cells held at the level of `sigma` as they were given, for a later run to hold."""
        share = level.noise**2 / (level.noise**2 + level.signal**2)
        mask = self.mask(sigma)
        return torch.where((mask <= 0) | (mask < share), self.latent, x)

    def bridge(
        self, x: Tensor, sigma: Tensor, lower: NoiseLevel, upper: NoiseLevel, normal: Tensor
    ) -> Tensor:
        """`x` brought up to the level of `sigma`, in cells seen with an error on the way to what was seen.

        Between two states of a diffusion lies a Brownian bridge; unknown cells are on the way to their
        start where that is to be kept, else to nothing.
        """
        mask = self.mask(sigma)
        seen, left = 1 - mask, mask - lower.noise_to_signal**2 * (1 - mask)
        way = (min(upper.noise_to_signal, 1e9) ** 2 - lower.noise_to_signal**2) * seen / left
        way, end = torch.where(left > 0, way.clamp(max=1), 1.0), self.latent
        if self.start is not None:
            state, level = self.start
            below, above, begun = (each.noise_to_signal**2 for each in (lower, upper, level))
            way = torch.where(mask < 1, way, (above - below) / (begun - below))
            end = torch.where(mask < 1, end, state / level.signal)
        up = renoise(x, lower, upper, normal * (1 - way).sqrt())
        return up + way * (upper.signal * end - upper.signal / lower.signal * x)
