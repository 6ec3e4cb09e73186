"""Normal noise that depends on nothing but what it is for: the same on every device and in any batch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


class NoiseSampler:
    """Normal noise by seed, row of the batch, sigma and visit, drawn on the CPU.

    `rows` are the rows' numbers in the batch that they were made in, 0, 1, … unless told otherwise.
    """

    def __init__(self, seed: int, like: Tensor, rows: Sequence[int] | None = None) -> None:
        self.seed, self.like = seed, like
        self.rows = range(len(like)) if rows is None else rows
        self.generator = torch.Generator()

    def __call__(self, sigma: float, visit: int) -> Tensor:
        """Noise in the shape of `like` (B,C,…) for the visit-th arrival at `sigma`."""
        normal = torch.empty(self.like.shape)
        for row, number in enumerate(self.rows):
            label = f"{self.seed} {number} {sigma!r} {visit}".encode()
            self.generator.manual_seed(int.from_bytes(hashlib.sha256(label).digest()[:8], "little"))
            torch.randn(normal.shape[1:], generator=self.generator, out=normal[row])
        return normal.to(self.like, non_blocking=True)
