"""The layers of a drawing as pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..shapes import Size
from .raster import covered
from .strokes import COLOUR, MASK, SKETCH, Stroke


class Layers(NamedTuple):
    """`sketch` and `mask` bool H,W; `colours` uint8 H,W,3 where `coloured` (bool H,W)."""

    sketch: np.ndarray
    mask: np.ndarray
    colours: np.ndarray
    coloured: np.ndarray


def draw(strokes: Iterable[Stroke], size: Size, start: np.ndarray | None = None) -> Layers:
    """The strokes in their order, each over or out of its own layer; `start` (bool H,W) is drawn first."""
    shape = size.height, size.width
    there = {name: np.zeros(shape, dtype=bool) for name in (SKETCH, MASK, COLOUR)}
    if start is not None:
        there[SKETCH] |= start
    colours = np.zeros((*shape, 3), dtype=np.uint8)
    for stroke in strokes:
        box, pixels = covered(stroke, size)
        rows, columns = slice(box.y, box.bottom), slice(box.x, box.right)
        there[stroke.layer][rows, columns][pixels] = not stroke.erase
        if stroke.layer == COLOUR and not stroke.erase:
            colours[rows, columns][pixels] = stroke.colour
    return Layers(there[SKETCH], there[MASK], colours, there[COLOUR])
