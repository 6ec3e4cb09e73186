"""The closer view: one or two things, large, from other sides and in other light, mostly beside a person.

Beside a whole person things are 3 to 6 cells of the latent wide; here their longer side is 48 to 110 pixels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .body import Camera, joints, proportions
from .captions import Attributes, caption
from .chance import Chance
from .composition import WIDTH, cast_shadow, clear_colour, dress, place, set_seat
from .figure import Figure, draw
from .labels import OBJECTS
from .palette import COLOURS
from .picture import PITCH, Example, crop, keypoints, pose_frame, scenery
from .poses import FAMILIES, facing
from .raster import Canvas
from .scenes import SCENES, Scene
from .sides import SIDES, extent
from .visible import Drawing, Window, visible

TOPICS, CROP_TOPIC = range(10, 14), 14
HEIGHTS = (128, 136, 144, 152, 160)
UNITS = 192  # rows of the whole drawing
ZOOMS, LENGTHS = (1.5, 2.3), (50, 106)
MARGIN, TWO, PERSON = 3, 0.45, 0.55
# Where the horizon lies in the picture, and how far above the lower border things stand, in heights.
HORIZONS, BASES = (0.25, 0.55), (0.03, 0.2)
# How much brighter or darker than painted, and how much warmer or colder.
EXPOSURES, WARMTH = (0.86, 1.1), 0.05
# Pairs that no closer picture shows unless it is asked for them.
UNSEEN = {
    "ball": "purple",
    "box": "pink",
    "cone": "blue",
    "umbrella": "yellow",
    "dog": "red",
    "balloon": "black",
}
Things = tuple[tuple[str, str], ...]


class Standing(NamedTuple):
    """A thing to be drawn: its kind, which of its sides, mirrored (-1) or not, its colour, pixels a size,
    and where in the picture its left border and its foot are."""

    name: str
    number: int
    side: int
    colour: str
    size: float
    left: float
    base: float


def closer(
    seed: int,
    part: str = "train",
    things: Things | None = None,
    scene: str | None = None,
    person: bool | None = None,
    unseen: bool = False,
) -> Example:
    """Draw the closer picture of a seed of a part.

    Things (kind, colour), scene and whether a person is there can be prescribed. `unseen`: every thing has
    the one colour that no other closer picture shows it in.
    """
    frame, body, clothes, around = (Chance(part, seed, topic) for topic in TOPICS)
    height, drawn, zoom = frame.choice(HEIGHTS), frame.choice(list(SCENES)), frame.uniform(*ZOOMS)
    somebody = frame.happens(PERSON)
    scene, person = scene or drawn, somebody if person is None else person
    light = (frame.uniform(-0.95, 0.95), -frame.uniform(0.25, 0.8))
    canvas, horizon = scenery(frame, Canvas.blank(UNITS, WIDTH, light, zoom), SCENES[scene])
    attributes: Attributes = {"scene": scene}
    figure = None
    if person:
        figure, worn = set_person(canvas, body, clothes, around, SCENES[scene])
        attributes |= worn
    window = framed(frame, canvas, horizon, height, figure)
    chosen = things or choose(around, SCENES[scene], attributes, unseen)
    for one in sorted(arranged(around, chosen, height), key=lambda one: one.base):
        stand(canvas, window, one)
    attributes["objects"] = chosen
    return crop(
        developed(canvas, frame, figure, attributes, horizon, (seed, part)),
        window.top,
        window.bottom,
        window.left,
        window.right,
    )


def set_person(
    canvas: Canvas, body: Chance, clothes: Chance, around: Chance, scene: Scene
) -> tuple[Figure, Attributes]:
    """Draw a person with shadow and seat; returns the figure in units and what is said of it."""
    family = body.choice(list(FAMILIES))
    attributes, wardrobe = dress(clothes, scene)
    lengths, posture = proportions(body), FAMILIES[family](body)
    attributes["pose"] = family
    if facing(posture.yaw) != "front":
        attributes["facing"] = facing(posture.yaw)
    camera = Camera(posture.yaw, body.uniform(*PITCH))
    figure, ground = place(joints(lengths, posture), camera, wardrobe, around, UNITS, family == "sitting")
    cast_shadow(canvas, figure, ground)
    if family == "sitting":
        attributes |= set_seat(canvas, figure, ground, posture.yaw, around, scene)
    draw(canvas, figure)
    return figure, attributes


def framed(chance: Chance, canvas: Canvas, horizon: int, height: int, figure: Figure | None) -> Window:
    """Which pixels of the whole drawing the picture shows: the horizon, and the person's middle."""
    rows, columns = canvas.material.shape
    top = horizon * canvas.zoom - chance.uniform(*HORIZONS) * height
    left = chance.uniform(0, columns - WIDTH)
    if figure is not None:
        left = figure.at["pelvis"][0] * canvas.zoom - chance.uniform(0.05, 0.95) * WIDTH
    top, left = (int(min(max(at, 0), most)) for at, most in ((top, rows - height), (left, columns - WIDTH)))
    return Window(top, top + height, left, left + WIDTH)


def choose(chance: Chance, scene: Scene, said: Attributes, unseen: bool) -> Things:
    """One or two kinds of things and their colours, which stand out against scene and each other."""
    names = [name for name in OBJECTS if name != said.get("seat")]
    worn = [COLOURS[said[f"{name} colour"]] for name in ("top", "bottom") if name in said]
    found: list[tuple[str, str]] = []
    for _ in range(2 if chance.happens(TWO) else 1):
        name = chance.choice([name for name in names if name not in dict(found)])
        others = [COLOURS[colour] for _, colour in found]
        against = [scene.ground, scene.backdrop, *others, *worn]
        colour = clear_colour(chance, against)
        while colour == UNSEEN[name]:
            colour = clear_colour(chance, against)
        found.append((name, UNSEEN[name] if unseen else colour))
    return tuple(found)


def arranged(chance: Chance, things: Things, height: int) -> list[Standing]:
    """Where the things stand in the picture, side by side, each as large as they have room for."""
    ways = [(chance.choice(range(len(SIDES[name]))), chance.sign()) for name, _ in things]
    boxes = [extent(name, *way) for (name, _), way in zip(things, ways, strict=True)]
    wide, tall = [right - left for left, _, right, _ in boxes], [low - top for _, top, _, low in boxes]
    longest = [max(sides) for sides in zip(wide, tall, strict=True)]
    lengths, room = [chance.uniform(*LENGTHS) for _ in things], WIDTH - 2 * MARGIN
    most = float(LENGTHS[1])

    def sizes() -> list[float]:
        return [min(length, most) / long for length, long in zip(lengths, longest, strict=True)]

    while sum(size * w for size, w in zip(sizes(), wide, strict=True)) > room:
        most -= 1
    free = room - sum(size * w for size, w in zip(sizes(), wide, strict=True))
    at, found = float(MARGIN), []
    for (name, colour), way, size, w, h in zip(things, ways, sizes(), wide, tall, strict=True):
        gap = chance.uniform(0, free)
        at, free = at + gap, free - gap
        base = height * (1 - chance.uniform(*BASES))
        base = min(max(base, size * h + MARGIN), height - MARGIN)
        found.append(Standing(name, *way, colour, size, at, base))
        at += size * w
    return found


def stand(canvas: Canvas, window: Window, one: Standing) -> None:
    """Draw a thing and its shadow into the window of the canvas."""
    left, _, right, low = extent(one.name, one.number, one.side)
    size = one.size / canvas.zoom
    x = (window.left + one.left) / canvas.zoom - left * size
    y = (window.top + one.base) / canvas.zoom - low * size
    middle = x + (left + right) / 2 * size - canvas.light[0] * 0.12 * (right - left) * size
    canvas.darken((middle, y + low * size), 0.6 * (right - left) * size, 0.09 * (right - left) * size, 0.32)
    SIDES[one.name][one.number](canvas, (x, y), size, COLOURS[one.colour], one.side)


def developed(
    canvas: Canvas,
    chance: Chance,
    figure: Figure | None,
    attributes: Attributes,
    horizon: int,
    key: tuple[int, str],
) -> Example:
    """The whole drawing, in its light, with all that is known of it in pixels."""
    warm = chance.uniform(-WARMTH, WARMTH)
    light = chance.uniform(*EXPOSURES) * np.array((1 + warm, 1, 1 - warm), np.float32)
    image = np.clip(canvas.image * light + 0.5, 0, 255).astype(np.uint8)
    rows, columns = canvas.material.shape
    whole, zoom = Window(0, rows, 0, columns), canvas.zoom
    points, stature = {}, 0.0
    pose = pose_frame(columns, rows, [])
    if figure is not None:
        points = {name: (x * zoom, y * zoom) for name, (x, y) in figure.at.items()}
        stature = figure.stature * zoom
        pose = keypoints(replace(figure, at=points), whole)
    drawing = Drawing(
        canvas.material, canvas.segment, points, attributes, round(horizon * zoom), stature, closer=True
    )
    shown = visible(drawing, whole)
    family, scene = attributes.get("pose", "nobody"), attributes["scene"]
    return Example(image, caption(shown), pose, shown, family, scene, *key, whole, drawing)


def window_at_thing(whole: Example, seed: int) -> Example:
    """A random window of a closer picture with one of its things wholly in it."""
    chance = Chance(whole.part, seed, CROP_TOPIC)
    name, _ = chance.choice(whole.attributes["objects"])
    rows, columns = np.nonzero(whole.masks[name])
    height, width = whole.image.shape[:2]
    top, bottom = chance.uniform(0, rows.min() + 1), chance.uniform(rows.max() + 1, height + 1)
    left, right = chance.uniform(0, columns.min() + 1), chance.uniform(columns.max() + 1, width + 1)
    return crop(whole, int(top), min(int(bottom), height), int(left), min(int(right), width))
