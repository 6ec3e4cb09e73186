"""Solvers of a diffusion model's ordinary differential equation that run up in noise as well as down.

All work on dx/dsigma = slope(x, sigma), which is the predicted noise of eps and v models in Karras et al.'s
coordinates and the velocity of flow models. Each is a generator of the states at `levels` after the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

Slope = Callable[[Tensor, float], Tensor]  # (B,C,…) and a sigma, 0 included, to dx/dsigma


def fixed_point(
    slope: Slope,
    x: Tensor,
    levels: list[float],
    iterations: int,
    tolerance: float = 0.0,
    hear: Callable[[float], None] = lambda change: None,
) -> Iterator[Tensor]:
    """Implicit Euler by fixed-point iteration, the inverse of Euler's step (Pan et al. 2023, ReNoise 2024).

    Each step makes 1 + `iterations` calls of `slope`; 0 iterations are Euler's own step. A row that an
    iteration changes by less than `tolerance` of its mean absolute value stays as it is from then on. `hear`
    gets the largest such change of each step's last iteration.
    """
    for here, there in pairwise(levels):
        found = x + (there - here) * slope(x, here)
        settled = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        change = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for _ in range(iterations):
            if bool(settled.all()):
                break
            following = x + (there - here) * slope(found, there)
            moved = _size(following - found) / _size(following).clamp(min=torch.finfo(x.dtype).tiny)
            change = torch.where(settled, change, moved)
            found = torch.where(_rows(settled, x), found, following)
            settled = settled | (moved < tolerance)
        hear(float(change.max()))
        x = found
        yield x


def leapfrog(slope: Slope, older: Tensor, x: Tensor, levels: list[float]) -> Iterator[Tensor]:
    """O-BELM (Wang et al. 2024): two states, one call a step, order 2; run backwards it undoes itself.

    `older` is the state at the first of `levels`, `x` at the second; yields those at the third and on.
    """
    for before, here, there in zip(levels, levels[1:], levels[2:], strict=False):
        ahead, behind = here - there, before - here
        ratio = (ahead / behind) ** 2
        push = ahead * (ahead + behind) / behind
        older, x = x, ratio * older + (1 - ratio) * x - push * slope(x, here)
        yield x


def o_belm(slope: Slope, x: Tensor, levels: list[float]) -> Iterator[Tensor]:
    """O-BELM from one state: the first step is Euler's."""
    second = x + (levels[1] - levels[0]) * slope(x, levels[0])
    yield second
    yield from leapfrog(slope, x, second, levels)


def midpoint(slope: Slope, x: Tensor, levels: list[float]) -> Iterator[Tensor]:
    """The midpoint rule, two calls a step (RF-Solver of order 2, Wang et al. 2024)."""
    for here, there in pairwise(levels):
        middle = x + (there - here) / 2 * slope(x, here)
        x = x + (there - here) * slope(middle, (here + there) / 2)
        yield x


def firefly(slope: Slope, x: Tensor, levels: list[float]) -> Iterator[Tensor]:
    """FireFlow (Deng et al. 2024): the midpoint rule, its first call replaced by the last midpoint's."""
    latest = slope(x, levels[0])
    for here, there in pairwise(levels):
        latest = slope(x + (there - here) / 2 * latest, (here + there) / 2)
        x = x + (there - here) * latest
        yield x


def ddim(slope: Slope, x: Tensor, levels: list[float], exploding: bool) -> Iterator[Tensor]:
    """DDIM inversion as published: the model sees the state of one level with the sigma of the next.

    There the states are scaled by 1 / √(1 + sigma²) of their own level, so the model sees them rescaled.
    """
    for here, there in pairwise(levels):
        scale = math.sqrt((1 + there**2) / (1 + here**2)) if exploding else 1.0
        x = x + (there - here) * slope(scale * x, there)
        yield x


def _size(x: Tensor) -> Tensor:
    """The mean absolute value of each row."""
    return x.abs().flatten(1).mean(1)


def _rows(chosen: Tensor, like: Tensor) -> Tensor:
    return chosen.reshape(-1, *[1] * (like.ndim - 1))
