"""What people wear that the world has not: patterns of two colours, and hats."""

from __future__ import annotations

import numpy as np

from ..world.figure import Figure
from ..world.labels import MATERIAL
from ..world.palette import COLOURS
from ..world.raster import Canvas, Shape, capsule, convex, disc
from .catalogue import BLOCKS, CONE_HAT, CROWN, STRIPES, TOP_HAT, Thing

TOP, HAIR = MATERIAL["top"], MATERIAL["hair"]
UNDER = (236, 236, 236)  # what a patterned garment is drawn in first
STRIPE = 17.0  # px of the picture, at least
STRIPES_DOWN = 0.085  # of the stature: the same
HAIR_MARK, HAT_MARK = 3, 4


def marks(canvas: Canvas, figure: Figure, thing: Thing) -> np.ndarray:
    """Draw a thing's pattern and hat onto the person on the canvas; which mark each pixel shows, uint8 H,W:
    1 and 2 are the colours of the pattern."""
    found = patterned(canvas, figure, thing)
    if thing.hat:
        found[canvas.material == HAIR] = HAIR_MARK
        before = canvas.image.copy()
        shapes = hat(thing.hat, figure)
        canvas.paint(shapes, COLOURS[thing.hat_colour], HAIR)
        found[(canvas.image != before).any(2)] = HAT_MARK
    return found


def patterned(canvas: Canvas, figure: Figure, thing: Thing) -> np.ndarray:
    """Colour the garment, which is drawn in one light colour, by its pattern."""
    worn = canvas.material == TOP
    rows, columns = np.nonzero(worn)
    number = np.zeros(worn.shape, np.uint8)
    number[worn] = 1 + places(figure, canvas.zoom, thing.pattern, columns + 0.5, rows + 0.5)
    shade = canvas.image[worn] / np.array(UNDER, np.float32)
    colours = np.array([COLOURS[name] for name in thing.colours], np.float32)
    canvas.image[worn] = (shade * colours[number[worn] - 1]).clip(0, 255)
    return number


def places(figure: Figure, zoom: float, pattern: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which colour of a pattern pixels have, 0 or 1, by where they are on the trunk."""
    (ax, ay), (bx, by) = figure.at["pelvis"], figure.at["neck"]
    length = float(np.hypot(bx - ax, by - ay))
    up, across = ((bx - ax) / length, (by - ay) / length), ((ay - by) / length, (bx - ax) / length)
    x, y = x / zoom - ax, y / zoom - ay
    along, beside = x * up[0] + y * up[1], x * across[0] + y * across[1]
    if pattern == STRIPES:
        width = max(STRIPE / zoom, STRIPES_DOWN * figure.stature)
        return ((length - along) // width % 2).astype(np.uint8)
    if pattern == BLOCKS:
        return (along < 0.5 * length).astype(np.uint8)
    return (beside > 0).astype(np.uint8)


def hat(kind: str, figure: Figure) -> list[Shape]:
    """The shapes of a hat on the person's head."""
    (x, y), s = figure.at["skull"], figure.stature

    def p(dx: float, dy: float) -> tuple[float, float]:
        return x + dx * s, y - dy * s

    if kind == TOP_HAT:
        tube = convex([p(-0.06, 0.05), p(0.06, 0.05), p(0.06, 0.16), p(-0.06, 0.16)])
        return [tube, capsule(p(-0.1, 0.05), p(0.1, 0.05), 0.017 * s, 0.017 * s)]
    if kind == CROWN:
        band = convex([p(-0.08, 0.03), p(0.08, 0.03), p(0.085, 0.1), p(-0.085, 0.1)])
        tips = [
            convex([p(dx - 0.035, 0.09), p(dx + 0.035, 0.09), p(1.2 * dx, 0.16)]) for dx in (-0.05, 0, 0.05)
        ]
        return [band, *tips]
    if kind == CONE_HAT:
        cone = convex([p(-0.095, 0.035), p(0.095, 0.035), p(0.0, 0.21)])
        return [cone, disc(p(0, 0.2), 0.02 * s)]
    raise ValueError(f"Expected a hat that can be drawn, got {kind!r}; add it to worn.hat.")
