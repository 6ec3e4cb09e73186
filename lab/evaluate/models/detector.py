"""How well the detector sees: points on whole and cropped pictures, and nobody where nobody is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ....core.pose import eye
from ...toy import corruptions, world
from ...toy.models import parts
from ...toy.world.body import BODY
from ..evaluator import somebody
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


def row(shown: Shown, points: np.ndarray) -> dict[str, Any]:
    """One picture's row by the points 24,3 that were found; `false_points` are not there."""
    body, there = len(BODY), points[:, 2] >= eye.SURE
    found: dict[str, Any] = {"kind": shown.kind, "seed": shown.seed, "people": int(somebody(points))}
    found["false_points"] = int((there & (shown.points[:, 2] == 0)).sum())
    found["body"] = distances(points[:body], shown.points[:body], shown.length)
    return found | {"feet": distances(points[body:], shown.points[body:], shown.length)}


@torch.inference_mode()
def measure(folder: Path) -> Figures:
    """Look at all pictures with the committed detector."""
    network = eye.eye().eval()
    parts.load(network, folder, "detector")
    rows = []
    for shown in pictures():
        views = network(eye.together([eye.prepared(shown.image)]))
        rows.append(row(shown, eye.points_of(views, 0, shown.image)))
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
