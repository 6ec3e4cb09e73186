"""Whether painted limbs are where the skeleton says, with words alone and in holes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...toy import world
from ...toy.control import skeleton
from ...toy.requests import Order
from ..evaluator import Evaluator
from ..holes import below
from ..rows import LIMBS, Figures, distances, inside, longer_side, pck

PART, SEEDS = "test", range(0, 100)


def order(kind: str, seed: int, example: world.Example) -> Order:
    """What is painted of one picture."""
    height, width = example.image.shape[:2]
    hole = below(example, seed) if kind == "hole" else None
    picture = None if hole is None else example.image
    drawn = skeleton(world.points_of(example), height)
    return Order(example.caption, height, width, seed, drawn, picture, hole)


def measure(folder: Path) -> Figures:
    """Paint every picture anew from its words and skeleton, and its legs into a hole; evaluate both."""
    from ...toy.pipeline import Painter  # needs ComfyUI

    evaluator, painter, rows = Evaluator.load(folder), Painter(folder), []
    examples = {seed: world.example(seed, PART) for seed in SEEDS}
    for kind in ("words", "hole"):
        orders = [order(kind, seed, example) for seed, example in examples.items()]
        seen = evaluator.look(painter.paint(orders))
        for (seed, example), asked, what in zip(examples.items(), orders, seen, strict=True):
            truth = inside(world.points_of(example), asked.hole)
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
