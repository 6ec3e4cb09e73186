"""The places: ground, horizon, backdrop. Each fills the canvas and leaves the material at background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .chance import Chance
from .raster import Canvas, Colour, Point, capsule, convex, disc, ellipse


@dataclass(frozen=True)
class Scene:
    """How a place is drawn and said; the colours next to which clothes must stay visible."""

    phrase: str
    draw: Callable[[Canvas, int, Chance], None]
    ground: Colour
    backdrop: Colour
    indoors: bool = False


def rect(
    canvas: Canvas, left: float, top: float, right: float, bottom: float, colour: Colour, edge: float = 0.0
) -> None:
    canvas.paint(
        convex([(left, top), (right, top), (right, bottom), (left, bottom)]), colour, relief=0, edge=edge
    )


def sun(canvas: Canvas, horizon: int) -> None:
    x = canvas.width * (0.5 + 0.36 * (1 if canvas.light[0] > 0 else -1))
    canvas.paint(disc((x, 0.26 * horizon), 8), (255, 240, 170), relief=0, edge=0)


def cloud(canvas: Canvas, x: float, y: float, size: float) -> None:
    puffs = [
        ellipse((x + dx * size, y + dy * size), rx * size, ry * size)
        for dx, dy, rx, ry in (
            (0, 0, 1, 0.45),
            (-0.6, 0.1, 0.7, 0.35),
            (0.6, 0.12, 0.7, 0.33),
            (0.1, -0.3, 0.55, 0.4),
        )
    ]
    canvas.paint(puffs, (250, 250, 252), relief=0, edge=0)


def hills(canvas: Canvas, chance: Chance, horizon: int, colour: Colour, height: float) -> None:
    for _ in range(3):
        x, w, h = chance.uniform(0, 128), chance.uniform(36, 64), chance.uniform(0.6, 1) * height
        canvas.paint(ellipse((x, horizon + 2), w, h), colour, relief=0.05, edge=0.06)


def fill(
    canvas: Canvas, horizon: int, sky: tuple[Colour, Colour], ground: tuple[Colour, Colour]
) -> Callable[[], None]:
    """Fill the sky; the returned call fills the ground over whatever was drawn meanwhile."""
    canvas.gradient(0, horizon, *sky)
    return lambda: canvas.gradient(horizon, canvas.height, *ground)


def beach(canvas: Canvas, horizon: int, chance: Chance) -> None:
    ground = fill(canvas, horizon, ((112, 178, 238), (206, 230, 246)), ((226, 204, 150), (240, 220, 172)))
    sun(canvas, horizon)
    cloud(canvas, chance.uniform(20, 108), chance.uniform(0.2, 0.5) * horizon, chance.uniform(9, 14))
    sea = int(chance.uniform(0.16, 0.30) * horizon) + 4
    canvas.gradient(horizon - sea, horizon, (30, 110, 170), (70, 170, 200))
    ground()
    canvas.paint(ellipse((chance.uniform(30, 100), horizon), 90, 3.2), (236, 246, 248), relief=0, edge=0)


def street(canvas: Canvas, horizon: int, chance: Chance) -> None:
    ground = fill(canvas, horizon, ((176, 200, 222), (214, 224, 230)), ((150, 150, 154), (176, 176, 180)))
    left = -chance.uniform(0, 16)
    while left < 128:
        width, height = chance.uniform(26, 42), chance.uniform(0.62, 0.98) * horizon
        wall = chance.choice(
            ((186, 120, 98), (206, 186, 150), (150, 160, 170), (172, 150, 130), (190, 190, 176))
        )
        rect(canvas, left, horizon - height, left + width, horizon + 1, wall, 0.18)
        rows = max(int(height / 17), 1)
        for row in range(rows):
            for column in range(max(int(width / 12), 1)):
                x, y = left + 4 + 12 * column, horizon - height + 6 + 17 * row
                rect(canvas, x, y, x + 6, y + 9, (96, 120, 146))
        left += width + 1
    ground()
    rect(canvas, 0, horizon, 128, horizon + 5, (206, 206, 208), 0.1)
    y = horizon + 0.32 * (canvas.height - horizon)
    for x in (-12, 32, 76, 120):
        rect(canvas, x, y, x + 24, y + 3, (232, 232, 226))


def meadow(canvas: Canvas, horizon: int, chance: Chance) -> None:
    ground = fill(canvas, horizon, ((104, 174, 240), (196, 226, 246)), ((124, 190, 92), (146, 206, 104)))
    sun(canvas, horizon)
    cloud(canvas, chance.uniform(16, 112), chance.uniform(0.25, 0.5) * horizon, chance.uniform(9, 14))
    hills(canvas, chance, horizon, (104, 168, 108), 16)
    ground()
    height = canvas.height
    for _ in range(9):
        flower = chance.choice(((250, 250, 250), (250, 226, 90), (236, 130, 160)))
        canvas.paint(
            disc((chance.uniform(2, 126), chance.uniform(horizon + 6, height - 3)), 1.5),
            flower,
            relief=0,
            edge=0,
        )


def snow(canvas: Canvas, horizon: int, chance: Chance) -> None:
    ground = fill(canvas, horizon, ((164, 186, 212), (220, 230, 240)), ((222, 230, 242), (238, 242, 248)))
    hills(canvas, chance, horizon, (200, 212, 230), 22)
    for _ in range(4):
        fir(canvas, chance.uniform(4, 124), horizon + 3, chance.uniform(26, 44), (64, 104, 92))
    ground()
    for _ in range(16):
        canvas.paint(
            disc((chance.uniform(0, 128), chance.uniform(2, horizon)), 1.1), (252, 252, 255), relief=0, edge=0
        )


def fir(canvas: Canvas, x: float, y: float, height: float, colour: Colour) -> None:
    rect(canvas, x - 1.6, y - 0.2 * height, x + 1.6, y, (96, 70, 52))
    for low, high, wide in ((0.12, 0.55, 0.30), (0.36, 0.78, 0.24), (0.6, 1.0, 0.17)):
        points = [
            (x - wide * height, y - low * height),
            (x + wide * height, y - low * height),
            (x, y - high * height),
        ]
        canvas.paint(convex(points), colour, relief=0.1, edge=0.12)


def room(canvas: Canvas, horizon: int, chance: Chance) -> None:
    wall = chance.choice(((226, 214, 196), (204, 220, 214), (216, 206, 224)))
    ground = fill(canvas, horizon, (wall, tuple(0.94 * c for c in wall)), ((176, 132, 92), (196, 150, 106)))
    x = chance.uniform(12, 30) if chance.happens(0.5) else chance.uniform(84, 100)
    y = 0.16 * horizon
    rect(canvas, x - 14, y, x + 14, y + 36, (248, 248, 246), 0.2)
    rect(canvas, x - 11, y + 3, x + 11, y + 33, (160, 206, 240))
    rect(canvas, x - 1, y + 3, x + 1, y + 33, (248, 248, 246))
    rect(canvas, x - 11, y + 17, x + 11, y + 19, (248, 248, 246))
    p = 128 - x
    rect(canvas, p - 11, y + 6, p + 11, y + 24, (120, 84, 58), 0.2)
    rect(
        canvas,
        p - 8,
        y + 9,
        p + 8,
        y + 21,
        chance.choice(((206, 160, 140), (150, 180, 150), (150, 160, 200))),
    )
    ground()
    rect(canvas, 0, horizon - 3, 128, horizon + 1, (244, 240, 232), 0.15)
    height = canvas.height
    for x0 in range(-96, 256, 26):
        canvas.paint(
            capsule((64 + (x0 - 64) * 0.8, horizon + 1.5), (64 + (x0 - 64) * 1.3, height + 2), 0.6, 0.6),
            (150, 110, 76),
            relief=0,
            edge=0,
        )


def gym(canvas: Canvas, horizon: int, chance: Chance) -> None:
    ground = fill(canvas, horizon, ((196, 208, 212), (180, 194, 200)), ((222, 166, 104), (232, 180, 118)))
    left = chance.uniform(6, 20) if chance.happens(0.5) else chance.uniform(72, 86)
    for x in (left, left + 18, left + 36):
        rect(canvas, x - 1.5, 0.22 * horizon, x + 1.5, horizon, (170, 120, 76))
    for k in range(8):
        y = 0.26 * horizon + k * 0.088 * horizon
        rect(canvas, left, y, left + 36, y + 2, (196, 146, 96))
    rect(canvas, 0, 0.08 * horizon, 128, 0.08 * horizon + 7, (232, 240, 244), 0.1)
    ground()
    rect(canvas, 0, horizon - 2, 128, horizon + 1, (120, 90, 66))
    height = canvas.height
    y = horizon + 0.35 * (height - horizon)
    rect(canvas, 0, y, 128, y + 2.2, (250, 250, 250))
    x = chance.uniform(30, 98)
    canvas.paint(
        capsule((x, y), (64 + 1.5 * (x - 64), height + 2), 1.1, 1.6), (60, 110, 190), relief=0, edge=0
    )


def desert(canvas: Canvas, horizon: int, chance: Chance) -> None:
    ground = fill(canvas, horizon, ((250, 196, 130), (252, 226, 176)), ((216, 152, 92), (230, 170, 108)))
    sun(canvas, horizon)
    hills(canvas, chance, horizon, (206, 138, 84), 20)
    ground()
    x = chance.uniform(8, 34) if chance.happens(0.5) else chance.uniform(94, 120)
    y, s, green = horizon + 6, chance.uniform(26, 38), (88, 134, 84)
    arms = [
        capsule((x + d, y - h * s), (x + d, y - (h + 0.26) * s), 2.4, 2.4) for d, h in ((-8, 0.4), (8, 0.5))
    ]
    bars = [capsule((x, y - h * s), (x + d, y - h * s), 2.4, 2.4) for d, h in ((-8, 0.4), (8, 0.5))]
    canvas.paint([capsule((x, y), (x, y - s), 3.6, 3.6), *arms, *bars], green)


def forest(canvas: Canvas, horizon: int, chance: Chance) -> None:
    ground = fill(canvas, horizon, ((150, 186, 170), (176, 204, 180)), ((120, 124, 78), (140, 138, 92)))
    for _ in range(6):
        fir(canvas, chance.uniform(-4, 132), horizon + 2, chance.uniform(0.6, 0.95) * horizon, (96, 140, 112))
    for _ in range(4):
        x = chance.uniform(0, 128)
        rect(canvas, x - 3, 0, x + 3, horizon + 4, (104, 82, 64), 0.3)
    ground()
    for x in range(-4, 140, 13):
        canvas.paint(
            ellipse((x + chance.uniform(-4, 4), horizon), chance.uniform(7, 11), chance.uniform(3, 7)),
            (86, 122, 78),
            relief=0.08,
            edge=0.05,
        )
    ground_top = horizon + 3
    canvas.gradient(ground_top, canvas.height, (120, 124, 78), (140, 138, 92))


SCENES = {
    "beach": Scene("on a beach", beach, (234, 212, 162), (150, 200, 236)),
    "street": Scene("in a street", street, (166, 166, 170), (180, 170, 160)),
    "meadow": Scene("in a meadow", meadow, (136, 198, 98), (160, 206, 236)),
    "snow": Scene("in the snow", snow, (232, 238, 246), (206, 216, 232)),
    "room": Scene("in a room", room, (186, 142, 100), (216, 212, 208), True),
    "gym": Scene("in a gym", gym, (228, 174, 112), (188, 200, 206), True),
    "desert": Scene("in a desert", desert, (224, 162, 100), (250, 212, 150)),
    "forest": Scene("in a forest", forest, (130, 132, 86), (130, 160, 136)),
}


def ground_shadow(canvas: Canvas, feet: list[Point], middle: Point, stature: float) -> None:
    """The soft shadow away from the light and the dark contact below each foot."""
    away = -canvas.light[0] * 0.16 * stature
    canvas.darken((middle[0] + away, middle[1]), 0.30 * stature, 0.055 * stature, 0.20)
    for x, y in feet:
        canvas.darken((x, y), 0.10 * stature, 0.026 * stature, 0.34)
