"""Whether garments have the colours that the words name, as the evaluator finds the garments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...toy import world
from ...toy.requests import Order
from ...toy.tensors import grown
from ...toy.world.captions import Attributes
from ...toy.world.labels import GARMENTS
from ...toy.world.palette import COLOURS, HAIR, difference, nearest
from ..evaluator import Evaluator, Seen
from ..rows import Figures

PART, SEEDS = "test", range(0, 200)
AROUND, NOTICEABLE = 6, 3.0  # px, ΔE
CONTROLS = {"one colour": COLOURS["red"], "grey": (128, 128, 128)}


def asked(attributes: Attributes) -> dict[str, str]:
    """The colours that a picture's caption names, by garment."""
    return {name: attributes[f"{name} colour"] for name in GARMENTS if f"{name} colour" in attributes}


def found(image: np.ndarray, seen: Seen) -> dict[str, str | None]:
    """The colour's name nearest to the median of each garment; None where none is seen, or nobody."""
    names: dict[str, str | None] = {}
    for name in GARMENTS:
        mask = seen.garments[name]
        shown = seen.somebody and mask.any() and stands_out(image, mask)
        palette = HAIR if name == "hair" else COLOURS
        names[name] = nearest(np.median(image[mask], axis=0), palette) if shown else None
    return names


def stands_out(image: np.ndarray, mask: np.ndarray) -> bool:
    """Whether a garment looks other than what is around it; on a plain picture anything may be seen."""
    around = grown(mask, AROUND) & ~mask
    if not around.any():
        return False
    inside, outside = (np.median(image[place], axis=0) for place in (mask, around))
    return difference(tuple(inside.tolist()), tuple(outside.tolist())) >= NOTICEABLE


def described(
    kind: str,
    seeds: Sequence[int],
    wanted: list[dict[str, str]],
    images: list[np.ndarray],
    evaluator: Evaluator,
) -> list[dict[str, Any]]:
    """One row per picture: what was asked for and what is seen."""
    rows = []
    for seed, colours, image, seen in zip(seeds, wanted, images, evaluator.look(images), strict=True):
        shown = found(image, seen)
        rows.append({"kind": kind, "seed": seed, "asked": colours, "found": {k: shown[k] for k in colours}})
    return rows


def measure(folder: Path) -> Figures:
    """Paint every caption and look; true pictures, one colour and grey show what the measure is worth."""
    from ...toy.pipeline import Painter  # needs ComfyUI

    evaluator, painter, seeds = Evaluator.load(folder), Painter(folder), list(SEEDS)
    examples = [world.example(seed, PART) for seed in seeds]
    wanted = [asked(example.attributes) for example in examples]
    orders = [
        Order(example.caption, *example.image.shape[:2], seed)
        for seed, example in zip(seeds, examples, strict=True)
    ]
    shown = {"painted": painter.paint(orders), "true": [example.image for example in examples]}
    for name, colour in CONTROLS.items():
        shown[name] = [np.full_like(example.image, colour) for example in examples]
    rows = [
        row for kind, images in shown.items() for row in described(kind, seeds, wanted, images, evaluator)
    ]
    return Figures(rows, summary(rows))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Right colours of those asked for, in all and by garment."""
    figures = {}
    for kind in ("painted", "true", *CONTROLS):
        for name in (None, *GARMENTS) if kind == "painted" else (None,):
            answers = [
                row["found"][garment] == colour
                for row in rows
                if row["kind"] == kind
                for garment, colour in row["asked"].items()
                if name in (None, garment)
            ]
            label = kind if name is None else f"{kind}, {name}"
            figures[label] = f"{sum(answers) / max(len(answers), 1):.4f} ({sum(answers)} of {len(answers)})"
    return figures
