"""What makes one word of a picture: the blocks after the vision tower, and the learned word of no picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class Sizes(NamedTuple):
    """The tower's width, the width of a word, how many blocks, and how much wider their inner layer is."""

    width: int
    word: int
    blocks: int
    inner: int


def sizes_of(weights: Mapping[str, Tensor]) -> Sizes:
    """The sizes of a head by its weights; KeyError for one that is missing."""
    word, width = weights["project.weight"].shape
    numbers = {name.split(".")[1] for name in weights if name.startswith("blocks.")}
    inner = weights["blocks.0.wide.weight"].shape[0] if numbers else 4 * width
    return Sizes(width, word, len(numbers), inner)


class Block(nn.Module):
    """A transformer's block for a sequence of one: attention is the identity there, only values count."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.out(self.value(self.norm1(x)))
        return x + self.narrow(F.gelu(self.wide(self.norm2(x))))


class Head(nn.Module):
    """From what a vision tower has pooled (B,C) to one word a picture (B,1,N)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.blocks = nn.ModuleList(Block(sizes.width, sizes.inner) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(sizes.width)
        self.project = nn.Linear(sizes.width, sizes.word)
        # Stands for no picture: what guidance leads away from.
        self.null = nn.Parameter(self.project.weight.new_zeros(1, 1, sizes.word))

    def forward(self, pooled: Tensor) -> Tensor:
        for block in self.blocks:
            pooled = block(pooled)
        return self.project(self.norm(pooled))[:, None]
