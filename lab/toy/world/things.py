"""What can be asked of one thing in a picture: its kind and its colour, in words."""

from __future__ import annotations

import numpy as np

from .captions import BOTTOMS, HAIR_STYLES, SHOES, TOPS, Attributes
from .labels import GARMENTS, MATERIAL, MATERIALS, OBJECTS, SEATS
from .palette import COLOURS, HAIR

THINGS = (*GARMENTS, *OBJECTS, "seat")
HAIRCUTS = tuple(style for styles in HAIR_STYLES.values() for style in styles)
# What can be said of one pixel; place 0 stands for nothing.
KINDS = ("", *HAIRCUTS, *TOPS, *BOTTOMS, *SHOES, *SEATS, *OBJECTS)
TINTS = tuple(dict.fromkeys(("", *COLOURS, *HAIR)))


def kinds_of(name: str) -> tuple[str, ...]:
    """The kinds that a thing can be of; an object is of its own kind."""
    kinds = {"hair": HAIRCUTS, "top": TOPS, "bottom": BOTTOMS, "shoes": SHOES, "seat": SEATS}
    return kinds.get(name, (name,))


def palette_of(name: str) -> dict[str, tuple[int, int, int]]:
    """The named colours that a thing can have."""
    return HAIR if name == "hair" else COLOURS


def named(attributes: Attributes) -> dict[str, tuple[str, str]]:
    """Kind and colour of each thing that the attributes name, "" for what they do not say."""
    objects = dict(attributes.get("objects", ()))
    found = {name: (name, colour) for name, colour in objects.items()}
    for name in (*GARMENTS, "seat"):
        kind, colour = attributes.get(name, ""), attributes.get(f"{name} colour", "")
        if kind or colour:
            found[name] = (kind, colour)
    return found


def numbered(attributes: Attributes) -> np.ndarray:
    """Places in KINDS and TINTS of what each material is said to be, uint8 13,2; 0 where nothing is said."""
    table = np.zeros((len(MATERIALS), 2), np.uint8)
    for name, (kind, colour) in named(attributes).items():
        table[MATERIAL[name]] = KINDS.index(kind), TINTS.index(colour)
    return table
