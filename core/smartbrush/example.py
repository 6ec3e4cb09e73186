"""A square of a picture with a thing in it, to learn from."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..mask.bounds import bounds_of_mask
from ..mask.latent_cells import to_cells, whole_grid
from ..shapes import Box, Size
from .precision import family, groups

ROOM = 1.1  # of the thing's longer side, at least, in the square


class Square(NamedTuple):
    """A square picture (3,S,S; 0…1) and the exact mask in it (1,S,S; 0 or 1)."""

    photo: Tensor
    mask: Tensor


class Shape(NamedTuple):
    """A mask at one precision and the exact one, in cells (1,h,w; 0 or 1)."""

    mask: Tensor
    exact: Tensor
    precision: int


def between(low: float, high: float, random: torch.Generator) -> float:
    """Any number of a range."""
    return low + (high - low) * float(torch.rand((), generator=random))


def square(photo: Tensor, mask: Tensor, side: int, random: torch.Generator) -> Square:
    """A random square of a photo (3,H,W) that holds its thing (mask 1,H,W), mirrored half the time."""
    box = bounds_of_mask((mask >= 0.5).float()[None])
    assert box is not None
    window = around(box, Size(photo.shape[-1], photo.shape[-2]), random)
    part = (..., slice(window.y, window.bottom), slice(window.x, window.right))
    cut, inside = scaled(photo[part], side), (scaled(mask[part], side) >= 0.5).float()
    return Square(cut.flip(-1), inside.flip(-1)) if between(0, 1, random) < 0.5 else Square(cut, inside)


def around(box: Box, size: Size, random: torch.Generator) -> Box:
    """A random square window of a picture that holds a box, or as much of it as there is room for."""
    most = min(size)
    length = round(between(min(most, ROOM * max(box.size)), most, random))
    x, y = (
        round(between(max(0, end - length), max(0, min(start, whole - length)), random))
        if end - start <= length
        else min(max(0, (start + end - length) // 2), whole - length)
        for start, end, whole in ((box.x, box.right, size.width), (box.y, box.bottom, size.height))
    )
    return Box(min(x, size.width - length), min(y, size.height - length), length, length)


def whole(photo: Tensor, side: int, random: torch.Generator) -> Tensor:
    """A random largest square of a photo (3,H,W), mirrored half the time."""
    length = min(photo.shape[-2:])
    top, left = (round(between(0, each - length, random)) for each in photo.shape[-2:])
    cut = scaled(photo[..., top : top + length, left : left + length], side)
    return cut.flip(-1) if between(0, 1, random) < 0.5 else cut


def scaled(values: Tensor, side: int) -> Tensor:
    """A picture or mask C,H,W at a square's side."""
    if tuple(values.shape[-2:]) == (side, side):
        return values
    return F.interpolate(values[None], (side, side), mode="bilinear", antialias=True)[0].clamp(0, 1)


def shape(mask: Tensor, cell: int, random: torch.Generator) -> Shape:
    """An exact mask (1,S,S) at a precision drawn by chance: levels with the same cells are drawn as one, then
    one of them."""
    grid = whole_grid(Size(mask.shape[-1], mask.shape[-2]), cell)
    cells = [to_cells(each, grid) for each in family(mask[None], cell)]
    known = groups(cells)
    some = known[int(between(0, len(known), random))]
    level = some[int(between(0, len(some), random))]
    return Shape(cells[level][0], cells[0][0], level)
