"""Which precision a painted mask has: that of the level whose masks look like it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..mask.bounds import bounds_of_mask
from ..mask.distance import to_nearest
from .precision import BOX

# Found on drawn things, their levels and scribbles over them; see tests/lab/test_guess_precision.py.
NOTCHED, PEAKED = 0.005, 0.03
ROUND, FULL = 0.93, 0.98


class Looks(NamedTuple):
    """What sets levels apart, as shares of the mask's pixels: how much of its box it fills, and how much of
    it lies in notches and in peaks that are narrower than two latent cells, where no blur leaves any."""

    filled: float
    notches: float
    peaks: float


def guess(mask: Tensor, cell: float) -> int:
    """The precision of one painted mask (1,1,H,W, 0…1) in a model of `cell` px a latent cell.

    A shape without details and corners, a ball, looks alike at all levels but the box; the middle is taken.
    ValueError for an empty mask.
    """
    found = looks(mask, cell)
    if found.notches > NOTCHED:
        return 0 if found.peaks > PEAKED else 1
    if found.filled <= ROUND:
        return 2
    return BOX - 1 if found.filled <= FULL else BOX


def looks(mask: Tensor, cell: float) -> Looks:
    """What is to be seen of a mask (1,1,H,W); ValueError for an empty one."""
    mask = (mask >= 0.5).float()
    box = bounds_of_mask(mask)
    if box is None:
        raise ValueError("the mask is empty; paint where the thing is to be.")
    inside = mask[0, 0, box.y : box.bottom, box.x : box.right].cpu().numpy() > 0
    area = int(inside.sum())
    around = np.pad(inside, int(cell) + 2)
    closed, opened = ~grown(~grown(around, cell), cell), grown(~grown(~around, cell), cell)
    return Looks(area / inside.size, closed.sum() / area - 1, 1 - opened.sum() / area)


def grown(inside: np.ndarray, radius: float) -> np.ndarray:
    """A mask (bool H,W) and everything within `radius` px of it."""
    return to_nearest(inside, radius) <= radius
