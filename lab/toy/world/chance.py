"""Reproducible draws: only the generator's raw doubles are used, whose stream numpy keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
PARTS = ("train", "validation", "test", "judge")


class Chance:
    """One stream of draws; part, seed and topic together name it, so streams never meet."""

    def __init__(self, part: str, seed: int, topic: int) -> None:
        if part not in PARTS:
            raise ValueError(
                f"Expected one of the parts {', '.join(PARTS)}, got {part!r}; choose one of them."
            )
        if not 0 <= seed < 2**32:
            raise ValueError(f"Expected a seed from 0 to 2^32 - 1, got {seed}; choose one in that range.")
        self._next = np.random.Generator(np.random.PCG64([PARTS.index(part), seed, topic])).random

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(self._next())

    def happens(self, probability: float) -> bool:
        return float(self._next()) < probability

    def choice(self, options: Sequence[T]) -> T:
        return options[int(float(self._next()) * len(options))]

    def sign(self) -> int:
        return 1 if self.happens(0.5) else -1
