"""Things that stand on the ground beside the person, and what one can sit on."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, radians, sin

from .labels import MATERIAL
from .raster import Canvas, Colour, Point, capsule, convex, disc, ellipse

# Widths and heights in statures of the person beside them.
SIZES = {
    "ball": (0.20, 0.20),
    "box": (0.27, 0.24),
    "cone": (0.22, 0.32),
    "umbrella": (0.46, 0.78),
    "dog": (0.40, 0.30),
    "balloon": (0.24, 0.86),
}

# Of an umbrella's pole and of a balloon's string.
WOOD, STRING = (120, 100, 84), (235, 235, 235)


def draw_ball(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    r = 0.10 * size
    canvas.paint(disc((at[0], at[1] - r), r), colour, MATERIAL["ball"], relief=0.24)
    canvas.paint(
        disc((at[0] + 0.35 * r * canvas.light[0], at[1] - 1.4 * r), 0.2 * r),
        bright(colour),
        MATERIAL["ball"],
        edge=0,
    )


def draw_box(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    cuboid(canvas, at, (0.10 * size, 0.20 * size, 0.08 * size), 24 * side, colour, MATERIAL["box"])


def draw_cone(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    (x, y), s = at, size
    foot = [
        (x - 0.11 * s, y - 0.015 * s),
        (x + 0.11 * s, y - 0.015 * s),
        (x + 0.10 * s, y + 0.02 * s),
        (x - 0.10 * s, y + 0.02 * s),
    ]
    canvas.paint(convex(foot), colour, MATERIAL["cone"], edge=0.3)
    canvas.paint(
        capsule((x, y - 0.01 * s), (x, y - 0.30 * s), 0.08 * s, 0.015 * s),
        colour,
        MATERIAL["cone"],
        relief=0.2,
    )
    band = [
        (x + dx * s, y + dy * s)
        for dx, dy in ((-0.058, -0.12), (0.058, -0.12), (0.046, -0.17), (-0.046, -0.17))
    ]
    canvas.paint(convex(band), stripe(colour), MATERIAL["cone"], edge=0)


def draw_umbrella(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    (x, y), s = at, size
    canvas.paint(capsule((x, y), (x, y - 0.72 * s), 1.3, 1.3), WOOD, MATERIAL["umbrella"], edge=0)
    rim = [
        (x + 0.23 * s * cos(radians(a)), y - 0.56 * s - 0.21 * s * sin(radians(a))) for a in range(0, 181, 12)
    ]
    canvas.paint(convex(rim), colour, MATERIAL["umbrella"], relief=0.2)
    for dx in (-0.075, 0.075):
        seam = capsule((x + 0.2 * dx * s, y - 0.765 * s), (x + dx * s, y - 0.565 * s), 0.6, 0.6)
        canvas.paint(seam, shaded(colour, 0.72), MATERIAL["umbrella"], relief=0, edge=0)


def draw_dog(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    (x, y), s, m = at, size, MATERIAL["dog"]

    def p(dx: float, dy: float) -> Point:
        return x + side * dx * s, y - dy * s

    for dx in (-0.10, 0.07):
        canvas.paint(
            capsule(p(dx + 0.03, 0.12), p(dx + 0.035, 0.012), 0.022 * s, 0.018 * s),
            shaded(colour, 0.72),
            m,
            edge=0,
        )
    canvas.paint(capsule(p(-0.13, 0.15), p(-0.19, 0.25), 0.018 * s, 0.012 * s), colour, m)
    body = [
        capsule(p(-0.10, 0.14), p(0.08, 0.15), 0.055 * s, 0.058 * s),
        capsule(p(0.09, 0.17), p(0.13, 0.23), 0.04 * s, 0.04 * s),
    ]
    legs = [capsule(p(dx, 0.12), p(dx, 0.014), 0.025 * s, 0.02 * s) for dx in (-0.12, 0.09)]
    head = [disc(p(0.14, 0.25), 0.054 * s), capsule(p(0.15, 0.235), p(0.205, 0.225), 0.032 * s, 0.024 * s)]
    canvas.paint([*body, *legs, *head], colour, m)
    canvas.paint(capsule(p(0.115, 0.28), p(0.10, 0.215), 0.02 * s, 0.018 * s), shaded(colour, 0.6), m, edge=0)
    for spot, radius in ((p(0.162, 0.268), 1.1), (p(0.222, 0.236), 1.3)):
        canvas.paint(disc(spot, radius), eyes(colour), m, relief=0, edge=0)


def draw_balloon(canvas: Canvas, at: Point, size: float, colour: Colour, side: int) -> None:
    (x, y), s, m = at, size, MATERIAL["balloon"]
    canvas.paint(capsule((x, y), (x, y - 0.62 * s), 0.75, 0.75), STRING, m, relief=0, edge=0.3)
    canvas.paint(capsule((x, y - 0.60 * s), (x, y - 0.64 * s), 0.02 * s, 0.01 * s), colour, m)
    canvas.paint(ellipse((x, y - 0.74 * s), 0.105 * s, 0.125 * s), colour, m, relief=0.24)
    canvas.paint(disc((x + 0.04 * s * canvas.light[0], y - 0.79 * s), 0.022 * s), bright(colour), m, edge=0)


DRAW: dict[str, Callable[[Canvas, Point, float, Colour, int], None]] = {
    "ball": draw_ball,
    "box": draw_box,
    "cone": draw_cone,
    "umbrella": draw_umbrella,
    "dog": draw_dog,
    "balloon": draw_balloon,
}


def stripe(colour: Colour) -> Colour:
    """The colour of a cone's stripe."""
    return (245, 245, 245) if sum(colour) < 640 else (70, 70, 76)


def eyes(colour: Colour) -> Colour:
    """The colour of a dog's eyes and nose."""
    return (24, 22, 26) if sum(colour) > 200 else (230, 226, 220)


def shaded(colour: Colour, by: float) -> Colour:
    return colour[0] * by, colour[1] * by, colour[2] * by


def bright(colour: Colour) -> Colour:
    return tuple(0.45 * c + 0.55 * 252 for c in colour)


def cuboid(
    canvas: Canvas,
    at: Point,
    half: tuple[float, float, float],
    yaw: float,
    colour: Colour,
    material: int,
    tilt: float = 0.26,
    lid: float = 1.06,
) -> None:
    """A box of half-width, height and half-depth standing at `at`, seen from above by `tilt`.

    `lid` is the shade of its upper side.
    """
    (hx, height, hz), c, s = half, cos(radians(yaw)), sin(radians(yaw))

    def corner(x: float, y: float, z: float) -> Point:
        return at[0] + x * c + z * s, at[1] - y + (z * c - x * s) * tilt

    for nx, nz in ((0, 1), (1, 0), (-1, 0), (0, -1)):
        toward = nz * c - nx * s
        if toward > 0.02:
            ends = [(nx * hx + t * nz * hx, nz * hz + t * nx * hz) for t in (-1, 1)]
            face = [corner(x, y, z) for x, z in ends for y in (0, height)]
            lit = 0.80 + 0.14 * (nx * c + nz * s) * canvas.light[0]
            canvas.paint(convex(face), shaded(colour, lit), material, relief=0, edge=0.12)
    upper = [corner(x, height, z) for x in (-hx, hx) for z in (-hz, hz)]
    canvas.paint(convex(upper), shaded(colour, lid), material, relief=0, edge=0.08)


def draw_seat(
    canvas: Canvas, kind: str, at: Point, height: float, stature: float, yaw: float, colour: Colour
) -> None:
    """The seat under a sitting person, `height` above `at`, the ground below the pelvis."""
    s, m = stature, MATERIAL["seat"]
    if kind == "box":
        cuboid(canvas, at, (0.17 * s, height, 0.15 * s), yaw, colour, m)
        return
    board, (c, k) = 0.05 * s, (cos(radians(yaw)), sin(radians(yaw)))
    for x, z in ((-0.22, -0.09), (0.22, -0.09), (-0.22, 0.09), (0.22, 0.09)):
        foot = (at[0] + (x * c + z * k) * s, at[1] + (z * c - x * k) * 0.26 * s)
        cuboid(canvas, foot, (0.022 * s, height - board, 0.022 * s), yaw, shaded(colour, 0.85), m)
    cuboid(canvas, (at[0], at[1] - height + board), (0.28 * s, board, 0.13 * s), yaw, colour, m)
