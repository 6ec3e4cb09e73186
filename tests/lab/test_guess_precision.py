"""How often the precision of a mask is guessed: levels of drawn things, and scribbles over them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from recompose.core.mask.latent_cells import to_cells, whole_grid
from recompose.core.shapes import Size
from recompose.core.smartbrush.guess import guess
from recompose.core.smartbrush.precision import LEVELS, family, groups
from recompose.lab.toy.world.closer import closer
from scipy import ndimage

CELL, COUNT = 8, 150
# Drawn things are 6 to 14 cells long; three times as large they are what photographs of 512 px show.
SCALES = (1, 3)


class Thing(NamedTuple):
    """The family of a thing's masks, and to which group of equal latent masks each level belongs."""

    masks: list[torch.Tensor]
    group: list[int]


@cache
def things() -> list[Thing]:
    """Things of pictures that no threshold was found on."""
    found, seed = [], 0
    while len(found) < COUNT:
        drawn = closer(seed, "test")
        for name, _ in drawn.attributes["objects"]:
            if drawn.masks[name].sum() > 300:
                found.append(thing(drawn.masks[name], SCALES[len(found) % 2]))
        seed += 1
    return found[:COUNT]


def thing(mask: np.ndarray, scale: int) -> Thing:
    large = ndimage.zoom(mask.astype(np.float32), scale, order=1) > 0.5
    exact = torch.from_numpy(large.astype(np.float32))[None, None]
    masks, grid = family(exact, CELL), whole_grid(Size(exact.shape[-1], exact.shape[-2]), CELL)
    held = groups([to_cells(each, grid) for each in masks])
    return Thing(masks, [next(n for n, some in enumerate(held) if level in some) for level in range(LEVELS)])


def scribble(mask: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """What a round brush paints that is dragged over a thing until nearly all of it is covered."""
    exact = mask[0, 0].numpy() > 0
    brush = random.uniform(0.8, 5) * CELL
    points, picture = np.argwhere(exact), Image.new("L", exact.shape[::-1])
    pen, covered = ImageDraw.Draw(picture), np.zeros(exact.shape, bool)
    while (covered & exact).sum() < 0.98 * exact.sum():
        left = np.argwhere(exact & ~covered)
        start, end = left[random.integers(len(left))], points[random.integers(len(points))]
        end = start + (end - start) * min(1.0, 2 * brush / max(1, np.hypot(*(end - start))))
        pen.line([*start[::-1], *end[::-1]], 1, round(2 * brush))
        for y, x in (start, end):
            pen.ellipse([x - brush, y - brush, x + brush, y + brush], 1)
        covered = np.asarray(picture) > 0
    return torch.from_numpy(covered.astype(np.float32))[None, None]


def nearest(masks: list[torch.Tensor], painted: torch.Tensor) -> int:
    """The level whose mask overlaps a painted one most."""
    return int(
        np.argmax([float((painted * each).sum() / (painted + each).clamp(max=1).sum()) for each in masks])
    )


def right(one: Thing, painted: torch.Tensor, level: int) -> bool:
    return abs(one.group[guess(painted, CELL)] - one.group[level]) <= 1


@pytest.mark.parametrize("scale", SCALES)
def test_levels_of_drawn_things_are_guessed_within_one(scale: int) -> None:
    random, hits = np.random.default_rng(4), []
    for one in things()[SCALES.index(scale) :: 2]:
        level = int(random.integers(LEVELS))
        hits.append(right(one, one.masks[level], level))
    assert len(hits) == COUNT // 2 and np.mean(hits) >= 0.9


@pytest.mark.parametrize("scale", SCALES)
def test_scribbles_over_drawn_things_are_guessed_within_one(scale: int) -> None:
    random, hits = np.random.default_rng(5), []
    for one in things()[SCALES.index(scale) :: 2]:
        painted = scribble(one.masks[0], random)
        hits.append(right(one, painted, nearest(one.masks, painted)))
    assert len(hits) == COUNT // 2 and np.mean(hits) >= 0.9
