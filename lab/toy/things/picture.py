"""Drawn pictures of things of one's own: seen closer, in the world's scenes, beside or on its people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from .. import world
from ..world import sides
from ..world.body import Camera, joints, proportions
from ..world.captions import Attributes
from ..world.chance import Chance
from ..world.closer import Standing, developed, framed
from ..world.closer import stand as stand_known
from ..world.composition import WIDTH, cast_shadow, clear_colour, dress, place, set_seat
from ..world.figure import Figure, draw
from ..world.labels import MATERIAL, OBJECTS
from ..world.palette import COLOURS
from ..world.picture import PITCH, Example, crop, scenery
from ..world.poses import FAMILIES, facing
from ..world.raster import Canvas
from ..world.scenes import SCENES, Scene
from ..world.sides import SIDES
from ..world.visible import Window
from . import shapes, worn
from .catalogue import CHARACTER, FURTHER, GARMENT, OBJECT, THINGS, Thing
from .words import STAND_IN

TOPICS = range(40, 44)
SIDE = 128  # px
UNITS = 216  # rows of the whole drawing, with room for hats
ZOOMS, WORN_ZOOMS = (1.5, 2.3), (1.4, 1.75)
LENGTHS = (58, 100)  # px of an object's longer side
BESIDE = (50, 66)  # the same beside what a person wears
MARGIN, BASES, PERSON, OTHER = 3, (0.03, 0.16), 0.4, 0.6
SEEDS, TRIES = 10_000, 1000  # seeds of a thing's pictures, and of the drawing to each of them
NAMES = [thing.name for thing in (*THINGS, *FURTHER)]
# Pixels that a picture shows of a thing at least: of an object, a garment, and each mark of a character.
LEAST = {OBJECT: 700, GARMENT: 1500, CHARACTER: 250}


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture H,W,3 uint8, what is said of it, and by a thing's name where it is (bool H,W) and which of
    its marks each pixel shows (uint8 H,W, 0 for none)."""

    image: np.ndarray
    attributes: Attributes
    masks: dict[str, np.ndarray]
    marks: dict[str, np.ndarray]


def shown(things: tuple[Thing, ...], seed: int, part: str = "test") -> Shown:
    """A picture of a thing, or of an object and what a person beside it wears or is, by a seed of a part."""
    first = (NAMES.index(things[-1].name) * SEEDS + seed) * TRIES
    for number in count(first):
        found = drawn(things, number, part)
        if found is not None:
            return found
    raise AssertionError


def plain(thing: Thing, seed: int, part: str) -> np.ndarray:
    """A picture of what the world knows of a thing's class in one of the thing's colours."""
    colour = thing.colours[seed % 2]
    if thing.sort == OBJECT:
        return world.closer(seed, part, things=((thing.class_word, colour),)).image[:SIDE]
    return world.closer(seed, part, person=True).image[:SIDE]


def drawn(things: tuple[Thing, ...], seed: int, part: str) -> Shown | None:
    """A picture by a seed of the drawing; None where it shows not enough of a thing or of the place."""
    frame, body, clothes, around = (Chance(part, seed, topic) for topic in TOPICS)
    on = next((thing for thing in things if thing.sort != OBJECT), None)
    zoom = frame.uniform(*(WORN_ZOOMS if on else ZOOMS))
    light = (frame.uniform(-0.95, 0.95), -frame.uniform(0.25, 0.8))
    scene = frame.choice(list(SCENES))
    canvas, horizon = scenery(frame, Canvas.blank(UNITS, WIDTH, light, zoom), SCENES[scene])
    attributes: Attributes = {"scene": scene}
    figure, marked = None, np.zeros(canvas.material.shape, np.uint8)
    if on or frame.happens(PERSON):
        figure, said = person(canvas, body, clothes, around, SCENES[scene], on)
        attributes |= said
        marked = worn.marks(canvas, figure, on) if on else marked
    window = framed(frame, canvas, horizon, SIDE, figure)
    if on and figure is not None:
        window = portrait(frame, canvas, figure, on)
    attributes["objects"] = objects(canvas, window, around, things, SCENES[scene])
    example = developed(canvas, frame, figure, attributes, horizon, (seed, part))
    cut = crop(example, window.top, window.bottom, window.left, window.right)
    found = Shown(cut.image, cut.attributes, *planes(cut, things, marked))
    return found if good(found, things) else None


def person(
    canvas: Canvas, body: Chance, clothes: Chance, around: Chance, scene: Scene, on: Thing | None
) -> tuple[Figure, Attributes]:
    """Draw a person, who wears or is a thing; the figure in units and what is said of it."""
    family = body.choice(list(FAMILIES))
    attributes, wardrobe = dress(clothes, scene)
    if on is not None:
        looks: dict[str, Any] = {"top": on.class_word, "top_colour": worn.UNDER}
        if on.sort == CHARACTER:
            looks |= {"top": "sweater", "sex": on.class_word, "hair": on.hair}
            looks |= {"hair_colour": COLOURS[on.hair_colour]}
            attributes["subject"] = on.class_word
            if wardrobe.bottom == "skirt" and on.class_word == "man":
                looks["bottom"] = attributes["bottom"] = "trousers"
        attributes["top"] = looks["top"]
        wardrobe = replace(wardrobe, **looks)
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


def portrait(chance: Chance, canvas: Canvas, figure: Figure, on: Thing) -> Window:
    """The window with the person's upper body: with the hat, or from the chin on."""
    rows, columns = canvas.material.shape
    (x, y), s = figure.at["skull"], figure.stature
    above = 0.22 * s if on.sort == CHARACTER else chance.uniform(-0.04, 0.1) * s
    top = (y - above) * canvas.zoom - chance.uniform(2, 8)
    left = x * canvas.zoom - chance.uniform(0.35, 0.65) * SIDE
    top, left = (int(min(max(at, 0), most)) for at, most in ((top, rows - SIDE), (left, columns - WIDTH)))
    return Window(top, top + SIDE, left, left + WIDTH)


def objects(
    canvas: Canvas, window: Window, chance: Chance, things: tuple[Thing, ...], scene: Scene
) -> tuple[tuple[str, str], ...]:
    """Draw the object of one's own, and mostly one that the world knows beside a thing alone; their names
    and colours."""
    own = next((thing for thing in things if thing.sort == OBJECT), None)
    beside, border = len(things) > 1 or own is None, chance.sign()
    found: list[tuple[str, str]] = []
    if len(things) == 1 and chance.happens(OTHER):
        against = [scene.ground, scene.backdrop, *(COLOURS[name] for name in things[0].colours)]
        name = chance.choice([name for name in OBJECTS if name != things[0].class_word])
        found = [(name, clear_colour(chance, against))]
        known(canvas, window, chance, border, *found[0])
    if own is None:
        return tuple(found)
    # Of the columns that are free: away from another object, or from the person's middle.
    spot = chance.uniform(0, 0.12 if beside else 0.3 if found else 1)
    stand(canvas, window, chance, own, spot if border > 0 else 1 - spot, BESIDE if beside else LENGTHS)
    return ((own.class_word, STAND_IN), *found)


def known(canvas: Canvas, window: Window, chance: Chance, border: int, name: str, colour: str) -> None:
    """Draw an object that the world knows at the right or left border of the window."""
    way = chance.choice(range(len(SIDES[name]))), chance.sign()
    left, top, right, low = sides.extent(name, *way)
    size = chance.uniform(*BESIDE) / max(right - left, low - top)
    at = float(MARGIN) if border < 0 else SIDE - MARGIN - (right - left) * size
    base = min(max(SIDE * (1 - chance.uniform(*BASES)), (low - top) * size + MARGIN), SIDE - MARGIN)
    stand_known(canvas, window, Standing(name, *way, colour, size, at, base))


def stand(
    canvas: Canvas, window: Window, chance: Chance, thing: Thing, share: float, lengths: tuple[float, float]
) -> None:
    """Draw an object of one's own and its shadow into the window, at a share of the free columns."""
    side, turn = chance.sign(), chance.choice(shapes.TURNS)
    left, top, right, low = shapes.extent(thing.name, side, turn)
    size = chance.uniform(*lengths) / max(right - left, low - top)
    free = WIDTH - 2 * MARGIN - (right - left) * size
    base = SIDE * (1 - chance.uniform(*BASES))
    base = min(max(base, (low - top) * size + MARGIN), SIDE - MARGIN)
    size /= canvas.zoom
    x = (window.left + MARGIN + share * free) / canvas.zoom - left * size
    y = (window.top + base) / canvas.zoom - low * size
    middle = x + (left + right) / 2 * size - canvas.light[0] * 0.12 * (right - left) * size
    canvas.darken((middle, y + low * size), 0.6 * (right - left) * size, 0.09 * (right - left) * size, 0.32)
    colours = [COLOURS[name] for name in thing.colours]
    shapes.draw(canvas, thing.name, (x, y), size, colours, side, turn, MATERIAL[thing.class_word])


def planes(
    cut: Example, things: tuple[Thing, ...], marked: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Masks and marks of the things in a picture."""
    material, segment, marked = (
        cut.window.cut(plane) for plane in (cut.drawing.material, cut.drawing.segment, marked)
    )
    masks, marks = {}, {}
    for thing in things:
        if thing.sort == OBJECT:
            mask = material == MATERIAL[thing.class_word]
            marks[thing.name] = np.where(mask, segment, 0)
        else:
            mask = material == worn.TOP if thing.sort == GARMENT else cut.masks["person"]
            seen = np.isin(material, (worn.TOP, worn.HAIR)) & mask
            marks[thing.name] = np.where(seen, marked, 0)
        masks[thing.name] = mask
    return masks, marks


def good(found: Shown, things: tuple[Thing, ...]) -> bool:
    """Whether a picture shows enough of each thing, and where it is."""
    said = found.attributes
    if "scene" not in said:
        return False
    for thing in things:
        marks = found.marks[thing.name]
        areas = np.bincount(marks.ravel(), minlength=5)[1 : 5 if thing.hat else 3]
        if thing.sort == CHARACTER:
            if areas.min() < LEAST[CHARACTER] or "hair" not in said:
                return False
        elif areas.sum() < LEAST[thing.sort] or areas.min() < 0.2 * areas.sum():
            return False
        if thing.sort == GARMENT and ("top" not in said or said.get("subject") == "nobody"):
            return False
        if thing.sort == OBJECT and thing.class_word not in dict(said.get("objects", ())):
            return False
        if said.get("seat") == thing.class_word:
            return False
    return True
