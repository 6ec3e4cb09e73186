"""RePaint (Lugmayr et al. 2022): inpaint with any diffusion model by adding noise and removing it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor

from .checks import check_descent, check_finite
from .known import Observation
from .noise_schedule import NoiseSchedule, renoise


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


def resampling_schedule(steps: int, settings: Settings) -> list[int]:
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
    states = resampling_schedule(len(sigmas) - 1, settings)
    moves, origin, visits = [], states[0], Counter(states[:1])
    for here, after in zip(states[1:], [*states[2:], -2], strict=True):
        if origin < here < after:  # passed on the way up
            continue
        moves.append(Move(len(sigmas) - 2 - origin, len(sigmas) - 2 - here, visits[here]))
        visits[here] += 1
        origin = here
    return moves


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
    known: Observation,
    path: NoiseSchedule,
    settings: Settings,
    keep: bool = False,
    jumped: Callable[[int], None] = lambda _index: None,
) -> Tensor:
    """Sample `x` (B,C,… at the first sigma) with what is known of it and return it at the last sigma.

    `model(x, a sigma per row)` gives the clean latent, `noise(sigma, visit)` normal noise of its shape,
    `report(call, denoised, x)` hears of each call, `jumped(index)` of each jump back to a sigma. With `keep`
    the start is more than noise, and jumps lead back towards it. Raises ValueError as `plan` does, and for
    NaN.
    """
    values = sigmas.tolist()
    levels = [path.level(sigma) for sigma in values]
    downs = [path.ancestral_sigma_down(above, below, settings.eta) for above, below in pairwise(values)]
    ends, rows = sigmas.new_tensor(downs), x.new_ones(len(x))
    normal, call = noise(values[0], 0), 0
    known = replace(known, start=(x, levels[0])) if keep else known
    for move in plan(values, settings):
        here, there = levels[move.origin], levels[move.target]
        if not move.asks_model:
            normal = noise(values[move.target], move.visit)
            x = known.bridge(x, sigmas[move.target] * rows, here, there, normal)
            jumped(move.target)
            continue
        sigma = sigmas[move.origin]
        x = known.renoise_known(x, sigma * rows, here, normal)
        denoised = known.replace_known(model(x, sigma * rows), sigma * rows)
        report(call, denoised, x)
        call += 1
        # Euler's step in Karras et al.'s coordinates, which is DDIM's for every path.
        x = x + (x - denoised) / sigma * (ends[move.origin] - sigma)
        if there.noise:
            normal = noise(values[move.target], move.visit)
            x = renoise(x, path.level(downs[move.origin]), there, normal) if settings.eta else x
    check_finite(x)
    return x
