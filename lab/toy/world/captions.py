"""Caption and attributes, both ways; an attribute that is not visible is simply absent.

Attributes are words by name: subject (man, woman, nobody, or things where nothing else is in sight), hair,
hair colour, top, top colour, bottom, bottom colour, shoes, shoes colour, pose, seat, seat colour, facing,
scene, and objects, a tuple of (name, colour).
"""

from __future__ import annotations

import re
from typing import Any

from .labels import OBJECTS, SEATS
from .palette import COLOURS, HAIR
from .scenes import SCENES

Attributes = dict[str, Any]
HAIR_STYLES = {"man": ("short", "curly", "spiky"), "woman": ("long", "tied")}
TOPS = ("shirt", "sweater", "vest", "coat")
BOTTOMS = ("trousers", "shorts", "skirt")
SHOES = ("boots", "sneakers", "sandals")
POSES = {
    "standing": "standing",
    "walking": "walking",
    "running": "running",
    "crossed legs": "standing with crossed legs",
    "arms up": "standing with both arms up",
    "hands on hips": "standing with hands on hips",
    "waving": "standing and waving",
}
# What a garment is called when its colour is seen but not its kind.
UNKNOWN = {"top": "top", "bottom": "bottoms", "shoes": "shoes"}


def caption(attributes: Attributes) -> str:
    """The one sentence that says these attributes, in lower case."""
    parts = [subject(attributes), action(attributes)]
    if "scene" in attributes:
        parts.append(SCENES[attributes["scene"]].phrase)
    things = " and ".join(thing(name, colour) for name, colour in attributes.get("objects", ()))
    if attributes.get("subject") == "things":
        parts[0] = things
    elif things:
        parts.append(f"next to {things}")
    return " ".join(part for part in parts if part)


def thing(name: str, colour: str) -> str:
    """An object or a garment of one piece as the caption says it."""
    return f"a {colour} {name}".replace("a orange", "an orange")


def phrases(attributes: Attributes) -> list[str]:
    """Everything that the attributes name, each in a phrase of its own."""
    found = [thing(name, colour) for name, colour in attributes.get("objects", ())]
    if "hair colour" in attributes:
        found.append(f"a {attributes['subject']} with {attributes['hair']} {attributes['hair colour']} hair")
    found += clothes(attributes)
    if "seat" in attributes:
        found.append(action({"seat": attributes["seat"], "seat colour": attributes["seat colour"]}))
    if "scene" in attributes:
        found.append(SCENES[attributes["scene"]].phrase)
    return found


def subject(attributes: Attributes) -> str:
    if attributes.get("subject") == "nobody":
        return "nobody"
    words = f"a {attributes.get('subject', 'person')}"
    if "hair colour" in attributes:
        words += f" with {attributes['hair']} {attributes['hair colour']} hair"
    worn = clothes(attributes)
    return words + (" in " + listed(worn) if worn else "")


def clothes(attributes: Attributes) -> list[str]:
    """The garments below the head, each as the caption says it."""
    found = []
    for name in ("top", "bottom", "shoes"):
        if f"{name} colour" in attributes:
            kind, colour = attributes.get(name, UNKNOWN[name]), attributes[f"{name} colour"]
            found.append(thing(kind, colour) if name == "top" or kind == "skirt" else f"{colour} {kind}")
    return found


def listed(items: list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def action(attributes: Attributes) -> str:
    words = POSES.get(attributes.get("pose", ""), "")
    if "seat" in attributes:
        words = f"sitting on a {attributes['seat colour']} {attributes['seat']}".replace(
            "a orange", "an orange"
        )
    if attributes.get("facing", "front") != "front":
        words += f" facing {attributes['facing']}"
    return words.strip()


def parse(text: str) -> Attributes:
    """The attributes a caption says; words that say none are passed over."""
    found: Attributes = {}
    if match := re.search(r"\b(man|woman|nobody)\b", text):
        found["subject"] = match[1]
    styles = "|".join(style for group in HAIR_STYLES.values() for style in group)
    if match := re.search(rf"\b({styles}) ({'|'.join(HAIR)}) hair\b", text):
        found |= {"hair": match[1], "hair colour": match[2]}
    colours = "|".join(COLOURS)
    for name, kinds in (("top", TOPS), ("bottom", BOTTOMS), ("shoes", SHOES)):
        if match := re.search(rf"\b({colours}) ({'|'.join((*kinds, UNKNOWN[name]))})\b", text):
            found[f"{name} colour"] = match[1]
            if match[2] != UNKNOWN[name]:
                found[name] = match[2]
    for pose, words in POSES.items():
        if re.search(rf"\b{words}\b", text):
            found["pose"] = pose
    if match := re.search(rf"\bsitting on an? ({colours}) ({'|'.join(SEATS)})\b", text):
        found |= {"pose": "sitting", "seat colour": match[1], "seat": match[2]}
    if match := re.search(r"\bfacing (left|right)\b", text):
        found["facing"] = match[1]
    for scene, place in SCENES.items():
        if re.search(rf"\b{place.phrase}\b", text):
            found["scene"] = scene
    # Without a person the things come first; beside one a box may also be a seat.
    alone = not re.search(r"\b(man|woman|person|nobody|sitting)\b", text)
    where = text if alone else text.partition("next to ")[2]
    things = re.findall(rf"\b({colours}) ({'|'.join(OBJECTS)})\b", where)
    if things:
        found["objects"] = tuple((name, colour) for colour, name in things)
        found |= {"subject": "things"} if alone else {}
    return found


def vocabulary() -> tuple[str, ...]:
    """Every word a caption can hold, sorted."""
    phrases = ["a an and in with hair on next to nobody person man woman sitting facing left right"]
    words = " ".join([*phrases, *POSES.values(), *(scene.phrase for scene in SCENES.values())]).split()
    styles = [style for group in HAIR_STYLES.values() for style in group]
    kinds = [*TOPS, *BOTTOMS, *SHOES, *UNKNOWN.values(), *SEATS, *OBJECTS]
    return tuple(sorted({*words, *styles, *kinds, *COLOURS, *HAIR}))
