"""Masks between pixels and latent cells, and between picture sizes, without losing a thin stroke."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..shapes import Size


def check_aspect(mask: Size, cells: Size, name: str) -> None:
    """ValueError unless a mask of this size, in pixels or cells, can belong to a latent of so many cells."""
    # A VAE cuts the pixels off that do not fill a cell, so a cell stands for a range of sizes.
    least = max(mask.width / (cells.width + 1), mask.height / (cells.height + 1))
    if least >= min(mask.width / cells.width, mask.height / cells.height):
        raise ValueError(
            f"{name} is {mask} and the latent {cells} cells, which is another aspect; "
            "connect the mask of the picture that was encoded."
        )


def to_cells(mask: Tensor, ratio: int, grow: int = 0) -> Tensor:
    """The latent cells (B,1,ceil(H/ratio),ceil(W/ratio)) to repaint: 1 if any pixel of a cell is above 0.

    `grow` repaints that many more cells in all eight directions. A last, incomplete cell counts as a cell.
    """
    cells = (F.max_pool2d(mask, ratio, ceil_mode=True) > 0).float()
    return F.max_pool2d(cells, 2 * grow + 1, stride=1, padding=grow) if grow else cells


def to_pixels(cells: Tensor, ratio: int, size: Size) -> Tensor:
    """The pixels (B,1,H,W of `size`) that the cells cover."""
    pixels = cells.repeat_interleave(ratio, -2).repeat_interleave(ratio, -1)
    return pixels[..., : size.height, : size.width]


def resize_to_maximum(mask: Tensor, size: Size) -> Tensor:
    """Resize a mask (B,1,h,w) so that every new pixel is the maximum of all old pixels it overlaps.

    Thin strokes survive any reduction, and what is repainted is never less than what was asked for.
    """
    if mask.shape[-2:] == (size.height, size.width):
        return mask.clone()
    return F.adaptive_max_pool2d(mask, (size.height, size.width))


def over_frames(cells: Tensor, frames: int, batch: int) -> Tensor:
    """Arrange cells (N,1,h,w) for a video latent as batch,1,frames,h,w: one mask per video, or one per frame.

    N must be 1 or `batch`, or, for a single video, the number of its frames before the latent joined them;
    then a latent frame is repainted where any of its frames is.
    """
    count, _, height, width = cells.shape
    if count in (1, batch):
        return cells[:, :, None].expand(batch, 1, frames, height, width).clone()
    if batch != 1:
        raise ValueError(f"There are {count} masks but {batch} videos; connect one mask, or one per video.")
    joined = F.adaptive_max_pool1d(cells.flatten(1).mT[None], frames)[0].mT
    return joined.reshape(1, 1, frames, height, width)
