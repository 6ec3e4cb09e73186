"""Normal noise that depends on nothing but what it is for: the same on every device and in any batch."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


class NoiseSampler:
    """Normal noise by seed, row of the batch, sigma and visit, drawn on the CPU."""

    def __init__(self, seed: int, like: Tensor) -> None:
        self.seed, self.like = seed, like
        self.generator = torch.Generator()

    def __call__(self, sigma: float, visit: int) -> Tensor:
        """Noise in the shape of `like` (B,C,…) for the visit-th arrival at `sigma`."""
        normal = torch.empty(self.like.shape)
        for row in range(len(normal)):
            label = f"{self.seed} {row} {sigma!r} {visit}".encode()
            self.generator.manual_seed(int.from_bytes(hashlib.sha256(label).digest()[:8], "little"))
            torch.randn(normal.shape[1:], generator=self.generator, out=normal[row])
        return normal.to(self.like, non_blocking=True)
