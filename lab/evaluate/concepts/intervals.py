"""Intervals over things, then over the pictures of each: both are drawn anew (Davison & Hinkley 1997)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..bootstrap import COVERAGE, RESAMPLES, SEED, Interval

Values = Sequence[Sequence[float]]  # of each thing one of each picture
AT_ONCE = 1000


def nested(values: Values) -> Interval:
    """The mean over things of their means over pictures, with its interval."""
    found = table(values)
    means = np.concatenate([found[one, other].mean((1, 2)) for one, other in draws(*found.shape)])
    return Interval(float(found.mean()), *limits(means))


def difference(first: Values, second: Values) -> Interval:
    """The mean of first − second over the same things and pictures."""
    return nested(table(first) - table(second))


def ratio(first: Values, second: Values) -> Interval | None:
    """The mean of the first in shares of the second's over the same things; None where the second is 0."""
    one, other = table(first), table(second)
    if one.shape != other.shape:
        raise ValueError(f"Expected two tables of one shape, got {one.shape} and {other.shape}; take others.")
    if not other.sum():
        return None
    sums = [(one[at].mean((1, 2)), other[at].mean((1, 2))) for at in draws(*one.shape)]
    above, below = (np.concatenate(each) for each in zip(*sums, strict=True))
    there = below > 0
    return Interval(float(one.mean() / other.mean()), *limits(above[there] / below[there]))


def table(values: Values) -> np.ndarray:
    """The values as numbers T,P; ValueError without any, or where things differ in how many they have."""
    if not len(values) or len({len(row) for row in values}) != 1 or not len(values[0]):
        raise ValueError(
            f"Expected as many pictures of each thing, got {[len(row) for row in values]}; measure the rest."
        )
    return np.asarray(values, np.float64)


def draws(things: int, pictures: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices R,T,1 and R,T,P of things and of their pictures, drawn with replacement."""
    random = np.random.default_rng(SEED)
    for _ in range(RESAMPLES // AT_ONCE):
        one = random.integers(things, size=(AT_ONCE, things, 1))
        yield one, random.integers(pictures, size=(AT_ONCE, things, pictures))


def limits(means: np.ndarray) -> tuple[float, float]:
    """The ends of the interval that holds 95 of 100 of them."""
    low, high = np.quantile(means, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return float(low), float(high)
