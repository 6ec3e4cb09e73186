"""Things of one's own to teach the toy models: known things in two colours, as nothing in the world has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import world
from .world.palette import COLOURS

PART = "test"


class OwnThing(NamedTuple):
    """A kind of thing whose upper and lower halves have colours of their own."""

    kind: str
    upper: str
    lower: str


BALL, BOX = OwnThing("ball", "yellow", "black"), OwnThing("box", "white", "red")


def picture(thing: OwnThing, seed: int) -> np.ndarray:
    """A picture H,128,3 uint8 of the thing alone, somewhere in some scene, by a seed."""
    drawn = world.closer(seed, PART, things=((thing.kind, thing.upper),), person=False)
    image, mask = drawn.image.copy(), drawn.masks[thing.kind]
    rows = np.nonzero(mask.any(1))[0]
    mask = mask.copy()
    mask[: (rows[0] + rows[-1] + 1) // 2] = False
    shade = image[mask].astype(float) / np.array(COLOURS[thing.upper])
    image[mask] = (shade * np.array(COLOURS[thing.lower])).clip(0, 255).round()
    return image
