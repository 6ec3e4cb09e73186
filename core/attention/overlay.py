"""A row's maps of all words as one small piece of JSON, for a page that shows the words at a place.

A map has 16 levels, four bits a cell: cells in reading order, two in a byte, the first in the higher half, in
base64; `low` and `high` are what attention level 0 and level 15 stand for. A row takes at most 200 kB: the
picture is made smaller first, then the maps get coarser, then the last words are left out.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..shapes import Size
from .maps import stretched

LEVELS = 16
# Bytes of a row as JSON, and of the picture in it.
MOST_BYTES, MOST_PICTURE = 200_000, 50_000
# Cells along the longer side of a map, and the fewest that are worth more than another word.
MOST_CELLS, LEAST_CELLS = 64, 8
# Longer side of the picture in pixels, the first that fits.
SIDES = (512, 384, 256, 128)
QUALITY = 80
# Letters of a word that are kept: a page has no room for more.
MOST_LETTERS = 60
# What is in a row beside picture and words, in bytes, with room to spare.
REST = 300


def overlay(found: Tensor, words: Sequence[str], size: Size, picture: Tensor | None) -> dict[str, Any]:
    """A row's words with their maps (words, height, width) and the picture (3 or more, height, width; 0…1).

    `size` is that of the whole picture in pixels. Plain lists, numbers and texts, at most 200 kB as JSON.
    """
    row: dict[str, Any] = {"size": [size.width, size.height]}
    if picture is not None:
        row["picture"] = small(picture)
    named = [short(each) for each in words]
    room = MOST_BYTES - REST - length(row)
    grid = fitting(Size(found.shape[-1], found.shape[-2]), named, room)
    named = named[: holds(grid, named, room)]
    pooled = F.interpolate(found[: len(named), None], (grid.height, grid.width), mode="area")[:, 0]
    lows, highs = pooled.amin((-2, -1)).tolist(), pooled.amax((-2, -1)).tolist()
    row["grid"] = [grid.width, grid.height]
    row["words"] = [
        entry(text, low, high, packed(cells))
        for text, low, high, cells in zip(named, lows, highs, levels(pooled), strict=True)
    ]
    return row


def entry(text: str, low: float, high: float, cells: str) -> dict[str, Any]:
    """What is kept of a word."""
    return {"text": text, "low": float(f"{low:.6g}"), "high": float(f"{high:.6g}"), "map": cells}


def levels(found: Tensor) -> Tensor:
    """Maps (words, height, width) in whole levels from 0, a map's lowest value, to 15, its highest."""
    return (stretched(found) * (LEVELS - 1)).round().byte()


def packed(found: Tensor) -> str:
    """A map of levels (height, width) as text, two cells in a byte; an odd last cell has an empty half."""
    cells = found.flatten()
    cells = torch.cat([cells, cells.new_zeros(len(cells) % 2)])
    return base64.b64encode((cells[::2] * LEVELS + cells[1::2]).cpu().numpy().tobytes()).decode()


def fitting(size: Size, words: Sequence[str], room: int) -> Size:
    """The finest grid of the aspect of `size`, and no finer, in which all words fit into so many bytes."""
    most = min(MOST_CELLS, max(size))
    grids = (shrunk(size, side) for side in range(most, min(most, LEAST_CELLS) - 1, -1))
    last = size
    for last in grids:
        if holds(last, words, room) == len(words):
            return last
    return last


def holds(grid: Size, words: Sequence[str], room: int) -> int:
    """How many of the first words fit into so many bytes with maps of that grid."""
    taken = 4 * -(-((grid.area + 1) // 2) // 3)
    for number, text in enumerate(words):
        room -= taken + length(entry(text, 1.23456e-10, 1.23456e-10, "")) + 2
        if room < 0:
            return number
    return len(words)


def shrunk(size: Size, longer: int) -> Size:
    """A size with that longer side."""
    scale = longer / max(size)
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))


def short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def small(picture: Tensor) -> str:
    """A picture (3 or more, height, width; 0…1) as a JPEG in base64 of at most 50 kB."""
    pixels = (picture[:3].movedim(0, -1).clamp(0, 1) * 255).round().byte().cpu().numpy()
    text = ""
    for side in SIDES:
        drawn = Image.fromarray(pixels)
        drawn.thumbnail((side, side), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        drawn.save(file, "JPEG", quality=QUALITY)
        text = base64.b64encode(file.getvalue()).decode()
        if len(text) <= MOST_PICTURE:
            return text
    return text


def length(value: Any) -> int:
    """Bytes of a value as JSON."""
    return len(json.dumps(value))
