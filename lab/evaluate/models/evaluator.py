"""How well the judge sees: joints and garments on true pictures, feet on true, planted and generated ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...toy import corruptions
from ...toy.world.labels import GARMENTS
from ..evaluator import Judge, Seen
from ..rows import Figures, distances, longer_side, mean, overlap, pck
from .labelled import labelled

PART = "test"
TRUE_SEEDS = range(0, 300)
FAULT_SEEDS = range(1000, 1060)
# A planted foot whose visible pixels lie between these is neither there nor gone, and the seed is left out.
UNCLEAR = range(8, 37)
# The sheets of pictures labelled by eye: what the judge's rule was chosen on, and others.
GENERATED = {"generated": "labelled", "generated, fresh": "labelled_fresh"}


def clear(example: corruptions.Planted) -> bool:
    """Whether every foot of the picture is there or not beyond doubt."""
    return not any(count in UNCLEAR for count in np.bincount(example.feet.ravel())[1:])


def pictures() -> list[tuple[str, int, corruptions.Planted]]:
    """All pictures that are measured on: kind, seed, picture."""
    found = []
    for kind in corruptions.KINDS:
        for seed in TRUE_SEEDS if kind == "true" else FAULT_SEEDS:
            example = corruptions.planted(kind, seed, PART)
            if clear(example):
                found.append((kind, seed, example))
    return found


def row(kind: str, seed: int, example: corruptions.Planted, seen: Seen) -> dict[str, Any]:
    """One picture's row."""
    found: dict[str, Any] = {"kind": kind, "seed": seed, "feet": example.count, "feet_seen": seen.feet}
    if kind != "true":
        return found
    found["distances"] = distances(seen.points, example.points, longer_side(example.material))
    return found | {name: overlap(seen.garments[name], example.material, name) for name in GARMENTS}


def measure(folder: Path) -> Figures:
    """Look at all pictures with the committed judge."""
    chosen, judge = pictures(), Judge.load(folder)
    seen = judge.look([example.image for _, _, example in chosen])
    rows = [row(*one, what) for one, what in zip(chosen, seen, strict=True)]
    for kind, sheet in GENERATED.items():
        rows += generated(judge, kind, sheet)
    return Figures(rows, summary(rows))


def generated(judge: Judge, kind: str, sheet: str) -> list[dict[str, Any]]:
    """The rows of a sheet of pictures that were labelled by eye."""
    shown = labelled(sheet)
    seen = judge.look([each.image for each in shown])
    return [
        {
            "kind": kind,
            "seed": each.seed,
            "method": each.method,
            "sure": each.sure,
            "feet": each.feet,
            "feet_seen": what.feet,
        }
        for each, what in zip(shown, seen, strict=True)
    ]


def right(rows: list[dict[str, Any]]) -> str:
    """In how many rows the feet are counted right."""
    return f"{sum(row['feet'] == row['feet_seen'] for row in rows)} of {len(rows)}"


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the rows."""
    true = [row for row in rows if row["kind"] == "true"]
    found: dict[str, Any] = {f"pck@{at}": pck([row["distances"] for row in true], at) for at in (0.05, 0.1)}
    found |= {f"overlap of {name}": mean(row[name] for row in true) for name in GARMENTS}
    for kind in corruptions.KINDS:
        found[f"feet right, {kind}"] = right([row for row in rows if row["kind"] == kind])
    for kind in GENERATED:
        painted = [row for row in rows if row["kind"] == kind]
        found[f"feet right, {kind}"] = right(painted)
        found[f"feet right, {kind} and sure"] = right([row for row in painted if row["sure"]])
    well = ("true", "nobody", *GENERATED)
    faulty = [row["feet"] == row["feet_seen"] for row in rows if row["kind"] not in well]
    found["feet right on faults"] = mean(map(float, faulty))
    return found
