"""The phrases of a caption: which words say an attribute, and which say nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from ..toy import world
from ..toy.models.tokenizer import PLACES, Tokenizer
from ..toy.world.captions import BOTTOMS, HAIR_STYLES, POSES, SHOES, TOPS, UNKNOWN, Attributes
from ..toy.world.labels import MATERIAL, OBJECTS, SEATS
from ..toy.world.scenes import SCENES

COLOURS = "|".join(world.COLOURS)
KINDS = {"top": TOPS, "bottom": BOTTOMS, "shoes": SHOES}
LEFT_OUT = 0.3  # of the attributes of a drawn caption


class Phrase(NamedTuple):
    """Words first…last of a text and the attributes they say, all of which its last word can know."""

    first: int
    last: int
    attributes: Attributes


def words(text: str) -> list[str]:
    """A text's words and commas."""
    return text.replace(",", " ,").split()


@lru_cache
def patterns() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """What to look for, and the attributes that its groups hold, in the order of their right to a word."""
    poses = "|".join(sorted(POSES.values(), key=len, reverse=True))
    found = [
        (rf"sitting on an? ({COLOURS}) ({'|'.join(SEATS)})", ("seat colour", "seat")),
        (rf"({'|'.join(scene.phrase for scene in SCENES.values())})", ("scene",)),
        (
            rf"({'|'.join(s for g in HAIR_STYLES.values() for s in g)}) ({'|'.join(world.HAIR)}) hair",
            ("hair", "hair colour"),
        ),
        ("(man|woman|person|nobody)", ("subject",)),
        (rf"({poses})", ("pose",)),
        ("facing (left|right)", ("facing",)),
    ]
    for name, kinds in KINDS.items():
        found.append((rf"({COLOURS}) ({'|'.join((*kinds, UNKNOWN[name]))})", (f"{name} colour", name)))
    found.append((rf"({COLOURS}) ({'|'.join(OBJECTS)})", ("colour", "object")))
    return tuple((re.compile(rf"\b{pattern}\b"), names) for pattern, names in found)


def phrases(text: str) -> list[Phrase]:
    """The phrases of a text in the order of their words; no word is in two."""
    text, found, taken = " ".join(words(text)), [], set()
    for pattern, names in patterns():
        for match in pattern.finditer(text):
            first = len(text[: match.start()].split())
            last = first + len(match[0].split()) - 1
            if not taken & set(range(first, last + 1)):
                taken |= set(range(first, last + 1))
                found.append(Phrase(first, last, said(dict(zip(names, match.groups(), strict=True)))))
    return sorted(found)


def said(groups: dict[str, str]) -> Attributes:
    """The attributes of what a pattern's groups hold."""
    if "object" in groups:
        return {"objects": ((groups["object"], groups["colour"]),)}
    if "seat" in groups:
        return {**groups, "pose": "sitting"}
    if "scene" in groups:
        return {"scene": next(name for name, scene in SCENES.items() if scene.phrase == groups["scene"])}
    if "pose" in groups:
        return {"pose": next(name for name, words in POSES.items() if words == groups["pose"])}
    return {name: word for name, word in groups.items() if word != UNKNOWN.get(name)}


@lru_cache(maxsize=4096)
def ids(word: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """The tokens of one word."""
    row = tokenizer.ids(word)
    return tuple(row[1 : row.index(tokenizer.end)])


class Tokens(NamedTuple):
    """A prompt's PLACES word ids; for each phrase its places and attributes; the places that say nothing."""

    ids: list[int]
    phrases: list[tuple[range, Attributes]]
    nothing: list[bool]

    def materials(self) -> list[int]:
        """The material that each place speaks of, -1 for none or one that is nowhere in particular."""
        found = [-1] * PLACES
        for places, attributes in self.phrases:
            for place in places:
                found[place] = material(attributes)
        return found


def material(attributes: Attributes) -> int:
    """The material of which a phrase's thing is made, -1 for none."""
    if "objects" in attributes:
        return MATERIAL[attributes["objects"][0][0]]
    for name in ("hair", "top", "bottom", "shoes", "seat"):
        if f"{name} colour" in attributes:
            return MATERIAL[name]
    return MATERIAL["background"] if "scene" in attributes else -1


def tokens(text: str, tokenizer: Tokenizer) -> Tokens:
    """A text as the encoder takes it."""
    pieces = [ids(word, tokenizer) for word in words(text)]
    starts = [1, *(1 + total for total in accumulate(map(len, pieces)))]
    row = [tokenizer.begin, *(index for piece in pieces for index in piece)][: PLACES - 1]
    found = [
        (range(starts[one.first], starts[one.last + 1]), one.attributes)
        for one in phrases(text)
        if starts[one.last + 1] < PLACES
    ]
    meant = {place for places, _ in found for place in places}
    row += [tokenizer.end] * (PLACES - len(row))
    return Tokens(row, found, [place not in meant for place in range(PLACES)])


def alone(text: str, phrase: Phrase) -> str:
    """The phrase without the rest of the text."""
    return " ".join(words(text)[phrase.first : phrase.last + 1])


def attributes(random: Generator) -> Attributes:
    """Attributes as a picture might have, in pairs that no picture need show, some left out."""

    def pick(options: Any) -> Any:
        return options[int(random.integers(len(options)))]

    colours, sex = list(world.COLOURS), pick(list(HAIR_STYLES))
    hair = {"subject": sex, "hair": pick(HAIR_STYLES[sex]), "hair colour": pick(list(world.HAIR))}
    found: Attributes = dict(hair) if random.random() >= LEFT_OUT else {}
    for name, kinds in KINDS.items():
        if random.random() >= LEFT_OUT:
            found[f"{name} colour"] = pick(colours)
            if random.random() >= LEFT_OUT:
                found[name] = pick(kinds)
    if random.random() >= LEFT_OUT:
        found["pose"] = pick([*POSES, "sitting"])
        if found["pose"] == "sitting":
            found |= {"seat": pick(SEATS), "seat colour": pick(colours)}
    if random.random() < LEFT_OUT:
        found["facing"] = pick(("left", "right"))
    if random.random() < LEFT_OUT:
        found = {"subject": pick(("things", "nobody"))}
    if random.random() >= LEFT_OUT:
        found["scene"] = pick(list(SCENES))
    count = int(random.integers(0 if found.get("subject") != "things" else 1, 3))
    names = [name for name in random.permutation(OBJECTS) if name != found.get("seat")][:count]
    return found | ({"objects": tuple((str(name), pick(colours)) for name in names)} if count else {})


def caption(random: Generator) -> str:
    """A caption of attributes, or one of its phrases."""
    drawn = attributes(random)
    single = world.phrases(drawn)
    if single and random.random() < LEFT_OUT:
        return str(np.array(single)[random.integers(len(single))])
    return world.caption(drawn)
