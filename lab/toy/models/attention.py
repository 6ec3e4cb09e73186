"""Attention written out: torch's fused one has a slow backward on a CPU, and keeps its probabilities."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def probabilities(q: Tensor, k: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """softmax(q kᵀ / √d + mask) B,heads,N,M of q B,N,C and k B,M,C."""
    q, k = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (q, k))
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return (scores if mask is None else scores + mask).softmax(-1).to(q.dtype)


def applied(weights: Tensor, v: Tensor) -> Tensor:
    """Values B,M,C weighted by B,heads,N,M, as B,N,C."""
    v = v.unflatten(-1, (weights.shape[1], -1)).transpose(1, 2)
    return (weights @ v).transpose(1, 2).flatten(2)


def attention(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor | None = None, **_: Any) -> Tensor:
    """Attention as ComfyUI calls it, for q, k and v B,N,C without further options."""
    return applied(probabilities(q, k, heads, mask), v)


class AttentionRecorder:
    """Attention that keeps the probabilities B,N,K of every layer with K keys, averaged over heads."""

    def __init__(self, keys: int) -> None:
        self.keys = keys
        self.maps: list[Tensor] = []

    def override(self, _: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, **others: Any) -> Tensor:
        """As `optimized_attention_override` of transformer options."""
        weights = probabilities(q, k, heads, others.get("mask"))
        if k.shape[1] == self.keys:
            self.maps.append(weights.float().mean(1))
        return applied(weights, v)
