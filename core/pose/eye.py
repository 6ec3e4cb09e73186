"""A small network that sees one drawn person: where the points are, how many feet, and which garments.

An hourglass (Newell, Yang and Deng 2016) with additive skips.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from . import skeleton
from .decode import Find

POINTS = 24  # 18 of the body, then 6 of the feet
CLASSES = 6  # other, skin, hair, top, bottom, shoes
COUNTS = 4  # 0, 1, 2, and 3 or more feet
CELL = 4  # pixels to a cell of the maps
GRID = 32  # the network takes sides that are multiples of it
WIDTHS = (24, 48, 72, 96, 96)
NEAR = 32
DIMENSIONS = 2 * NEAR + WIDTHS[-1]
HEIGHT, WIDTH = 192, 128  # of the pictures it learnt from; larger ones are looked at in this width
WIDEST = 160
FEWEST = 3  # points that make a person
SURE = 0.5  # the score from which a point is there
REACH = 2  # cells to each side of the best one over which a point is averaged


class Views(NamedTuple):
    """What the network says: scores in cells (B,24,h,w) of where each point is, scores B,24 of whether it is
    there, scores (B,h,w) of a foot's middle, scores B,4 of the number of feet, scores (B,6,2h,2w) of what
    each half-pixel shows, and the features B,160 behind the number of feet."""

    places: Tensor
    presence: Tensor
    middles: Tensor
    feet: Tensor
    materials: Tensor
    features: Tensor


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """Two convolutions beside the identity (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


def larger(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class Eye(nn.Module):
    """Views of pictures B,3,H,W in −0.5…0.5, where 0 fills what lies outside; H and W multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        half, fourth, eighth, sixteenth, last = WIDTHS
        self.stem = convolution(3, half, 2)
        self.down = nn.ModuleList(
            [
                nn.Sequential(convolution(half, fourth, 2), Block(fourth)),
                nn.Sequential(convolution(fourth, eighth, 2), Block(eighth), Block(eighth)),
                nn.Sequential(convolution(eighth, sixteenth, 2), Block(sixteenth), Block(sixteenth)),
                nn.Sequential(convolution(sixteenth, last, 2), Block(last), Block(last)),
            ]
        )
        self.narrow = nn.ModuleList(
            [nn.Conv2d(last, sixteenth, 1), nn.Conv2d(sixteenth, eighth, 1), nn.Conv2d(eighth, fourth, 1)]
        )
        self.up = nn.ModuleList([Block(sixteenth), Block(eighth), Block(fourth)])
        self.places = nn.Sequential(convolution(fourth, eighth), nn.Conv2d(eighth, 2 * POINTS + 1, 1))
        self.fine = nn.Conv2d(fourth, half, 1)
        self.materials = nn.Sequential(convolution(half, half), nn.Conv2d(half, CLASSES, 1))
        self.near = convolution(fourth, NEAR)
        self.feet = nn.Sequential(nn.Linear(DIMENSIONS, 64), nn.ReLU(inplace=True), nn.Linear(64, COUNTS))

    def maps(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What all heads read: maps B,24,H/2,W/2 and B,48,H/4,W/4, and the mean B,96 of the coarsest map."""
        stem = self.stem(pictures)
        levels = [stem]
        for stage in self.down:
            levels.append(stage(levels[-1]))
        x = levels[-1]
        deep = x.float().mean((2, 3))
        for narrow, block, level in zip(self.narrow, self.up, levels[-2:0:-1], strict=True):
            x = block(larger(narrow(x)) + level)
        return larger(self.fine(x)) + stem, x, deep

    def views(self, half: Tensor, fourth: Tensor, deep: Tensor) -> Views:
        """What the heads say of the maps."""
        maps = self.places(fourth).float()
        places, evidence, middles = maps[:, :POINTS], maps[:, POINTS:-1], maps[:, -1]
        where = places.flatten(2).softmax(2).detach()
        presence = (where * evidence.flatten(2)).sum(2)
        near = self.near(fourth).float()
        pooled = torch.cat([deep, near.mean((2, 3)), near.amax((2, 3))], 1)
        materials = self.materials(half).float()
        return Views(places, presence, middles, self.feet(pooled).float(), materials, pooled)

    def forward(self, pictures: Tensor) -> Views:
        return self.views(*self.maps(pictures))


def eye(seed: int = 0) -> Eye:
    """A fresh network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Eye()


def size_looked_at(image: np.ndarray) -> tuple[int, int]:
    """Height and width in which a picture is looked at."""
    height, width = image.shape[:2]
    return (height, width) if width <= WIDEST else (max(round(height * WIDTH / width), 1), WIDTH)


def prepared(image: np.ndarray) -> Tensor:
    """The picture 3,h,w in −0.5…0.5."""
    height, width = size_looked_at(image)
    if (height, width) != image.shape[:2]:
        image = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))
    return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255 - 0.5


def room(picture: Tensor) -> tuple[int, int]:
    """Height and width, at least those it learnt with, in which the network takes a picture 3,h,w."""
    height, width = (GRID * ceil(side / GRID) for side in picture.shape[1:])
    return max(height, HEIGHT), max(width, WIDTH)


def together(pictures: Sequence[Tensor]) -> Tensor:
    """Pictures 3,h,w as a batch B,3,H,W, each at the upper left of the room of the first."""
    whole = torch.zeros(len(pictures), 3, *room(pictures[0])).contiguous(memory_format=torch.channels_last)
    for target, picture in zip(whole, pictures, strict=True):
        target[:, : picture.shape[1], : picture.shape[2]] = picture
    return whole


def points(places: Tensor) -> Tensor:
    """Points N,2 in pixels of scores N,h,w: the mean place around the likeliest cell."""
    count, rows, columns = places.shape
    chances = places.flatten(1).softmax(1).view(count, rows, columns)
    best = chances.flatten(1).argmax(1)
    y, x = torch.arange(rows)[None, :, None], torch.arange(columns)[None, None, :]
    near = ((y - (best // columns)[:, None, None]).abs() <= REACH) & (
        (x - (best % columns)[:, None, None]).abs() <= REACH
    )
    weights = chances * near
    total = weights.sum((1, 2))
    middle = torch.stack([(weights * x).sum((1, 2)) / total, (weights * y).sum((1, 2)) / total], 1)
    return (middle + 0.5) * CELL


def points_of(views: Views, place: int, image: np.ndarray) -> np.ndarray:
    """Points 24,3 (x, y from the corner in pixels, score) of the picture H,W,3 at one place of a batch."""
    height, width = size_looked_at(image)
    places = views.places[place, :, : ceil(height / CELL), : ceil(width / CELL)].cpu()
    at = points(places) * torch.tensor([image.shape[1] / width, image.shape[0] / height])
    return torch.cat([at, views.presence[place].sigmoid().cpu()[:, None]], 1).numpy()


@torch.inference_mode()
def look(network: Eye, image: np.ndarray) -> list[Find]:
    """The person in a picture H,W,3 uint8 as a detector's find, or nobody."""
    device = next(network.parameters()).device
    found = points_of(network(together([prepared(image)]).to(device)), 0, image)
    if (found[:, 2] >= SURE).sum() < FEWEST:
        return []
    found[:, :2] -= 0.5  # finds count from the middle of the first pixel
    body = skeleton.BODY_POINTS
    return [{skeleton.BODY_KEY: found[:body], skeleton.FOOT_KEY: found[body:]}]
