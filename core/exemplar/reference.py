"""Reference pictures as a vision tower sees them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..mask.bounds import bounds_of_mask
from ..shapes import Size

# CLIP's normalisation (Radford et al. 2021, released code).
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
LEAST = 8  # px a side below which nothing can be seen
LEVELS = 255


def cut(picture: Tensor, mask: Tensor | None) -> Tensor:
    """The part of a picture 3,H,W within a mask 1,H,W, tightly, on the colour that is zero for the tower.

    ValueError for an empty mask and for less than can be seen.
    """
    if mask is not None:
        box = bounds_of_mask((mask >= 0.5).float()[None])
        if box is None:
            raise ValueError("the mask of the reference is empty; paint over the object in it.")
        mixed = picture * mask + neutral(picture) * (1 - mask)
        picture = mixed[..., box.y : box.bottom, box.x : box.right]
    size = Size(picture.shape[-1], picture.shape[-2])
    if min(size) < LEAST:
        raise ValueError(
            f"the object in the reference is {size} px; connect one of at least {LEAST} px a side."
        )
    return picture


def neutral(picture: Tensor) -> Tensor:
    """A picture like the one given, in the colour that is zero after the normalisation."""
    return torch.tensor(MEAN).view(3, 1, 1).to(picture).expand_as(picture)


def seen(picture: Tensor, side: int) -> Tensor:
    """A picture 3,H,W in 0…1 as the tower takes it (3,S,S): stretched, in 8-bit steps, normalised."""
    if tuple(picture.shape[-2:]) != (side, side):
        picture = F.interpolate(picture[None], (side, side), mode="bicubic", antialias=True)[0]
    levels = (picture * LEVELS).round().clamp(0, LEVELS) / LEVELS
    return (levels - neutral(levels)) / torch.tensor(DEVIATION).view(3, 1, 1).to(levels)
