"""A part of a photo as a reference picture of its own."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..canvas.resample import resample
from ..exemplar.reference import neutral
from ..shapes import Box, Size

LEAST = 8  # px a side below which nothing can be seen


class Part(NamedTuple):
    """A picture 3,H,W and where the object is in it, 1,H,W."""

    picture: Tensor
    mask: Tensor


def grown(box: Box, margin: int) -> Box:
    """A box with room on all sides."""
    return Box(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin)


def cut(photo: Tensor, mask: Tensor, box: Box, alone: bool) -> Part:
    """The box of a photo 3,H,W and its mask 1,H,W; ValueError for less than can be seen.

    What lies outside the photo, and with `alone` what lies outside the mask, has the neutral colour.
    """
    height, width = photo.shape[-2:]
    if min(box.size) < LEAST:
        raise ValueError(f"the part is {box.size} px; choose one of at least {LEAST} px a side.")
    sides = (-box.x, box.right - width, -box.y, box.bottom - height)
    there = F.pad(torch.ones_like(mask), sides)
    inside = F.pad(mask, sides)
    picture = F.pad(photo, sides)
    shown = inside if alone else there
    return Part(picture * shown + neutral(picture) * (1 - shown), inside)


def turned(part: Part, flips: list[int], scale: float) -> Part:
    """The part mirrored along axes, then resized."""
    height, width = part.picture.shape[-2:]
    size = Size(max(1, round(width * scale)), max(1, round(height * scale)))
    both = torch.cat(part).flip(flips) if flips else torch.cat(part)
    found = resample(both[None], size)[0]
    return Part(found[:3], found[3:])


def joined(parts: list[Part]) -> Part:
    """Parts as a batch of the largest's size, each in the middle, on the neutral colour."""
    width, height = (max(part.picture.shape[axis] for part in parts) for axis in (-1, -2))
    pictures, masks = [], []
    for picture, mask in parts:
        free = width - picture.shape[-1], height - picture.shape[-2]
        sides = (free[0] // 2, free[0] - free[0] // 2, free[1] // 2, free[1] - free[1] // 2)
        there, wide = F.pad(torch.ones_like(mask), sides), F.pad(picture, sides)
        pictures.append(wide * there + neutral(wide) * (1 - there))
        masks.append(F.pad(mask, sides))
    return Part(torch.stack(pictures), torch.stack(masks))
