"""Masks between pixels and latent cells, and between picture sizes, without losing a thin stroke."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from ..shapes import Box, Size


class Grid(NamedTuple):
    """Where latent cells of `ratio` px a side lie on a picture: the first one's corner, and their number."""

    ratio: int
    left: int
    top: int
    cells: Size

    @property
    def box(self) -> Box:
        """The pixels that the cells hold; the last ones may reach beyond the picture."""
        return Box(self.left, self.top, self.cells.width * self.ratio, self.cells.height * self.ratio)


def whole_grid(size: Size, ratio: int) -> Grid:
    """The cells of a picture counted from its corner; a last, incomplete cell is a cell."""
    return Grid(ratio, 0, 0, Size(-(-size.width // ratio), -(-size.height // ratio)))


def cut_grid(size: Size, ratio: int) -> Grid:
    """The cells of a picture of which a VAE cuts off, half on each side, what fills no cell.

    Raises ValueError for a picture that is smaller than a cell.
    """
    cells = Size(size.width // ratio, size.height // ratio)
    if min(cells) < 1:
        raise ValueError(
            f"The mask is {size} px but a latent cell has {ratio} px a side; use a larger picture."
        )
    return Grid(ratio, size.width % ratio // 2, size.height % ratio // 2, cells)


def check_aspect(mask: Size, cells: Size, name: str) -> None:
    """ValueError unless a mask of this size, in pixels or cells, can belong to a latent of so many cells."""
    # A VAE cuts the pixels off that do not fill a cell, so a cell stands for a range of sizes.
    least = max(mask.width / (cells.width + 1), mask.height / (cells.height + 1))
    if least >= min(mask.width / cells.width, mask.height / cells.height):
        raise ValueError(
            f"{name} is {mask} and the latent {cells} cells, which is another aspect; "
            "connect the mask of the picture that was encoded."
        )


def to_cells(mask: Tensor, grid: Grid, grow: int = 0) -> Tensor:
    """The latent cells (B,1,rows,columns) of a mask (B,1,H,W): 1 if any pixel of a cell is above 0.

    `grow` repaints that many more cells in all eight directions.
    """
    box = grid.box
    held = mask[..., box.y : box.bottom, box.x : box.right]
    cells = (F.max_pool2d(held, grid.ratio, ceil_mode=True) > 0).float()
    return F.max_pool2d(cells, 2 * grow + 1, stride=1, padding=grow) if grow else cells


def to_pixels(cells: Tensor, grid: Grid, size: Size) -> Tensor:
    """The pixels (B,1,H,W of `size`) that the cells cover; what lies in no cell is 0."""
    box = grid.box
    pixels = cells.repeat_interleave(grid.ratio, -2).repeat_interleave(grid.ratio, -1)
    right, bottom = size.width - box.right, size.height - box.bottom
    return F.pad(pixels, (box.x, right, box.y, bottom))


def resize_to_maximum(mask: Tensor, size: Size) -> Tensor:
    """Resize a mask (B,1,h,w) so that every new pixel is the maximum of all old pixels it overlaps.

    Thin strokes survive any reduction, and what is repainted is never less than what was asked for.
    """
    if mask.shape[-2:] == (size.height, size.width):
        return mask.clone()
    return F.adaptive_max_pool2d(mask, (size.height, size.width))
