"""Schedules of noise levels."""

from __future__ import annotations

import math
from itertools import pairwise

from .noise_schedule import NoiseSchedule

# Of the schedule for Lagrange, by the exact KL divergences on random Gaussian problems and on pictures of 8x8
# numbers, at 20 and 50 steps alike. Above the highest noise per signal a latent shows next to nothing.
HIGHEST, ROOT = 15.0, 4
# The first step is as wide as so many others would be among 20, because little is learnt there.
FIRST = 20
# Levels further apart than this ratio leave the multiplier behind, below a noise per signal where it matters.
FAR_APART, MATTERS = 2.2, 6.0


def karras(path: NoiseSchedule, steps: int, lowest: float, highest: float) -> list[float]:
    """`steps` + 1 sigmas from the path's noisiest to 0, even in the 7th root of noise per signal.

    `lowest` and `highest` are noise per signal (Karras et al. 2022, eq. 5); a flow begins with noise alone.
    """
    flow = not path.level(1.0).signal
    ratios = _even(7, steps - flow, highest, lowest)
    return [*([1.0] if flow else []), *(_sigma(path, ratio) for ratio in ratios), 0.0]


def inpaint(path: NoiseSchedule, steps: int, lowest: float, noisiest: float) -> list[float]:
    """`steps` + 1 sigmas for Lagrange: the noisiest, a wide step, then even in a root of noise per signal.

    `lowest` is the last noise per signal above 0, `noisiest` a sigma of the model.
    """
    first = min(HIGHEST, path.level(noisiest).noise_to_signal)
    highest = max(first * math.exp(-FIRST / max(FIRST, steps)), math.sqrt(first * lowest))
    ratios = _even(ROOT, steps - 1, highest, lowest)
    return [noisiest, *(_sigma(path, ratio) for ratio in ratios), 0.0]


def widest_step(path: NoiseSchedule, sigmas: list[float]) -> float:
    """The largest ratio of noise per signal between neighbours where it matters and above 0."""
    ratios = [path.level(sigma).noise_to_signal for sigma in sigmas if sigma > 0]
    return max((above / below for above, below in pairwise(ratios) if above <= MATTERS), default=1.0)


def _even(root: float, count: int, highest: float, lowest: float) -> list[float]:
    """`count` values from the highest to the lowest, even in a root of theirs."""
    above, below = highest ** (1 / root), lowest ** (1 / root)
    return [(above + index / max(1, count - 1) * (below - above)) ** root for index in range(count)]


def _sigma(path: NoiseSchedule, ratio: float) -> float:
    """The sigma with this noise per signal."""
    if path.level(1.0).signal:
        return ratio
    mixed = ratio / path.scale
    return mixed / (1 + mixed)
