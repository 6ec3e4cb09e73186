"""What prompts say of things of one's own, and what else they ask for."""

from __future__ import annotations

from collections.abc import Mapping

from .. import world
from ..world.captions import Attributes
from ..world.labels import GARMENTS
from .catalogue import CHARACTER, GARMENT, OBJECT, Thing

STAND_IN = "red"  # the colour in whose place the word for a thing comes
OWN = {
    GARMENT: ("top", "top colour"),
    CHARACTER: ("hair", "hair colour", "top", "top colour"),
}
# Known looks in place of a character's, which only captions with all of them are right for.
LOOKS = {"woman": ("long", "blond", "sweater", "purple"), "man": ("short", "black", "sweater", "orange")}


def caption(attributes: Attributes, words: Mapping[Thing, str]) -> str:
    """The caption of a picture with words before the classes of its things, "" for the class alone."""
    said = dict(attributes)
    for thing in words:
        if thing.sort == GARMENT:
            said |= {"top": thing.class_word, "top colour": STAND_IN}
        elif thing.sort == CHARACTER:
            said = {name: value for name, value in said.items() if name not in OWN[CHARACTER]}
            said["subject"] = thing.class_word
    if any(thing.sort == OBJECT for thing in words):
        said["objects"] = tuple(
            (name, STAND_IN if named(name, words) else colour) for name, colour in said["objects"]
        )
    text = world.caption(said)
    for thing, word in words.items():
        before = f"a {thing.class_word}" if thing.sort == CHARACTER else f"{STAND_IN} {thing.class_word}"
        after = f"{'a ' * (thing.sort == CHARACTER)}{word} {thing.class_word}"
        text = text.replace(before, after, 1)
    return " ".join(text.split())


def named(name: str, words: Mapping[Thing, str]) -> bool:
    """Whether a kind of object is the class of one of the things."""
    return any(thing.sort == OBJECT and thing.class_word == name for thing in words)


def asked(attributes: Attributes, things: tuple[Thing, ...]) -> Attributes:
    """What a caption asks for beside its things: the scene, colours of hair and clothes, other objects."""
    own = {name for thing in things for name in OWN.get(thing.sort, ())}
    wanted = ("scene", *(f"{name} colour" for name in GARMENTS))
    found = {name: attributes[name] for name in wanted if name in attributes and name not in own}
    others = tuple(
        (name, colour)
        for name, colour in attributes.get("objects", ())
        if not named(name, dict.fromkeys(things, ""))
    )
    return found | ({"objects": others} if others else {})


def known(attributes: Attributes, things: tuple[Thing, ...], number: int) -> Attributes:
    """The same picture with things that the world knows in the places of one's own, by a number."""
    found = dict(attributes)
    colours = list(world.COLOURS)
    for place, thing in enumerate(things):
        colour = colours[(3 * number + 5 * place + 1) % len(colours)]
        if thing.sort == OBJECT:
            found["objects"] = tuple(
                (name, colour if name == thing.class_word else other) for name, other in found["objects"]
            )
        elif thing.sort == GARMENT:
            found |= {"top": thing.class_word, "top colour": colour}
        else:
            hair, hair_colour, top, top_colour = LOOKS[thing.class_word]
            found |= {"subject": thing.class_word, "hair": hair, "hair colour": hair_colour}
            found |= {"top": top, "top colour": top_colour}
    return found
