"""Intervals by resampling whole pictures (Efron 1979): percentile, 95 %, paired where two methods differ."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np

RESAMPLES, SEED, COVERAGE = 10_000, 0, 0.95
LARGEST = 10**7  # values in memory at once


class Statistic(Enum):
    """What stands for all pictures; the median where a few pictures read ten times the others."""

    MEAN = "mean"
    MEDIAN = "median"


class Interval(NamedTuple):
    """A mean or median and the interval that holds it in 95 of 100 resamplings."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def shown(found: Interval, digits: int = 3) -> str:
    """A value with its interval."""
    return f"{found.value:.{digits}f} ({found.low:.{digits}f} … {found.high:.{digits}f})"


def interval(values: Sequence[float], statistic: Statistic = Statistic.MEAN) -> Interval:
    """The statistic of one value per picture with its interval; ValueError without a value."""
    found = np.asarray(values, np.float64)
    if not len(found):
        raise ValueError("Expected at least one picture's value, got none; measure a picture first.")
    of = np.mean if statistic is Statistic.MEAN else np.median
    generator = np.random.default_rng(SEED)
    at_once = max(LARGEST // len(found), 1)
    parts = [
        of(found[generator.integers(len(found), size=(min(at_once, RESAMPLES - start), len(found)))], axis=1)
        for start in range(0, RESAMPLES, at_once)
    ]
    low, high = np.quantile(np.concatenate(parts), [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(of(found)), float(low), float(high))


def paired(
    first: Sequence[float], second: Sequence[float], statistic: Statistic = Statistic.MEAN
) -> Interval:
    """The statistic of first − second over the same pictures in the same order, with its interval."""
    if len(first) != len(second):
        raise ValueError(
            f"Expected both methods on the same pictures, got {len(first)} and {len(second)} values; "
            "leave out what only one has."
        )
    return interval(np.asarray(first, np.float64) - np.asarray(second, np.float64), statistic)
