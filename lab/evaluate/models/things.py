"""How well things are seen: masks, kinds, colours, pose and scene; and how well cells can show masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

import numpy as np

from ...toy.world.captions import Attributes
from ...toy.world.labels import MATERIAL, OBJECTS
from ...toy.world.things import THINGS, named
from ..cells import ceiling, halves, large, overlap
from ..evaluator import Seen, Thing, median_colour

GROUPS = {"hair": ("hair",), "top": ("top",), "bottom": ("bottom",), "shoes": ("shoes",)}
GROUPS |= {"objects": OBJECTS, "seat": ("seat",)}
Row = dict[str, Any]


def thing(image: np.ndarray, name: str, said: tuple[str, str], true: np.ndarray, seen: Thing | None) -> Row:
    """One thing's row: what it is and what is seen of it; kind "" is one that the picture does not tell."""
    found: Row = {"large": large(true), "kind": said[0], "colour": said[1]}
    found |= {"cells": round(ceiling(true), 4), "half cells": round(halves(true), 4)}
    if seen is None:
        return found | {"kind seen": None, "colour seen": None, "median": None, "overlap": 0.0}
    found |= {"kind seen": seen.kind, "colour seen": seen.colour}
    return found | {
        "median": median_colour(image, seen.mask, name),
        "overlap": round(overlap(seen.mask, true), 4),
    }


def compared(image: np.ndarray, attributes: Attributes, material: np.ndarray, seen: Seen) -> Row:
    """What is seen of a picture's pose, scene and things beside what its attributes and materials (H,W) say.

    `false` are the things that are seen and are not there.
    """
    said = named(attributes)
    found: Row = {"scene": attributes.get("scene", ""), "scene seen": seen.scene}
    # A picture without anybody says "things" or "nobody" of its subject.
    pose = "nobody" if attributes.get("subject") in ("things", "nobody") else attributes.get("pose", "")
    found |= {"pose": pose, "pose seen": seen.pose}
    masks = {name: material == MATERIAL[name] for name in THINGS}
    found["things"] = {
        name: thing(image, name, said[name], mask, seen.things.get(name))
        for name, mask in masks.items()
        if name in said and mask.any()
    }
    return found | {"false": [name for name in seen.things if not masks[name].any()]}


def error(pairs: Sequence[tuple[float, int]]) -> float:
    """The standard error of a mean over all of several pictures' (sum, number), by how pictures differ.

    Without any difference it is what one more, wrong one would change.
    """
    pairs = [pair for pair in pairs if pair[1]]
    count, number = len(pairs), sum(n for _, n in pairs)
    if count < 2:
        return 1.0
    mean = sum(s for s, _ in pairs) / number
    spread = sqrt(sum((s - mean * n) ** 2 for s, n in pairs) * count / (count - 1)) / number
    return max(spread, 1 / (number + 1)) if mean in (0, 1) else spread


def share(pictures: Iterable[Sequence[bool]]) -> str | None:
    """How many of all pictures' answers are right, with the standard error; None without any."""
    pairs = [(float(sum(answers)), len(answers)) for answers in pictures]
    right, number = sum(s for s, _ in pairs), sum(n for _, n in pairs)
    if not number:
        return None
    return f"{right / number:.4f} ± {error(pairs):.4f} ({right:.0f} of {number})"


def average(pictures: Iterable[Sequence[float]]) -> str | None:
    """The mean over all of all pictures' values, with the standard error; None without any."""
    pairs = [(float(sum(values)), len(values)) for values in pictures]
    number = sum(n for _, n in pairs)
    if not number:
        return None
    return f"{sum(s for s, _ in pairs) / number:.4f} ± {error(pairs):.4f} ({number} things)"


def answers(row: Row, key: str, seen: str, names: Sequence[str] = THINGS) -> list[bool]:
    """Whether each thing of these names is what the row says, where it says anything."""
    return [each[key] == each[seen] for name, each in row["things"].items() if name in names and each[key]]


def values(row: Row, key: str, names: Sequence[str], only_large: bool = False) -> list[float]:
    """One number of each thing of these names."""
    return [
        each[key]
        for name, each in row["things"].items()
        if name in names and (each["large"] or not only_large)
    ]


def summary(rows: list[Row], label: str) -> dict[str, Any]:
    """The figures of rows of one view, under names that end with the label."""
    found: dict[str, Any] = {}
    for key in ("pose", "scene"):
        found[f"{key} right, {label}"] = share([row[key] == row[f"{key} seen"]] for row in rows if row[key])
    for key, seen in (("kind", "kind seen"), ("colour", "colour seen"), ("colour", "median")):
        title = "colour by the median" if seen == "median" else key
        found[f"{title} right, {label}"] = share(answers(row, key, seen) for row in rows)
        if seen != "median":
            for group, names in GROUPS.items():
                found[f"{title} of {group} right, {label}"] = share(
                    answers(row, key, seen, names) for row in rows
                )
    found |= averages(rows, "overlap", "overlap", label)
    wrong = sum(len(row["false"]) for row in rows)
    return found | {f"things seen that are not there, {label}": f"{wrong} in {len(rows)} pictures"}


def ceilings(rows: list[Row], label: str) -> dict[str, Any]:
    """How well maps of 8 px cells could show the true masks, whatever draws them."""
    best = averages(rows, "ceiling of cells", "cells", label)
    return best | averages(rows, "ceiling of half-filled cells", "half cells", label)


def averages(rows: list[Row], title: str, key: str, label: str) -> dict[str, Any]:
    """A number's means over all large things, over all things of a group, and over each kind of object."""
    found = {f"{title} of large things, {label}": average(values(row, key, THINGS, True) for row in rows)}
    for group, names in (GROUPS | {name: (name,) for name in OBJECTS}).items():
        found[f"{title} of {group}, {label}"] = average(values(row, key, names) for row in rows)
    return found
