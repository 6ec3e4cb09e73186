"""A turned square of a picture, upright and at a network's size."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

BROADER = 1.25  # times the circle's diameter: the square that the landmarks' network sees
_REDUCED = 1.5  # picture pixels per pixel of the square from which on the picture is reduced first


Coordinates = TypeVar("Coordinates", np.ndarray, Tensor)


class Region(NamedTuple):
    """A square: its centre in pixels from the picture's corner, its side, and by how much it is turned.

    `angle` is in radians; at 0 the person stands upright, growing clockwise.
    """

    x: float
    y: float
    side: float
    angle: float

    def place(self, across: Coordinates, down: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Where in the picture (x, y) lies what is so many pixels across and down from the centre."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return self.x + across * cosine - down * sine, self.y + across * sine + down * cosine


def around(middle: tuple[float, float], edge: tuple[float, float]) -> Region:
    """The square around the circle about `middle` through `edge`, which lies in the head's direction."""
    across, down = edge[0] - middle[0], edge[1] - middle[1]
    side = 2 * BROADER * math.hypot(across, down)
    return Region(*middle, side, math.atan2(across, -down))


def cut(picture: Tensor, region: Region, size: int) -> Tensor:
    """The square's pixels, 1,C,size,size; beyond the picture (1,C,H,W) its border is repeated."""
    height, width = picture.shape[-2:]
    reach = region.side * (abs(math.cos(region.angle)) + abs(math.sin(region.angle))) / 2 + 2
    left, top = (
        int(min(max(at - reach, 0), whole - 1)) for at, whole in ((region.x, width), (region.y, height))
    )
    right = int(min(max(math.ceil(region.x + reach), left + 1), width))
    bottom = int(min(max(math.ceil(region.y + reach), top + 1), height))
    part = picture[..., top:bottom, left:right]
    scale = region.side / size
    if scale > _REDUCED:
        part = functional.interpolate(
            part,
            (max(1, round(part.shape[-2] / scale)), max(1, round(part.shape[-1] / scale))),
            mode="bilinear",
            antialias=True,
        )
    return functional.grid_sample(
        part,
        _grid(region, (left, top, right, bottom), size).to(part.device),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )


def _grid(region: Region, box: tuple[int, int, int, int], size: int) -> Tensor:
    """Where the square's pixels lie in the box (left, top, right, bottom), −1 … 1 across it."""
    steps = (torch.arange(size, dtype=torch.float32) + 0.5) / size - 0.5
    down, across = torch.meshgrid(steps * region.side, steps * region.side, indexing="ij")
    x, y = region.place(across, down)
    left, top, right, bottom = box
    return torch.stack([2 * (x - left) / (right - left) - 1, 2 * (y - top) / (bottom - top) - 1], dim=-1)[
        None
    ]
