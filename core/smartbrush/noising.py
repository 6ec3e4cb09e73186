"""Noise in a mask alone: what SmartBrush is shown of a picture (Xie et al. 2023, eq. 4)."""

from __future__ import annotations

from torch import Tensor


def shown(noisy: Tensor, clean: Tensor, mask: Tensor) -> Tensor:
    """x̃ₜ ⊙ m + x₀ ⊙ (1 − m) of latents B,C,h,w: noise in the mask (B,1,h,w), the picture as it is outside.

    The latent outside is not scaled down as a noisy one is: it is x₀ at every step.
    """
    return noisy * mask + clean * (1 - mask)
