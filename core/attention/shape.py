"""The shape of things within a coarse mask, from the maps of their words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .maps import otsu, stretched

# How much of the maps before is left at each new step: later steps, which show the thing itself, count more.
LEFT = 0.8


class Shaping(NamedTuple):
    """How a shape is found; lengths in cells of the latent."""

    threshold: float = 0.0  # of a map from 0 to 1; 0: Otsu's
    least: float = 0.02  # the share of the coarse mask that is in every shape
    grow: float = 0.0
    feather: float = 1.0


def shape_of(found: Sequence[Tensor], coarse: Tensor, shaping: Shaping) -> Tensor:
    """The cells (height, width; bool) of `coarse` (bool) at which one of some words' maps is high.

    Each map (height, width) is parted as a whole, so that a thing which fills the coarse mask is not parted
    in itself. Where a map has nothing to part, the shape is the coarse mask. Where too little of it is left,
    the cells with the highest values are added.
    """
    values = [stretched(each[None])[0] for each in found]
    levels = [level for each in values if (level := shaping.threshold or otsu(each)) is not None]
    if not values or len(levels) < len(values):
        return coarse.clone()
    above = [each >= level for each, level in zip(values, levels, strict=True)]
    shape = torch.stack(above).any(0) & coarse
    count = math.ceil(shaping.least * int(coarse.sum()))
    if int(shape.sum()) >= count:
        return shape
    highest = torch.stack(values).amax(0).masked_fill(~coarse, -1.0).flatten().topk(count).indices
    return shape.flatten().index_fill(0, highest, True).view_as(coarse)


def first_step(start: float, steps: int) -> int:
    """The first step of a run that has a shape, when the share `start` (0…1) of its steps has none."""
    return math.ceil(start * steps - 1e-5)
