"""What SmartBrush is taught: the noise in the mask, and the thing's own mask (Xie et al. 2023)."""

from __future__ import annotations

import torch
from torch import Tensor

SMOOTH = 1e-5  # keeps the DICE of two empty masks finite
LAMBDA = 0.01  # of the DICE loss


def dice(logit: Tensor, mask: Tensor) -> Tensor:
    """1 − 2 |X ∩ Y| / (|X| + |Y|) of σ(logits) and masks (both B,1,h,w), for each picture (B)."""
    found, wanted = logit.float().sigmoid().flatten(1), mask.float().flatten(1)
    both = (found * wanted).sum(1)
    return 1 - (2 * both + SMOOTH) / (found.sum(1) + wanted.sum(1) + SMOOTH)


def in_mask(wrong: Tensor, mask: Tensor) -> Tensor:
    """The mean square of errors (B,C,h,w) in a mask (B,1,h,w; 0 or 1), for each picture (B).

    Outside of it the network is shown no noise, so there is none to be predicted.
    """
    total = (wrong.square().mean(1, keepdim=True) * mask).sum((1, 2, 3))
    return total / mask.sum((1, 2, 3)).clamp(min=1)


def loss(wrong: Tensor, mask: Tensor, logit: Tensor, exact: Tensor, objects: Tensor) -> Tensor:
    """The mean over pictures of the error of noise in the mask, and λ times the DICE loss of the predicted
    mask against the exact one, which only pictures of objects have (B, 1 for one)."""
    shapes = (dice(logit, exact) * objects).sum() / objects.sum().clamp(min=1)
    return in_mask(wrong, mask).mean() + LAMBDA * torch.as_tensor(shapes)
