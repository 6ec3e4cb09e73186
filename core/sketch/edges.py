"""Lines of a picture: Canny's detector (1986) without weights, and thin lines of what a network finds."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..mask.distance import to_nearest
from ..mask.pieces import touching

FAINT = 0.04  # change per pixel that counts as full strength where nothing in the picture is stronger
STRONGEST = 0.99  # the share of pixels below full strength
LOW = 0.4  # Canny's lower threshold, as a share of the upper one
RIM = 1.5  # px around a mask where a line may still be its rim
SECTOR = math.tan(math.pi / 8)


def strength(picture: Tensor, blur: float) -> np.ndarray:
    """How strong an edge each pixel of a picture (C,H,W in 0…1) lies on the ridge of: float32 H,W, 0…1."""
    soft = _blurred(picture[None], blur)
    near = F.pad(soft, (1, 1, 1, 1), mode="replicate")
    dx = (near[..., 1:-1, 2:] - near[..., 1:-1, :-2])[0] / 2
    dy = (near[..., 2:, 1:-1] - near[..., :-2, 1:-1])[0] / 2
    squares = dx * dx + dy * dy
    best = squares.argmax(0, keepdim=True)  # of the channels the one that changes most
    dx, dy = dx.gather(0, best)[0], dy.gather(0, best)[0]
    found = squares.gather(0, best)[0].sqrt()
    full = max(float(np.quantile(found.numpy(), STRONGEST)), FAINT)
    return (_ridges(found, dx, dy) / full).clamp(0, 1).numpy()


def _blurred(picture: Tensor, sigma: float) -> Tensor:
    """A picture (1,C,H,W) under a Gaussian; its outermost pixels go on beyond it."""
    if sigma <= 0:
        return picture
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (weights / weights.sum()).to(picture).expand(picture.shape[1], 1, 1, -1)
    wide = F.pad(picture, (reach, reach, 0, 0), mode="replicate")
    wide = F.conv2d(wide, kernel, groups=picture.shape[1])
    wide = F.pad(wide, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(wide, kernel.mT, groups=picture.shape[1])


def _ridges(found: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """The strengths where none of the two neighbours across the edge is stronger, 0 elsewhere."""
    near = F.pad(found[None, None], (1, 1, 1, 1))[0, 0]
    height, width = found.shape

    def at(across: int, down: int) -> Tensor:
        return near[1 + down : 1 + down + height, 1 + across : 1 + across + width]

    x, y = dx.abs(), dy.abs()
    flat, steep, falling = y <= SECTOR * x, x <= SECTOR * y, dx * dy > 0
    before = torch.where(falling, at(-1, -1), at(1, -1))
    after = torch.where(falling, at(1, 1), at(-1, 1))
    before = torch.where(flat, at(-1, 0), torch.where(steep, at(0, -1), before))
    after = torch.where(flat, at(1, 0), torch.where(steep, at(0, 1), after))
    # Of two that are equally strong the second is kept.
    return torch.where((found >= before) & (found > after), found, 0.0)


def binarised(strengths: np.ndarray, threshold: float) -> np.ndarray:
    """Where lines are (bool H,W): above the threshold, or joined to that by what is above LOW of it."""
    return touching(strengths >= LOW * threshold, strengths >= threshold)


def thinned(lines: np.ndarray) -> np.ndarray:
    """Lines (bool H,W) one pixel wide, by Zhang and Suen (1984)."""
    found, changed = np.pad(lines, 1), True
    while changed:
        changed = False
        for second in (False, True):
            away = _removable(found, second)
            changed = changed or bool(away.any())
            found[1:-1, 1:-1] &= ~away
    return found[1:-1, 1:-1]


def _removable(found: np.ndarray, second: bool) -> np.ndarray:
    """The pixels that one half step of the thinning takes away."""
    height, width = found.shape
    # The neighbours from the one above on, clockwise.
    turns = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    around = [found[1 + y : height - 1 + y, 1 + x : width - 1 + x] for y, x in turns]
    many = sum(each.astype(np.int8) for each in around)
    begins = sum((~a & b).astype(np.int8) for a, b in zip(around, [*around[1:], around[0]], strict=True))
    up, right, down, left = around[::2]
    first = (
        ~(up & down & left) & ~(up & right & left)
        if second
        else ~(up & right & down) & ~(right & down & left)
    )
    return found[1:-1, 1:-1] & (many >= 2) & (many <= 6) & (begins == 1) & first


def widened(lines: np.ndarray, width: int) -> np.ndarray:
    """Lines one pixel wide (bool H,W) made `width` pixels wide."""
    if width % 2 == 0:
        # An even line has no middle pixel; it lies half a pixel down and to the right.
        grown = lines.copy()
        grown[1:] |= lines[:-1]
        grown[:, 1:] |= grown[:, :-1].copy()
        lines = grown
        width -= 1
    if width <= 1 or not lines.any():
        return lines
    reach = (width - 1) / 2
    return to_nearest(lines, reach + 1) <= reach + 0.2


def sketch(
    picture: Tensor, blur: float, threshold: float, width: int, within: np.ndarray | None
) -> np.ndarray:
    """The lines (bool H,W) of a picture (C,H,W), `width` px wide.

    Of those beside `within` (bool H,W) the ones along its rim are kept, or an outline would be halved.
    """
    thin = thinned(binarised(strength(picture, blur), threshold))
    if within is not None:
        thin &= to_nearest(within, RIM + 1) <= RIM
    return widened(thin, width)
