"""Which values of a mask count."""

from __future__ import annotations

import torch
from torch import Tensor

from ..memory import zeros

# 8-bit pictures hold 1/255 by accident where 0 was meant: compressed, resized or blended with transparency.
LEAST = 1.5 / 255


def without_traces(mask: Tensor) -> Tensor:
    """A float32 copy of a mask (…,H,W) in which everything below LEAST, negative values too, is 0."""
    mask = mask.float()
    result, held = zeros(mask.shape, mask.device), _held_rows(mask)
    torch.threshold(mask[..., held, :], LEAST, 0.0, out=result[..., held, :])
    return result


def copied(mask: Tensor) -> Tensor:
    """A float32 copy of a mask (…,H,W; 0…1) of which only the rows that hold anything take memory."""
    result, held = zeros(mask.shape, mask.device), _held_rows(mask)
    result[..., held, :] = mask[..., held, :]
    return result


def _held_rows(mask: Tensor) -> slice:
    """The rows of a mask (…,H,W) from the first to the last that holds anything above 0, or NaN."""
    # Not `amax > 0`: NaN has to come back from every node that was given it.
    rows = (mask.amax(-1) <= 0).logical_not_().reshape(-1, mask.shape[-2]).any(0).nonzero()
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
