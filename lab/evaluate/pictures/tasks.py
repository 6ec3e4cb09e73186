"""What the samplers are asked to paint: legs below a frame, boxes, halves, strokes, where things stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ...toy import world
from ...toy.tensors import grown
from ...toy.world.labels import OBJECTS
from ..holes import below

PART, CELL = "test", 8
FIRST = {"outpaint": 0, "box": 1000, "half": 2000, "strokes": 3000, "removal": 4000}  # seeds of part *test*
COUNT = {"outpaint": 100, "box": 40, "half": 40, "strokes": 40, "removal": 40}
STROKES, RADIUS, GROW = 5, 3, 4  # px


@dataclass(frozen=True, eq=False)
class Task:
    """A picture, what of it is to be painted (bool H,W), and by which words."""

    kind: str
    seed: int
    example: world.Example
    hole: np.ndarray
    words: str

    @property
    def cells(self) -> np.ndarray:
        """The latent's cells (bool h,w) that hold a pixel to be painted."""
        height, width = (side // CELL for side in self.hole.shape)
        return self.hole.reshape(height, CELL, width, CELL).any((1, 3))


def box(example: world.Example, random: np.random.Generator) -> np.ndarray:
    """A box of a third to a half of each side."""
    hole = np.zeros(example.image.shape[:2], bool)
    height, width = (int(random.integers(side // 3, side // 2)) for side in hole.shape)
    top, left = (int(random.integers(a - b)) for a, b in zip(hole.shape, (height, width), strict=True))
    hole[top : top + height, left : left + width] = True
    return hole


def half(example: world.Example, random: np.random.Generator) -> np.ndarray:
    """The left or the right half."""
    hole = np.zeros(example.image.shape[:2], bool)
    hole[:, : hole.shape[1] // 2] = True
    return hole if random.random() < 0.5 else hole[:, ::-1].copy()


def strokes(example: world.Example, random: np.random.Generator) -> np.ndarray:
    """Thin straight lines from edge to edge."""
    height, width = example.image.shape[:2]
    y, x = np.mgrid[:height, :width] + 0.5
    hole = np.zeros((height, width), bool)
    for _ in range(STROKES):
        angle, along, down = random.uniform(0, np.pi), random.uniform(0, width), random.uniform(0, height)
        hole |= np.abs((x - along) * np.sin(angle) - (y - down) * np.cos(angle)) <= RADIUS
    return hole


def around_thing(example: world.Example) -> np.ndarray:
    """A thing that stands beside the person, and a few pixels around it; empty where there is none."""
    found = [example.masks[name] for name in OBJECTS if name in example.masks]
    return grown(max(found, key=np.sum), GROW) if found else np.zeros(example.image.shape[:2], bool)


def task(kind: str, seed: int) -> Task | None:
    """The task of a seed; None where it has no hole or, for outpaint, nothing else."""
    example = world.example(seed, PART)
    random = np.random.default_rng((FIRST[kind], seed))
    if kind == "outpaint":
        return Task(kind, seed, example, below(example, seed), example.caption)
    if kind == "removal":
        hole = around_thing(example)
        said = {name: value for name, value in example.attributes.items() if name != "objects"}
        return Task(kind, seed, example, hole, world.caption(said)) if hole.any() else None
    drawn = {"box": box, "half": half, "strokes": strokes}[kind](example, random)
    return Task(kind, seed, example, drawn, example.caption)


def tasks(kind: str, count: int | None = None) -> list[Task]:
    """The first tasks of a kind, as many as the study has or fewer."""

    def every() -> Iterator[Task]:
        seed = FIRST[kind]
        while True:
            found = task(kind, seed)
            if found is not None:
                yield found
            seed += 1

    return list(islice(every(), COUNT[kind] if count is None else min(count, COUNT[kind])))
