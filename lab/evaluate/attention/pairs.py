"""Prompts in pairs: a person with all their colours, and the same person in another pose and place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np

from ...toy import world
from ...toy.world.captions import Attributes
from ...toy.world.labels import GARMENTS

PART = "test"
LITTLE = ("a", "an", "and", "with", "both", "up", "on", "in", "the")
COLOURS = tuple(f"{name} colour" for name in GARMENTS)


class Pair(NamedTuple):
    """What the source and the target ask for; `points` 24,3 are of the pose that a ControlNet is shown."""

    seed: int
    height: int
    source: str  # every colour, a pose and a place
    target: str  # another pose and place, and no colours
    ceiling: str  # the target and every colour
    asked: Attributes  # by the source
    wanted: Attributes  # by the target: pose and scene
    points: np.ndarray


def person_words(pair: Pair) -> tuple[str, str]:
    """The person's words in both prompts as lists: with clothes in the source, with the pose in the target.

    A word alone has the map of a part: *woman* that of the face, *coat* that of the coat.
    """
    worn = [pair.asked[name] for name in GARMENTS if name != "hair" and name in pair.asked]
    posed = {name: value for name, value in pair.wanted.items() if name in ("pose", "facing")}
    target = world.caption({"subject": pair.asked["subject"], **posed})
    words = [word for word in target.replace(",", " ").split() if word not in LITTLE]
    return ", ".join([pair.asked["subject"], "hair", *worn]), ", ".join(dict.fromkeys(words))


def pairs() -> Iterator[Pair]:
    """Pairs of drawn people without end; nothing that the models were trained on."""
    for seed in count():
        found = pair(seed, world.example(2 * seed, PART), world.example(2 * seed + 1, PART))
        if found is not None:
            yield found


def pair(seed: int, one: world.Example, other: world.Example, *, move: bool = True) -> Pair | None:
    """The first picture's person in the second's pose and, to `move`, in its place.

    None where these are the same or hidden.
    """
    person, place = dict(one.attributes), dict(other.attributes)
    for each in (person, place):
        each.pop("objects", None)
    same = any(person.get(name) == place.get(name) for name in ("pose", "scene")[: 1 + move])
    if same or not all(name in person for name in COLOURS) or "pose" not in place:
        return None
    names = {"pose", "scene", "seat", "seat colour", "facing"}
    there = {name: value for name, value in place.items() if name in names}
    worn = {name: value for name, value in person.items() if name not in names}
    return Pair(
        seed,
        other.image.shape[0],
        world.caption(person),
        world.caption({"subject": person["subject"], **there}),
        world.caption({**worn, **there}),
        person,
        there,
        world.points_of(other),
    )
