"""Whether painted limbs are where the skeleton says, with words alone and in holes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....core.pose import skeleton as body
from ...toy import world
from ...toy.requests import Order
from ...train.control import skeleton
from ..evaluator import Judge
from .detector import points_of
from .rows import Figures, distances, longer_side, pck

PART, SEEDS = "test", range(0, 100)
LIMBS = (
    body.R_ELBOW, body.R_WRIST, body.L_ELBOW, body.L_WRIST,
    body.R_KNEE, body.R_ANKLE, body.L_KNEE, body.L_ANKLE,
)  # fmt: skip


def below(example: world.Example, seed: int) -> np.ndarray:
    """A hole (bool H,W) below a random row between hip and ankle, as the main job has it, on whole cells."""
    height, width = example.image.shape[:2]
    hole = np.zeros((height, width), bool)
    hole[world.crop_between(example, seed).image.shape[0] // 8 * 8 :] = True
    return hole


def inside(pose: np.ndarray, hole: np.ndarray | None) -> np.ndarray:
    """The limbs' joints, those outside of the hole marked as not there."""
    limbs = pose[list(LIMBS)].copy()
    if hole is not None:
        rows = np.clip(limbs[:, 1].astype(int), 0, hole.shape[0] - 1)
        columns = np.clip(limbs[:, 0].astype(int), 0, hole.shape[1] - 1)
        limbs[:, 2] *= hole[rows, columns]
    return limbs


def order(kind: str, seed: int, example: world.Example) -> Order:
    """What is painted of one picture."""
    height, width = example.image.shape[:2]
    hole = below(example, seed) if kind == "hole" else None
    picture = None if hole is None else example.image
    drawn = skeleton(points_of(example), height)
    return Order(example.caption, height, width, seed, drawn, picture, hole)


def measure(folder: Path) -> Figures:
    """Paint every picture anew from its words and skeleton, and its legs into a hole; look with the judge."""
    from ...toy.pipeline import Painter  # needs ComfyUI

    judge, painter, rows = Judge.load(folder), Painter(folder), []
    examples = {seed: world.example(seed, PART) for seed in SEEDS}
    for kind in ("words", "hole"):
        orders = [order(kind, seed, example) for seed, example in examples.items()]
        seen = judge.look(painter.paint(orders))
        for (seed, example), asked, what in zip(examples.items(), orders, seen, strict=True):
            truth = inside(points_of(example), asked.hole)
            off = distances(what.points[list(LIMBS)], truth, longer_side(example.drawing.material))
            rows.append({"kind": kind, "seed": seed, "distances": off})
    return Figures(rows, summary(rows))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """PCK of the limbs' joints that were to be painted."""
    return {
        f"{kind}, pck@{share}": pck([row["distances"] for row in rows if row["kind"] == kind], share)
        for kind in ("words", "hole")
        for share in (0.05, 0.1)
    }
