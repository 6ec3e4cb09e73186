"""Maps of concepts from the attention outputs of a picture's tokens.

Helbling et al., ConceptAttention: Diffusion Transformers Learn Highly Interpretable Features (ICML 2025).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# A concept takes part of the picture from the others, so what is no thing has concepts of its own.
BACKGROUND = ("background", "floor", "wall", "grass", "sky")


def with_background(words: Sequence[str]) -> list[str]:
    """The different concepts of some words, and those of the background that are not among them."""
    named = {word.casefold() for word in words}
    return [*dict.fromkeys(words), *(each for each in BACKGROUND if each not in named)]


def concept_scores(concepts: Tensor, picture: Tensor) -> Tensor:
    """How alike attention outputs of concepts (B,M,C) and of a picture (B,N,C) are: B,M,N float32."""
    return concepts.float() @ picture.float().transpose(-1, -2)


def concept_shares(scores: Sequence[Tensor]) -> Tensor:
    """Each concept's share of each token, mean over layers' scores B,M,N; the concepts add up to 1."""
    return torch.stack([each.softmax(-2) for each in scores]).mean(0)


def stretched_together(shares: Tensor) -> Tensor:
    """Maps (B,M,…) from the lowest to the highest value of all concepts of a row as 0…1."""
    flat = shares.flatten(1)
    shape = (-1, *[1] * (shares.ndim - 1))
    low, high = flat.amin(1).view(shape), flat.amax(1).view(shape)
    return (shares - low) / (high - low).clamp(min=1e-12)
