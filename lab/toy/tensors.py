"""Pictures and masks as the networks take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def stacked(images: Sequence[np.ndarray]) -> Tensor:
    """Pictures H,W,3 uint8 of one size as B,3,H,W in 0…1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div(255)


def in_cells(mask: Tensor) -> Tensor:
    """Masks B,1,H,W as the inpaint model sees them: B,1,H/8,W/8, 0 or 1, shrunk the way ComfyUI does it."""
    cells = functional.interpolate(mask, (mask.shape[2] // 8, mask.shape[3] // 8), mode="bilinear")
    return cells.round()


def grown(mask: np.ndarray, by: int) -> np.ndarray:
    """The mask (bool H,W) and what lies at most `by` pixels beside it in both directions."""
    return functional.max_pool2d(torch.from_numpy(mask)[None].float(), 2 * by + 1, 1, by)[0].numpy() > 0
