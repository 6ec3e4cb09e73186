"""What the small diffusion models are asked to paint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BATCH = 8


@dataclass(frozen=True)
class Order:
    """What is to be painted: words, size in px, seed; if wanted a skeleton, and a picture with its hole."""

    words: str
    height: int
    width: int
    seed: int
    skeleton: np.ndarray | None = None  # H,W,3 uint8
    picture: np.ndarray | None = None  # H,W,3 uint8
    hole: np.ndarray | None = None  # bool H,W

    @property
    def room(self) -> tuple[int, int]:
        return self.height, self.width


def batches(orders: Sequence[Order]) -> Iterator[list[int]]:
    """Indices of orders that can be painted together."""

    def kind(order: Order) -> tuple:
        return order.room, order.skeleton is None, order.hole is None

    for one in sorted({kind(order) for order in orders}):
        same = [index for index, order in enumerate(orders) if kind(order) == one]
        for start in range(0, len(same), BATCH):
            yield same[start : start + BATCH]
