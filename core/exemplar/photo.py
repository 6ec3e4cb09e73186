"""A photo as an exemplar model is shown it: grey where the object goes, whole latent cells at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from ..mask.latent_cells import Grid, to_cells, to_pixels
from ..shapes import Size

GREY = 0.5  # zero for an autoencoder


def holes(mask: Tensor, grid: Grid) -> Tensor:
    """The cells (B,1,h,w) in which a mask (B,1,H,W) has anything, 1 there.

    Whole cells, so that pixels and cells agree on what is known whatever way a mask is resized.
    """
    return to_cells(mask, grid)


def without_holes(photo: Tensor, cells: Tensor, grid: Grid) -> Tensor:
    """The photo (B,3,H,W) with grey where cells (B,1,h,w) are 1."""
    size = Size(photo.shape[-1], photo.shape[-2])
    return torch.where(to_pixels(cells, grid, size) > 0, GREY, photo)
