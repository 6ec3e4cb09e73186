"""Schedules of noise levels."""

from __future__ import annotations

from .noise_schedule import NoiseSchedule


def karras(path: NoiseSchedule, steps: int, lowest: float, highest: float) -> list[float]:
    """`steps` + 1 sigmas from the path's noisiest to 0, even in the 7th root of noise per signal.

    `lowest` and `highest` are noise per signal (Karras et al. 2022, eq. 5); a flow begins with noise alone.
    """
    flow = not path.level(1.0).signal
    count = steps - flow
    ends = highest ** (1 / 7), lowest ** (1 / 7)
    share = [index / max(1, count - 1) for index in range(count)]
    ratios = [(ends[0] + part * (ends[1] - ends[0])) ** 7 for part in share]
    if not flow:
        return [*ratios, 0.0]
    mixed = [ratio / path.scale for ratio in ratios]
    return [1.0, *(ratio / (1 + ratio) for ratio in mixed), 0.0]
