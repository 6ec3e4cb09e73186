"""RePaint (Lugmayr et al. 2022): inpaint with any diffusion model by adding noise and removing it again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from .noise_schedule import Level, NoisePath, renoise


@dataclass(frozen=True)
class Settings:
    """How often, how far and where the noise is gone back up."""

    jump_length: int = 10  # steps that a jump goes back (the paper's j)
    resamplings: int = 10  # how often each stretch is sampled (the paper's r); 1 never jumps
    eta: float = 1.0  # fresh noise in each step: 0 DDIM … 1 DDPM
    start: float = 0.0  # jumps lie between these shares of the steps: 0 is the first, 1 the last
    end: float = 1.0


class Preset(NamedTuple):
    """A number of steps and what to do with them."""

    steps: int
    settings: Settings


# Chosen among all of 50, 100 and 200 model calls by the exact KL divergence from the truth on random Gaussian
# problems (demo.gaussian.random_problems); of near equals the one with fewer, wider steps.
PRESETS = {
    "fast": Preset(26, Settings(4, 2)),
    "better": Preset(36, Settings(4, 3)),
    "best": Preset(72, Settings(8, 3)),
}


class Move(NamedTuple):
    """From one sigma to another, by index; a jump is one move, since independent noise adds up."""

    origin: int
    target: int
    visit: int  # how often the target had been reached before

    @property
    def asks_model(self) -> bool:
        return self.target > self.origin


@dataclass(frozen=True)
class Known:
    """The known part: a cell of mask m is an observation with normal noise of variance m / (1 - m).

    The variance is in units of the latent's: mask 0 is exact, 1 unknown. A noisy observation equals the
    diffusion state at its own noise level, so cells are re-noised from it above that level and sampled
    freely below.
    """

    latent: Tensor  # B,C,… clean
    mask: Callable[[Tensor], Tensor]  # at a sigma per row, the mask in the latent's shape; 1 = repaint
    noised: Callable[[Tensor, Tensor], Tensor]  # the latent at a sigma per row, with this normal noise

    def hold(self, x: Tensor, sigma: Tensor, level: Level, normal: Tensor) -> Tensor:
        """`x` with its known cells freshly noised to the level of `sigma` (one per row)."""
        mask, share = self.mask(sigma), 1 / (1 + level.noise_to_signal**-2)
        # What the observation's own error leaves to add; cells that are not held may give any value here.
        rest = (1 - mask / (1 - mask) * ((1 - share) / share)).clamp(min=0).sqrt()
        return torch.where(mask < share, self.noised(sigma, normal * rest), x)

    def settle(self, denoised: Tensor, sigma: Tensor) -> Tensor:
        """`denoised` with the exactly known cells as they are."""
        return torch.where(self.mask(sigma) <= 0, self.latent, denoised)

    def leave(self, x: Tensor, sigma: Tensor, level: Level) -> Tensor:
        """`x` with the cells held at the level of `sigma` as they were given, for a later run to hold."""
        share = level.noise**2 / (level.noise**2 + level.signal**2)
        mask = self.mask(sigma)
        return torch.where((mask <= 0) | (mask < share), self.latent, x)

    def renoise(self, x: Tensor, sigma: Tensor, lower: Level, upper: Level, normal: Tensor) -> Tensor:
        """`x` brought up to the level of `sigma`, in cells seen with an error on the way to what was seen.

        Between two states of a diffusion lies a Brownian bridge; to what is unknown there is no way.
        """
        mask = self.mask(sigma)
        seen, left = 1 - mask, mask - lower.noise_to_signal**2 * (1 - mask)
        way = (min(upper.noise_to_signal, 1e9) ** 2 - lower.noise_to_signal**2) * seen / left
        way = torch.where(left > 0, way.clamp(max=1), 1.0)
        up = renoise(x, lower, upper, normal * (1 - way).sqrt())
        return up + way * (upper.signal * self.latent - upper.signal / lower.signal * x)


def schedule(steps: int, settings: Settings) -> list[int]:
    """The states passed, from `steps` - 1 to 0 and then -1; each 1 upwards adds noise (RePaint's appendix B).

    Raises ValueError where resampling is asked for but no jump fits.
    """
    jump, highest, lowest = settings.jump_length, steps * (1 - settings.start), steps * (1 - settings.end)
    bottoms = [state for state in range(0, steps - jump, jump) if state >= lowest and state + jump <= highest]
    if settings.resamplings > 1 and not bottoms:
        between = f" between {settings.start:g} and {settings.end:g} of them" if steps > jump else ""
        raise ValueError(
            f"A jump goes back {jump} steps but none fits into {steps} steps{between}; "
            "take more steps, a smaller jump_length, or resamplings 1."
        )
    left = dict.fromkeys(bottoms, settings.resamplings - 1)
    states, state = [], steps
    while state >= 1:
        state -= 1
        states.append(state)
        if left.get(state, 0) > 0:
            left[state] -= 1
            states += range(state + 1, state + jump + 1)
            state += jump
    return [*states, -1]


def plan(sigmas: list[float], settings: Settings) -> list[Move]:
    """The moves between `sigmas`; ValueError if there is no step or they do not descend to 0 or more."""
    check_descent(sigmas, "RePaint")
    states = schedule(len(sigmas) - 1, settings)
    moves, origin, visits = [], states[0], Counter(states[:1])
    for here, after in zip(states[1:], [*states[2:], -2], strict=True):
        if origin < here < after:  # passed on the way up
            continue
        moves.append(Move(len(sigmas) - 2 - origin, len(sigmas) - 2 - here, visits[here]))
        visits[here] += 1
        origin = here
    return moves


def check_descent(sigmas: list[float], who: str) -> None:
    """Refuse sigmas without a step, or that do not descend to 0 or more, by a sentence."""
    if len(sigmas) < 2:
        raise ValueError(
            f"{who} needs two sigmas or more, but got {len(sigmas)}, no step; raise steps or denoise."
        )
    for above, below in pairwise(sigmas):
        if not math.inf > above > below >= 0:
            raise ValueError(
                f"The sigmas must descend to 0 or more, but {below:g} follows {above:g}; "
                "connect a scheduler's sigmas as they are."
            )


def model_calls(moves: list[Move]) -> int:
    """How often the model is asked."""
    return sum(move.asks_model for move in moves)


def sample(
    model: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    sigmas: Tensor,
    noise: Callable[[float, int], Tensor],
    report: Callable[[int, Tensor, Tensor], None],
    *,
    known: Known,
    path: NoisePath,
    settings: Settings,
) -> Tensor:
    """Sample `x` (B,C,… at the first sigma) with what is known of it and return it at the last sigma.

    `model(x, a sigma per row)` gives the clean latent, `noise(sigma, visit)` normal noise of its shape,
    `report(call, denoised, x)` hears of each call. Raises ValueError as `plan` does, and for NaN.
    """
    values = sigmas.tolist()
    levels = [path.level(sigma) for sigma in values]
    downs = [path.down(above, below, settings.eta) for above, below in pairwise(values)]
    ends, rows = sigmas.new_tensor(downs), x.new_ones(len(x))
    normal, call = noise(values[0], 0), 0
    for move in plan(values, settings):
        here, there = levels[move.origin], levels[move.target]
        if not move.asks_model:
            normal = noise(values[move.target], move.visit)
            x = known.renoise(x, sigmas[move.target] * rows, here, there, normal)
            continue
        sigma = sigmas[move.origin]
        x = known.hold(x, sigma * rows, here, normal)
        denoised = known.settle(model(x, sigma * rows), sigma * rows)
        report(call, denoised, x)
        call += 1
        # Euler's step in Karras et al.'s coordinates, which is DDIM's for every path.
        x = x + (x - denoised) / sigma * (ends[move.origin] - sigma)
        if there.noise:
            normal = noise(values[move.target], move.visit)
            x = renoise(x, path.level(downs[move.origin]), there, normal) if settings.eta else x
    check_finite(x)
    return x


def check_finite(x: Tensor) -> None:
    """Refuse a result with NaN or infinities, by a sentence on the usual cause."""
    if not torch.isfinite(x).all():
        raise ValueError(
            "The model gave NaN or infinite values, so there is no picture; check the model, its precision "
            "(half precision is the usual cause) and cfg."
        )
