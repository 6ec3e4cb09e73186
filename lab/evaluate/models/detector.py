"""How well the detector sees: points on whole and cropped pictures, and nobody where nobody is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...toy import corruptions, world
from ...toy.world.body import BODY
from ..evaluator import Judge, Seen
from ..rows import Figures, distances, longer_side, mean, pck

PART = "test"
SEEDS = range(0, 200)
NOBODY_SEEDS = range(2000, 2100)


class Shown(NamedTuple):
    """A picture, its true points 24,3, and the length their distances are measured in."""

    kind: str
    seed: int
    image: np.ndarray
    points: np.ndarray
    length: int


def pictures() -> Iterator[Shown]:
    """Whole pictures, the same cut between hip and ankle, and pictures without a person."""
    for seed in SEEDS:
        whole = world.example(seed, PART)
        length = longer_side(whole.drawing.material)
        for kind, example in (("whole", whole), ("cropped", world.crop_between(whole, seed))):
            yield Shown(kind, seed, example.image, world.points_of(example), length)
    for seed in NOBODY_SEEDS:
        yield Shown("nobody", seed, corruptions.planted("nobody", seed, PART).image, np.zeros((24, 3)), 1)


def row(shown: Shown, seen: Seen) -> dict[str, Any]:
    """One picture's row; `false_points` were found but are not there."""
    body, there = len(BODY), seen.points[:, 2] >= 0.5
    found: dict[str, Any] = {"kind": shown.kind, "seed": shown.seed, "people": int(seen.somebody)}
    found["false_points"] = int((there & (shown.points[:, 2] == 0)).sum())
    found["body"] = distances(seen.points[:body], shown.points[:body], shown.length)
    return found | {"feet": distances(seen.points[body:], shown.points[body:], shown.length)}


def measure(folder: Path) -> Figures:
    """Look at all pictures with the committed detector."""
    chosen = list(pictures())
    seen = Judge.load(folder, "detector").look([shown.image for shown in chosen])
    rows = [row(shown, what) for shown, what in zip(chosen, seen, strict=True)]
    return Figures(rows, summary(rows))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the rows; a foot's point is recalled when it is found within 0.05 of the length."""
    found: dict[str, Any] = {}
    for kind in ("whole", "cropped"):
        some = [row for row in rows if row["kind"] == kind]
        for at in (0.05, 0.1):
            found[f"pck@{at}, {kind}"] = pck([row["body"] + row["feet"] for row in some], at)
        found[f"people missed, {kind}"] = sum(row["people"] == 0 for row in some)
        found[f"false points a picture, {kind}"] = mean(float(row["false_points"]) for row in some)
    found["feet recall, whole"] = pck([row["feet"] for row in rows if row["kind"] == "whole"], 0.05)
    empty = [row["people"] for row in rows if row["kind"] == "nobody"]
    return found | {"false people": f"{sum(empty)} in {len(empty)} pictures without a person"}
