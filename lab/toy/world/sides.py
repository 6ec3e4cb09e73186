"""Things as only the closer view shows them: from other sides than beside a whole person."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import cos, radians, sin

import numpy as np

from .labels import MATERIAL
from .objects import STRING, WOOD, bright, cuboid, eyes, shaded, stripe
from .raster import Canvas, Colour, Point, capsule, convex, disc, ellipse

Draw = Callable[[Canvas, Point, float, Colour, int], None]


# Of the canvas on which a thing's extent is measured: units, pixels to a unit.
UNITS, FINE = 200, 4.0


def placed(at: Point, size: float, side: int, turn: float = 0.0) -> Callable[[float, float], Point]:
    """Points of a thing that stands at `at`: x to its front, y up, in sizes; turned by degrees about `at`."""
    c, s = cos(radians(turn)), sin(radians(turn))

    def point(x: float, y: float) -> Point:
        x, y = x * c + y * s, y * c - x * s
        return at[0] + side * x * size, at[1] - y * size

    return point


def striped_ball(canvas: Canvas, at: Point, size: float, colour: Colour, side: int, turn: float) -> None:
    p, r = placed((at[0], at[1] - 0.10 * size), size, side, turn), 0.10 * size
    canvas.paint(disc(p(0, 0), r), colour, MATERIAL["ball"], relief=0.3)
    band = capsule(p(-0.068, 0.012), p(0.068, 0.012), 0.016 * size, 0.016 * size)
    canvas.paint(band, shaded(colour, 0.62), MATERIAL["ball"], relief=0, edge=0)


def ball_across(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    striped_ball(canvas, at, size, colour, side, 20)


def ball_upright(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    striped_ball(canvas, at, size, colour, side, 75)


def ball_from_above(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    r, middle = 0.10 * size, (at[0], at[1] - 0.10 * size)
    canvas.paint(disc(middle, r), colour, MATERIAL["ball"], relief=0.12)
    canvas.paint(disc(middle, 0.32 * r), shaded(colour, 0.62), MATERIAL["ball"], relief=0, edge=0)


def box_on_edge(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    half = (0.10 * size, 0.19 * size, 0.10 * size)
    cuboid(canvas, (at[0], at[1] - 0.045 * size), half, 45 * side, colour, MATERIAL["box"], 0.32)


def box_open(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    half = (0.12 * size, 0.14 * size, 0.10 * size)
    cuboid(canvas, (at[0], at[1] - 0.05 * size), half, 10 * side, colour, MATERIAL["box"], 0.45, 0.5)


def box_lying(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    half = (0.16 * size, 0.10 * size, 0.09 * size)
    cuboid(canvas, (at[0], at[1] - 0.045 * size), half, -30 * side, colour, MATERIAL["box"], 0.36)


def cone_lying(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed((at[0], at[1] - 0.10 * size), size, side), MATERIAL["cone"]
    canvas.paint(capsule(p(-0.08, 0.012), p(0.16, -0.06), 0.085 * size, 0.018 * size), colour, m, relief=0.2)
    canvas.paint(
        convex([p(0.02, 0.05), p(0.06, 0.032), p(0.045, -0.086), p(0.0, -0.088)]), stripe(colour), m, edge=0
    )
    foot = [p(-0.12, 0.09), p(-0.155, 0.075), p(-0.145, -0.085), p(-0.105, -0.09)]
    canvas.paint(convex(foot), shaded(colour, 0.8), m, edge=0.3)


def cone_from_above(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed((at[0], at[1] - 0.11 * size), size, side, 12), MATERIAL["cone"]
    canvas.paint(
        convex([p(-0.11, -0.08), p(0.11, -0.08), p(0.11, 0.10), p(-0.11, 0.10)]), shaded(colour, 0.8), m
    )
    canvas.paint(disc(p(0, 0.01), 0.085 * size), colour, m, relief=0.2)
    canvas.paint(disc(p(0, 0.02), 0.056 * size), stripe(colour), m, relief=0, edge=0)
    canvas.paint(disc(p(0, 0.03), 0.036 * size), colour, m, relief=0.2, edge=0)


def cone_leaning(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed((at[0], at[1] - 0.04 * size), size, side, 24), MATERIAL["cone"]
    canvas.paint(capsule(p(0.02, 0.05), p(0.02, 0.29), 0.085 * size, 0.018 * size), colour, m, relief=0.2)
    canvas.paint(
        convex([p(-0.04, 0.13), p(0.08, 0.13), p(0.068, 0.175), p(-0.028, 0.175)]), stripe(colour), m, edge=0
    )
    canvas.paint(convex([p(-0.09, 0.04), p(0.13, 0.04), p(0.12, 0.0), p(-0.08, 0.0)]), shaded(colour, 0.8), m)


def umbrella_leaning(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed((at[0] - 0.08 * size * side, at[1]), size, side, 28), MATERIAL["umbrella"]
    canvas.paint(capsule(p(0, 0.01), p(0, 0.42), 0.9, 0.9), WOOD, m, edge=0)
    rim = [p(0.20 * cos(radians(a)), 0.29 + 0.17 * sin(radians(a))) for a in range(0, 181, 12)]
    canvas.paint(convex(rim), colour, m, relief=0.2)
    for x in (-0.065, 0.065):
        canvas.paint(
            capsule(p(0.2 * x, 0.455), p(x, 0.295), 0.006 * size, 0.006 * size),
            shaded(colour, 0.72),
            m,
            relief=0,
            edge=0,
        )


def umbrella_from_above(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed((at[0], at[1] - 0.19 * size), size, side), MATERIAL["umbrella"]
    corners = [(0.2 * cos(radians(a)), 0.185 * sin(radians(a))) for a in range(22, 382, 45)]
    canvas.paint(convex([p(x, y) for x, y in corners]), colour, m, relief=0.24)
    for x, y in corners:
        canvas.paint(
            capsule(p(0, 0.02), p(x, y), 0.006 * size, 0.004 * size),
            shaded(colour, 0.72),
            m,
            relief=0,
            edge=0,
        )
    canvas.paint(disc(p(0, 0.02), 0.016 * size), WOOD, m, relief=0, edge=0)


def umbrella_lying(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed((at[0], at[1] - 0.02 * size), size, side), MATERIAL["umbrella"]
    rim = [p(-0.06 - 0.15 * sin(radians(a)), 0.18 + 0.18 * cos(radians(a))) for a in range(0, 181, 12)]
    canvas.paint(convex(rim), colour, m, relief=0.2)
    inside = [p(-0.06 + 0.05 * sin(radians(a)), 0.18 + 0.18 * cos(radians(a))) for a in range(0, 361, 20)]
    canvas.paint(convex(inside), shaded(colour, 0.78), m, relief=0.1)
    canvas.paint(capsule(p(-0.06, 0.18), p(0.20, 0.02), 0.9, 0.9), WOOD, m, edge=0)


def face(
    canvas: Canvas, p: Callable[[float, float], Point], x: float, y: float, size: float, colour: Colour
) -> None:
    """A dog's eyes and nose seen from the front."""
    for dx, dy, r in ((-0.025, 0.016, 0.009), (0.025, 0.016, 0.009), (0, -0.018, 0.013)):
        canvas.paint(disc(p(x + dx, y + dy), r * size), eyes(colour), MATERIAL["dog"], relief=0, edge=0)


def dog_front(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed(at, size, side), MATERIAL["dog"]
    canvas.paint(ellipse(p(0.02, 0.15), 0.075 * size, 0.08 * size), shaded(colour, 0.8), m)
    legs = [capsule(p(x, 0.14), p(x, 0.018), 0.026 * size, 0.022 * size) for x in (-0.045, 0.045)]
    canvas.paint([ellipse(p(0, 0.15), 0.07 * size, 0.08 * size), *legs], colour, m)
    canvas.paint(
        [disc(p(0, 0.25), 0.062 * size), ellipse(p(0, 0.222), 0.036 * size, 0.034 * size)], colour, m
    )
    for x in (-1, 1):
        canvas.paint(
            capsule(p(0.05 * x, 0.29), p(0.068 * x, 0.225), 0.018 * size, 0.02 * size),
            shaded(colour, 0.6),
            m,
            edge=0,
        )
    face(canvas, p, 0, 0.245, size, colour)


def dog_back(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed(at, size, side), MATERIAL["dog"]
    canvas.paint(disc(p(0.03, 0.26), 0.055 * size), shaded(colour, 0.85), m)
    for x in (-0.015, 0.078):
        canvas.paint(
            capsule(p(x, 0.30), p(x, 0.245), 0.018 * size, 0.018 * size), shaded(colour, 0.6), m, edge=0
        )
    legs = [capsule(p(x, 0.13), p(x, 0.018), 0.032 * size, 0.024 * size) for x in (-0.05, 0.05)]
    canvas.paint([ellipse(p(0, 0.15), 0.082 * size, 0.085 * size), *legs], colour, m)
    canvas.paint(capsule(p(0, 0.17), p(-0.10, 0.28), 0.018 * size, 0.011 * size), shaded(colour, 0.8), m)


def dog_sitting(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed(at, size, side), MATERIAL["dog"]
    canvas.paint(capsule(p(-0.10, 0.03), p(-0.17, 0.06), 0.018 * size, 0.012 * size), colour, m)
    body = [
        capsule(p(-0.06, 0.065), p(0.03, 0.19), 0.065 * size, 0.05 * size),
        disc(p(-0.07, 0.055), 0.055 * size),
    ]
    legs = [capsule(p(0.04, 0.16), p(0.06, 0.018), 0.026 * size, 0.02 * size)]
    legs += [capsule(p(-0.06, 0.02), p(0.01, 0.018), 0.02 * size, 0.018 * size)]
    head = [
        disc(p(0.06, 0.27), 0.056 * size),
        capsule(p(0.07, 0.26), p(0.125, 0.245), 0.034 * size, 0.025 * size),
    ]
    canvas.paint([*body, *legs, *head], colour, m)
    canvas.paint(
        capsule(p(0.03, 0.295), p(0.02, 0.23), 0.02 * size, 0.018 * size), shaded(colour, 0.6), m, edge=0
    )
    for x, y, r in ((0.08, 0.288, 0.010), (0.142, 0.255, 0.012)):
        canvas.paint(disc(p(x, y), r * size), eyes(colour), m, relief=0, edge=0)


def balloon(
    canvas: Canvas, at: Point, size: float, colour: Colour, side: int, lean: float, length: float
) -> None:
    p, m = placed(at, size, side, lean), MATERIAL["balloon"]
    canvas.paint(capsule(at, p(0, length), 0.5, 0.5), STRING, m, relief=0, edge=0.3)
    canvas.paint(capsule(p(0, length), p(0, length + 0.02), 0.01 * size, 0.02 * size), colour, m)
    bulb = [
        disc(p(0, length + 0.135), 0.104 * size),
        capsule(p(0, length + 0.03), p(0, length + 0.12), 0.03 * size, 0.098 * size),
    ]
    canvas.paint(bulb, colour, m, relief=0.24)
    canvas.paint(disc(p(-0.04, length + 0.17), 0.02 * size), bright(colour), m, relief=0, edge=0)


def balloon_low(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    balloon(canvas, at, size, colour, side, 0, 0.08)


def balloon_leaning(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    balloon(canvas, (at[0] - 0.07 * size * side, at[1]), size, colour, side, 26, 0.10)


def balloon_lying(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    p, m = placed((at[0], at[1] - 0.10 * size), size, side), MATERIAL["balloon"]
    canvas.paint(capsule(p(-0.15, -0.02), p(-0.24, -0.09), 0.5, 0.5), STRING, m, relief=0, edge=0.3)
    canvas.paint(capsule(p(-0.15, -0.02), p(-0.13, -0.016), 0.02 * size, 0.01 * size), colour, m)
    bulb = [disc(p(0, 0), 0.1 * size), capsule(p(-0.12, -0.015), p(-0.02, 0), 0.03 * size, 0.095 * size)]
    canvas.paint(bulb, colour, m, relief=0.24)
    canvas.paint(disc(p(0.03, 0.05), 0.02 * size), bright(colour), m, relief=0, edge=0)


# The ways in which each thing is seen closer.
SIDES: dict[str, tuple[Draw, ...]] = {
    "ball": (ball_across, ball_upright, ball_from_above),
    "box": (box_on_edge, box_open, box_lying),
    "cone": (cone_lying, cone_from_above, cone_leaning),
    "umbrella": (umbrella_leaning, umbrella_from_above, umbrella_lying),
    "dog": (dog_front, dog_back, dog_sitting),
    "balloon": (balloon_low, balloon_leaning, balloon_lying),
}


@lru_cache
def extent(name: str, number: int, side: int) -> tuple[float, float, float, float]:
    """How far a thing reaches left, up, right and down from where it stands, in sizes."""
    canvas, size = Canvas.blank(UNITS, UNITS, (0.0, -1.0), FINE), UNITS / 2
    SIDES[name][number](canvas, (size, 1.5 * size), size, (0, 0, 0), side)
    rows, columns = np.nonzero(canvas.material)
    left, right = columns.min() / FINE - size, (columns.max() + 1) / FINE - size
    top, low = rows.min() / FINE - 1.5 * size, (rows.max() + 1) / FINE - 1.5 * size
    return float(left / size), float(top / size), float(right / size), float(low / size)
