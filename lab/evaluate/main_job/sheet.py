"""The unselected results side by side, one row a picture, as they were saved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SCALE, GAP, LABEL, FONT, COLUMNS = 1.5, 8, 22, 14, 2
PAPER, INK = (250, 250, 248), (30, 30, 30)


def enlarged(picture: np.ndarray) -> Image.Image:
    height, width = picture.shape[:2]
    size = (round(width * SCALE), round(height * SCALE))
    return Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)


def row(panels: Sequence[np.ndarray], cell: tuple[int, int]) -> Image.Image:
    """The pictures in cells of one size, at the upper edge."""
    strip = Image.new("RGB", ((cell[0] + GAP) * len(panels), cell[1] + GAP), PAPER)
    for number, panel in enumerate(panels):
        strip.paste(enlarged(panel), (number * (cell[0] + GAP), 0))
    return strip


def sheet(rows: Sequence[tuple[str, Sequence[np.ndarray]]], heads: Sequence[str]) -> Image.Image:
    """Rows of (label, pictures of at most one width) under the heads, in two columns of rows."""
    panels = [panel for _, pictures in rows for panel in pictures]
    cell = tuple(round(max(panel.shape[axis] for panel in panels) * SCALE) for axis in (1, 0))
    font = ImageFont.load_default(FONT)
    deep = -(-len(rows) // COLUMNS)
    width, height = (cell[0] + GAP) * len(heads) + 2 * GAP, cell[1] + GAP + LABEL
    page = Image.new("RGB", (width * COLUMNS, LABEL + deep * height), PAPER)
    pen = ImageDraw.Draw(page)
    for column in range(COLUMNS):
        for number, head in enumerate(heads):
            x = column * width + GAP + number * (cell[0] + GAP) + cell[0] / 2
            pen.text((x, LABEL / 2), head, INK, font, anchor="mm")
    for number, (label, pictures) in enumerate(rows):
        x, y = number // deep * width + GAP, LABEL + number % deep * height
        pen.text((x, y + LABEL / 2), label, INK, font, anchor="lm")
        page.paste(row(pictures, cell), (x, y + LABEL))
    return page
