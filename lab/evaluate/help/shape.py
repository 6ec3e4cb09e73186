"""What the pages of masks for SmartBrush show: a drawn thing's mask at every precision, and guesses."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ....core.smartbrush.precision import LEVELS
from ...toy.world.closer import closer
from .graph import Graph
from .sheet import sheet, tinted

SEED, KIND, COLOUR, TIMES = 2, "umbrella", "blue", 4  # enlarged, so that the steps differ in latent cells
EXACT, SCRIBBLE = "thing", "scribble"
GUESSED = (0, 2, 5)
BRUSH = 72  # px


def drawn() -> tuple[Image.Image, Image.Image]:
    """The photo of a thing and its exact mask."""
    found = closer(SEED, "test", things=((KIND, COLOUR),), person=False)
    size = (TIMES * found.image.shape[1], TIMES * found.image.shape[0])
    mask = Image.fromarray(found.masks[KIND].astype(np.uint8) * 255).resize(size, Image.Resampling.BICUBIC)
    photo = Image.fromarray(found.image).resize(size, Image.Resampling.LANCZOS)
    return photo, Image.fromarray((np.asarray(mask) > 127).astype(np.uint8) * 255)


def scribbled(mask: Image.Image) -> Image.Image:
    """What a round brush paints over the thing, from side to side and down."""
    left, top, right, bottom = mask.getbbox() or (0, 0, *mask.size)
    rows = np.linspace(top + BRUSH / 3, bottom - BRUSH / 3, 4)
    points = [(x, float(y)) for y in rows for x in (left + BRUSH / 3, right - BRUSH / 3)]
    page = Image.new("L", mask.size)
    pen = ImageDraw.Draw(page)
    pen.line(points, 255, BRUSH)
    for x, y in points:
        pen.ellipse([x - BRUSH / 2, y - BRUSH / 2, x + BRUSH / 2, y + BRUSH / 2], 255)
    return page


def masks() -> dict[str, Image.Image]:
    """What is uploaded, by name."""
    mask = drawn()[1]
    return {EXACT: mask, SCRIBBLE: scribbled(mask)}


def build(graph: Graph, mask: dict[str, str]) -> None:
    """Every precision of the thing's mask, and what is guessed of some and of a scribble."""
    for level in range(LEVELS):
        made = graph.add("RecomposeMaskPrecision", mask=mask[EXACT], precision=level, ratio=8)
        graph.show_mask(f"precision {level}", made)
        if level in GUESSED:
            graph.show_text(f"guess {level}", graph.add("RecomposeGuessPrecision", mask=made, ratio=8))
    guess = graph.add("RecomposeGuessPrecision", mask=mask[SCRIBBLE], ratio=8)
    graph.show_text("guess scribble", guess)


def pages(shown: dict[str, Any]) -> dict[str, Image.Image]:
    """The pages of the two nodes."""
    photo, mask = drawn()

    def over(other: Image.Image) -> Image.Image:
        return tinted(photo, other.resize(photo.size))

    levels = [over(shown[f"precision {level}"]) for level in range(LEVELS)]
    names = ["0: exact", *map(str, range(1, LEVELS - 1)), f"{LEVELS - 1}: box"]
    guesses = [(f"{level}: guessed {shown[f'guess {level}']}", levels[level]) for level in GUESSED]
    scribble = (f"scribble: guessed {shown['guess scribble']}", over(scribbled(mask)))
    return {
        "RecomposeMaskPrecision": sheet(*zip(names, levels, strict=True)),
        "RecomposeGuessPrecision": sheet(*guesses, scribble),
    }
