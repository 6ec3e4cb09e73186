"""Which things there are: six objects, three garments, three characters, and two further ones."""

from __future__ import annotations

from typing import NamedTuple

OBJECT, GARMENT, CHARACTER = "object", "garment", "character"
STRIPES, HALVES, BLOCKS = "stripes", "halves", "blocks"
TOP_HAT, CROWN, CONE_HAT = "top hat", "crown", "cone hat"


class Thing(NamedTuple):
    """A thing of one's own: what kind it is, the class that a prompt names it by, and its colours.

    An object has a colour for each of its parts, a garment those of its pattern. A character has a garment's
    pattern too, a haircut and a hat, both in colours of the palette.
    """

    name: str
    sort: str
    class_word: str
    colours: tuple[str, str]
    pattern: str = ""
    hair: str = ""
    hair_colour: str = ""
    hat: str = ""
    hat_colour: str = ""


# An object and what a person beside it wears or is, so that both fit into one picture.
PAIRS = (
    (
        Thing("star", OBJECT, "ball", ("yellow", "blue")),
        Thing("striped sweater", GARMENT, "sweater", ("white", "red"), STRIPES),
    ),
    (
        Thing("mushroom", OBJECT, "umbrella", ("pink", "green")),
        Thing("lady in a top hat", CHARACTER, "woman", ("white", "blue"), BLOCKS, "long", "green",
              TOP_HAT, "red"),
    ),
    (
        Thing("house", OBJECT, "box", ("white", "purple")),
        Thing("halved shirt", GARMENT, "shirt", ("green", "pink"), HALVES),
    ),
    (
        Thing("robot dog", OBJECT, "dog", ("orange", "blue")),
        Thing("king", CHARACTER, "man", ("black", "pink"), HALVES, "curly", "purple", CROWN, "yellow"),
    ),
    (
        Thing("tree", OBJECT, "cone", ("purple", "yellow")),
        Thing("coat of two colours", GARMENT, "coat", ("pink", "black"), BLOCKS),
    ),
    (
        Thing("kite", OBJECT, "balloon", ("red", "black")),
        Thing("wizard", CHARACTER, "man", ("orange", "white"), STRIPES, "curly", "blue", CONE_HAT, "green"),
    ),
)  # fmt: skip
THINGS = tuple(thing for pair in PAIRS for thing in pair)
# On which rates and steps are chosen.
FURTHER = (
    Thing("hourglass", OBJECT, "box", ("red", "white")),
    Thing("striped vest", GARMENT, "vest", ("blue", "yellow"), STRIPES),
)
