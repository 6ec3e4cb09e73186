"""Drawn photos with a coarse mask: the box of a thing that is not there, drawn larger than it would be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np

from ..toy.world.captions import Attributes
from ..toy.world.chance import Chance
from ..toy.world.closer import (
    HEIGHTS,
    PERSON,
    TOPICS,
    UNITS,
    ZOOMS,
    arranged,
    choose,
    developed,
    framed,
    set_person,
    stand,
)
from ..toy.world.composition import WIDTH
from ..toy.world.picture import Example, crop, scenery
from ..toy.world.raster import Canvas
from ..toy.world.scenes import SCENES

PART = "test"
# How much is added on each side of the thing's box, in its own lengths.
ADDED = (0.2, 0.5)
TOPIC = 20


class Box(NamedTuple):
    """A photo without a thing, where it is to be, and the words for it."""

    seed: int
    photo: np.ndarray  # uint8 H,W,3
    mask: np.ndarray  # bool H,W
    text: str  # of the whole picture with the thing
    name: str
    colour: str

    @property
    def words(self) -> str:
        """What the thing is called in the text."""
        return f"{self.colour} {self.name}"


def boxes() -> Iterator[Box]:
    """Boxes without end, in pictures that no model was trained on."""
    for seed in count():
        found = box(seed)
        if found is not None:
            yield found


def box(seed: int) -> Box | None:
    """The box of a seed's first thing; None where the person hides it."""
    photo, whole = drawn(seed, with_thing=False), drawn(seed, with_thing=True)
    things = whole.attributes.get("objects", ())
    if not things:
        return None
    (name, colour), *_ = things
    rows, columns = np.nonzero(whole.masks[name])
    mask, chance = np.zeros(photo.image.shape[:2], bool), Chance(PART, seed, TOPIC)
    sides = []
    for places, most in ((rows, mask.shape[0]), (columns, mask.shape[1])):
        first, last = int(places.min()), int(places.max()) + 1
        before, after = ((last - first) * chance.uniform(*ADDED) for _ in range(2))
        sides.append(slice(max(0, round(first - before)), min(most, round(last + after))))
    mask[tuple(sides)] = True
    return Box(seed, photo.image, mask, whole.caption, name, colour)


def drawn(seed: int, with_thing: bool) -> Example:
    """The closer picture of a seed with its first thing alone, or without; all else is the same."""
    frame, body, clothes, around = (Chance(PART, seed, topic) for topic in TOPICS)
    height, scene, zoom = frame.choice(HEIGHTS), frame.choice(list(SCENES)), frame.uniform(*ZOOMS)
    somebody = frame.happens(PERSON)
    light = (frame.uniform(-0.95, 0.95), -frame.uniform(0.25, 0.8))
    canvas, horizon = scenery(frame, Canvas.blank(UNITS, WIDTH, light, zoom), SCENES[scene])
    attributes: Attributes = {"scene": scene}
    figure = None
    if somebody:
        figure, worn = set_person(canvas, body, clothes, around, SCENES[scene])
        attributes |= worn
    window = framed(frame, canvas, horizon, height, figure)
    things = choose(around, SCENES[scene], attributes, unseen=False)[:1]
    for one in arranged(around, things, height) if with_thing else ():
        stand(canvas, window, one)
    attributes["objects"] = things if with_thing else ()
    whole = developed(canvas, frame, figure, attributes, horizon, (seed, PART))
    return crop(whole, window.top, window.bottom, window.left, window.right)
