"""Masks of one thing from exact to its box, as SmartBrush is taught them (Xie et al. 2023, §3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..mask.bounds import bounds_of_mask

# Standard deviations of the blur in latent cells: 8, 16, 32 and 64 px in Stable Diffusion's. The paper does
# not publish its own; these are our choice. The first level is the exact mask, one after the last the box.
SIGMAS = (0.0, 1.0, 2.0, 4.0, 8.0)
BOX = len(SIGMAS)
LEVELS = BOX + 1
THRESHOLD = 0.05  # of the blurred mask; a straight edge moves outwards by 1.64 sigma


def family(mask: Tensor, cell: float, last: int = BOX) -> list[Tensor]:
    """The masks of the levels 0 to `last` of masks (B,1,H,W, 0…1) in a model of `cell` px a latent cell.

    Level 0 is the mask itself, the last one the smallest box around it. Between them lies what a blur of the
    mask raises above THRESHOLD, within the box. Each level holds the one before it.
    """
    per_picture = [_family_of(one, cell, last) for one in mask.split(1)]
    return [torch.cat(level) for level in zip(*per_picture, strict=True)]


def at_precision(mask: Tensor, level: int, cell: float) -> Tensor:
    """The masks of one level, a copy; ValueError for a level that there is not."""
    if not 0 <= level < LEVELS:
        raise ValueError(f"Expected a precision from 0 (exact) to {BOX} (box), got {level}; choose another.")
    return family(mask, cell, level)[level].clone()


def groups(latent_masks: Sequence[Tensor]) -> list[list[int]]:
    """The levels of a family by their masks in latent cells: levels with the same cells are of one group."""
    found: list[list[int]] = []
    for level, mask in enumerate(latent_masks):
        if found and torch.equal(mask, latent_masks[found[-1][0]]):
            found[-1].append(level)
        else:
            found.append([level])
    return found


def _family_of(mask: Tensor, cell: float, last: int) -> list[Tensor]:
    """The levels of one mask (1,1,H,W)."""
    box = bounds_of_mask(mask)
    if box is None:
        return [mask] * (last + 1)
    part = (..., slice(box.y, box.bottom), slice(box.x, box.right))
    found = [mask]
    for sigma in SIGMAS[1 : last + 1]:
        wider = found[-1].clone()
        # Nothing of the mask lies outside of its box, so the blur of the part is that of the whole.
        wider[part][blurred(mask[part], sigma * cell) > THRESHOLD] = 1
        found.append(wider)
    if last == BOX:
        whole = mask.clone()
        whole[part] = 1
        found.append(whole)
    return found


def blurred(mask: Tensor, sigma: float) -> Tensor:
    """A mask (B,1,H,W) blurred by a Gaussian of `sigma` px that is cut at three of them; 0 outside."""
    return _along_rows(_along_rows(mask, sigma).mT, sigma).mT


def _along_rows(values: Tensor, sigma: float) -> Tensor:
    """The same along the last axis, by Fourier transforms: kernels are hundreds of pixels long."""
    reach, width = math.ceil(3 * sigma), values.shape[-1]
    steps = torch.arange(-reach, reach + 1, device=values.device, dtype=values.dtype)
    kernel = torch.exp(-steps.square() / (2 * sigma**2))
    length = -(-(width + 2 * reach) // 64) * 64  # of few small factors, and too long to wrap around
    product = torch.fft.rfft(values, length) * torch.fft.rfft(kernel / kernel.sum(), length)
    return torch.fft.irfft(product, length)[..., reach : reach + width]
