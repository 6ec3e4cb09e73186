"""What an inversion leaves: the states on its way up in noise, and the noise that its end stands for."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import torch
from torch import Tensor

from ..sampling.noise_schedule import NoiseSchedule


@dataclass(frozen=True)
class Inversion:
    """States (rows,C,…) in the model's units on the CPU, one for each of the sigmas, which ascend."""

    sigmas: tuple[float, ...]
    states: tuple[Tensor, ...]  # the last two in the solver's precision, the others in single
    path: NoiseSchedule
    latent_format: str  # its class in ComfyUI, which tells families of models apart

    def clean(self) -> Tensor:
        """The clean latent it started from."""
        return self.states[0] / self.path.level(self.sigmas[0]).signal

    def at(self, sigma: float) -> Tensor:
        """The state at a sigma: linear in sigma between the states, and along the last noise beyond them.

        A line through clean latent and noise is linear in sigma for exploding and flow models alike.
        """
        levels, states = self.sigmas, self.states
        if sigma > levels[-1]:
            levels, states = (0.0, levels[-1]), (self.clean(), states[-1])
        elif sigma < levels[0]:
            levels, states = (0.0, levels[0]), (self.clean(), states[0])
        upper = min(max(bisect_left(levels, sigma), 1), len(levels) - 1)
        share = (sigma - levels[upper - 1]) / (levels[upper] - levels[upper - 1])
        # The states themselves at their levels, without the rounding of a mean.
        if share in (0.0, 1.0):
            return states[upper] if share else states[upper - 1]
        return torch.lerp(states[upper - 1].double(), states[upper].double(), share)


def tiled(rows: Tensor, count: int) -> Tensor:
    """`rows` over and over up to `count` rows; ValueError where they do not fill them evenly."""
    if count % len(rows):
        raise ValueError(
            f"{len(rows)} latents were inverted but the batch has {count} rows; connect a latent of "
            f"{len(rows)} rows or a multiple of them."
        )
    return rows.repeat(count // len(rows), *[1] * (rows.ndim - 1))


def replaced(x: Tensor, rows: Tensor, first: int) -> Tensor:
    """A copy of `x` (B,C,…) with its rows from `first` on replaced by `rows`, in its own precision."""
    found = x.clone()
    found[first : first + len(rows)] = rows.to(x)
    return found
