"""How the objects look: shapes of two parts, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import cos, pi, sin

import numpy as np

from ..world.raster import Canvas, Colour, Point, Shape, capsule, convex, disc
from ..world.sides import placed

Place = Callable[[float, float], Point]
Parts = tuple[list[Shape], list[Shape]]
TURNS = (-14.0, 0.0, 14.0)  # degrees
# Of the canvas on which an extent is measured: units, pixels to a unit.
UNITS, FINE = 200, 4.0


def polygon(p: Place, *corners: tuple[float, float]) -> Shape:
    """The convex hull of corners in sizes."""
    return convex([p(*corner) for corner in corners])


def star(p: Place, size: float) -> Parts:
    middle, tips = (0.0, 0.13), []
    for k in range(5):
        corners = [
            (middle[0] + r * sin(turn), middle[1] + r * cos(turn))
            for r, turn in (
                (0.14, 2 * pi * k / 5),
                (0.065, 2 * pi * (k - 0.5) / 5),
                (0.065, 2 * pi * (k + 0.5) / 5),
            )
        ]
        tips.append(polygon(p, middle, *corners))
    return tips, [disc(p(*middle), 0.06 * size)]


def house(p: Place, size: float) -> Parts:
    wall = polygon(p, (-0.1, 0), (0.1, 0), (0.1, 0.13), (-0.1, 0.13))
    return [wall], [polygon(p, (-0.13, 0.13), (0.13, 0.13), (0, 0.25))]


def tree(p: Place, size: float) -> Parts:
    lower = polygon(p, (-0.12, 0), (0.12, 0), (0, 0.2))
    return [lower], [polygon(p, (-0.09, 0.13), (0.09, 0.13), (0, 0.28))]


def mushroom(p: Place, size: float) -> Parts:
    rim = [(0.13 * cos(pi * k / 12), 0.11 + 0.12 * sin(pi * k / 12)) for k in range(13)]
    stem = capsule(p(0, 0.05), p(0, 0.12), 0.055 * size, 0.045 * size)
    return [polygon(p, *rim)], [stem]


def robot_dog(p: Place, size: float) -> Parts:
    body = polygon(p, (-0.13, 0.07), (0.07, 0.07), (0.07, 0.18), (-0.13, 0.18))
    legs = [polygon(p, (x, 0), (x + 0.05, 0), (x + 0.05, 0.09), (x, 0.09)) for x in (-0.12, 0.01)]
    return [body, *legs], [polygon(p, (0.03, 0.15), (0.15, 0.15), (0.15, 0.27), (0.03, 0.27))]


def kite(p: Place, size: float) -> Parts:
    upper = polygon(p, (-0.11, 0.16), (0.11, 0.16), (0, 0.28))
    return [upper], [polygon(p, (-0.11, 0.16), (0.11, 0.16), (0, 0.0))]


def hourglass(p: Place, size: float) -> Parts:
    upper = polygon(p, (-0.1, 0.26), (0.1, 0.26), (0, 0.12))
    return [upper], [polygon(p, (-0.1, 0), (0.1, 0), (0, 0.14))]


SHAPES: dict[str, Callable[[Place, float], Parts]] = {
    "star": star,
    "house": house,
    "tree": tree,
    "mushroom": mushroom,
    "robot dog": robot_dog,
    "kite": kite,
    "hourglass": hourglass,
}
BEHIND = ("mushroom",)  # whose second part is painted first


def draw(
    canvas: Canvas, name: str, at: Point, size: float, colours: Sequence[Colour], side: int, turn: float,
    material: int,
) -> None:  # fmt: skip
    """Draw an object that stands at `at`; the canvas's segments tell its parts as 1 and 2."""
    parts = SHAPES[name](placed(at, size, side, turn), size)
    order = (1, 0) if name in BEHIND else (0, 1)
    for number in order:
        canvas.paint(parts[number], colours[number], material, [number + 1])


@lru_cache
def extent(name: str, side: int, turn: float) -> tuple[float, float, float, float]:
    """How far an object reaches left, up, right and down from where it stands, in sizes."""
    canvas, size = Canvas.blank(UNITS, UNITS, (0.0, -1.0), FINE), UNITS / 2
    draw(canvas, name, (size, 1.5 * size), size, [(0, 0, 0)] * 2, side, turn, 1)
    rows, columns = np.nonzero(canvas.material)
    left, right = columns.min() / FINE - size, (columns.max() + 1) / FINE - size
    top, low = rows.min() / FINE - 1.5 * size, (rows.max() + 1) / FINE - 1.5 * size
    return float(left / size), float(top / size), float(right / size), float(low / size)
