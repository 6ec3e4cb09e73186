"""What an exemplar model learns from: a square of a picture, a mask around an object in it, and the object
as a reference that looks different (Yang et al. 2023, §3.3 and released code)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .reference import seen

PUBLISHED = 512  # px a side of the published training's squares, in which the next two are
PADDING, JITTER = 10, 5
EXTENDED, INWARD = 0.4, 0.6  # at most, shares of what is free around the box
SHAPED, POINTS = 0.5, 18  # how often the mask is no rectangle; points on each of its four curves
FLIPPED, ROTATED, BLURRED, BENT = 0.5, 0.5, 0.3, 0.3  # how often
DEGREES, KERNELS, BEND, KNOTS = 20.0, (3, 5, 7), 0.025, 4


class Box(NamedTuple):
    """Where an object is, in pixels of its picture."""

    left: float
    top: float
    right: float
    bottom: float


class View(NamedTuple):
    """A square picture (3,S,S; 0…1), where it is masked (1,S,S), and the reference as a tower sees it."""

    photo: Tensor
    mask: Tensor
    reference: Tensor


class Chance:
    """Random numbers of a generator."""

    def __init__(self, random: torch.Generator) -> None:
        self.random = random

    def between(self, low: float, high: float) -> float:
        """Any number of a range."""
        return low + (high - low) * float(torch.rand((), generator=self.random))

    def happens(self, share: float) -> bool:
        """True in a share of all cases."""
        return self.between(0, 1) < share

    def normal(self, *shape: int) -> Tensor:
        """Normal numbers."""
        return torch.randn(*shape, generator=self.random)


def view(picture: Tensor, box: Box, side: int, seen_side: int, random: torch.Generator) -> View:
    """One view of an object in a picture 3,H,W."""
    chance = Chance(random)
    height, width = picture.shape[-2:]
    wide = extended(box, width, height, chance)
    window = square(wide, width, height, chance)
    left, top, right, bottom = (round(each) for each in window)
    photo = scaled(picture[..., top:bottom, left:right], side)
    inner, outer = (within(each, Box(left, top, right, bottom), side) for each in (box, wide))
    points = curves(inner, outer, side, chance) if chance.happens(SHAPED) else corners(outer)
    return View(photo, filled(points, side), varied(cut(picture, box, chance), seen_side, chance))


def extended(box: Box, width: int, height: int, chance: Chance) -> Box:
    """A box with some of the room on each of its sides."""
    return Box(
        box.left - chance.between(0, EXTENDED) * box.left,
        box.top - chance.between(0, EXTENDED) * box.top,
        box.right + chance.between(0, EXTENDED) * (width - box.right),
        box.bottom + chance.between(0, EXTENDED) * (height - box.bottom),
    )


def square(box: Box, width: int, height: int, chance: Chance) -> Box:
    """A random square that holds a box; the whole picture, which is then squeezed, where none can."""
    side = min(width, height)
    if box.right - box.left > side or box.bottom - box.top > side:
        return Box(0, 0, width, height)
    left = chance.between(max(0, box.right - side), min(width - side, box.left))
    top = chance.between(max(0, box.bottom - side), min(height - side, box.top))
    free = min(box.left - left, box.top - top, left + side - box.right, top + side - box.bottom)
    inward = chance.between(0, INWARD) * max(0.0, free)
    return Box(left + inward, top + inward, left + side - inward, top + side - inward)


def within(box: Box, window: Box, side: int) -> Box:
    """A box in the pixels of a window that is scaled to a side."""
    across, down = side / (window.right - window.left), side / (window.bottom - window.top)
    left, right = ((each - window.left) * across for each in (box.left, box.right))
    top, bottom = ((each - window.top) * down for each in (box.top, box.bottom))
    return Box(left, top, right, bottom)


def corners(box: Box) -> Tensor:
    """The corners of a box (4,2), x before y."""
    return torch.tensor(
        [[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom]]
    )


def curves(box: Box, outer: Box, side: int, chance: Chance) -> Tensor:
    """Points on four quadratic Bézier curves from corner to corner of a box, each bent to the box around."""
    ends = corners(box)
    middle = (ends + ends.roll(-1, 0)) / 2
    bent = middle.clone()
    bent[0, 1], bent[1, 0], bent[2, 1], bent[3, 0] = outer.top, outer.right, outer.bottom, outer.left
    t = torch.linspace(0, 1, POINTS)[None, :, None]
    first, second = ends[:, None], ends.roll(-1, 0)[:, None]
    points = (1 - t) ** 2 * first + 2 * t * (1 - t) * bent[:, None] + t**2 * second
    jitter = JITTER * side / PUBLISHED
    return points.flatten(0, 1) + jitter * (2 * torch.rand(4 * POINTS, 2, generator=chance.random) - 1)


def filled(points: Tensor, side: int) -> Tensor:
    """The pixels (1,S,S) whose centre lies in a polygon (N,2), by how often a ray to the left crosses it."""
    centres = torch.arange(side) + 0.5
    (x, y), (to_x, to_y) = points.T, points.roll(-1, 0).T
    crosses = (y[:, None] <= centres) != (to_y[:, None] <= centres)
    slope = torch.where(crosses, (centres - y[:, None]) / (to_y - y)[:, None], 0)
    at = x[:, None] + slope * (to_x - x)[:, None]
    before = (at[..., None] < centres) & crosses[..., None]
    return (before.sum(0) % 2).float()[None]


def cut(picture: Tensor, box: Box, chance: Chance) -> Tensor:
    """The object with a little around it."""
    height, width = picture.shape[-2:]
    most = PADDING * min(height, width) / PUBLISHED
    left, top = (max(0, math.floor(each - chance.between(0, most))) for each in (box.left, box.top))
    right = min(width, math.ceil(box.right + chance.between(0, most)))
    bottom = min(height, math.ceil(box.bottom + chance.between(0, most)))
    return picture[..., top:bottom, left:right]


def varied(picture: Tensor, side: int, chance: Chance) -> Tensor:
    """A reference flipped, turned, blurred and bent by chance, as a tower sees it."""
    picture = scaled(picture, side)
    angle = math.radians(chance.between(-DEGREES, DEGREES)) if chance.happens(ROTATED) else 0.0
    flip = -1.0 if chance.happens(FLIPPED) else 1.0
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[[flip * cosine, -flip * sine, 0], [sine, cosine, 0]]])
    places = F.affine_grid(turn, [1, 1, side, side], align_corners=False)
    if chance.happens(BENT):
        knots = BEND * chance.normal(1, 2, KNOTS, KNOTS)
        places = places + F.interpolate(knots, (side, side), mode="bicubic").movedim(1, -1)
    picture = F.grid_sample(picture[None], places, padding_mode="reflection", align_corners=False)[0]
    if chance.happens(BLURRED):
        kernel = KERNELS[int(chance.between(0, len(KERNELS)))]
        padded = F.pad(picture[None], [kernel // 2] * 4, mode="reflect")
        picture = F.avg_pool2d(padded, kernel, 1)[0]
    return seen(picture.clamp(0, 1), side)


def scaled(picture: Tensor, side: int) -> Tensor:
    """A picture C,H,W at a square's side."""
    if tuple(picture.shape[-2:]) == (side, side):
        return picture
    return F.interpolate(picture[None], (side, side), mode="bilinear", antialias=True)[0]
