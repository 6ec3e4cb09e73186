"""`figures maps`: how well words' maps show things, Shape Guard on boxes, and things removed by words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ....cli.comfy.jobs import Journal
from ... import version as versions
from ...setup.environment import cache_folder
from ...toy.world.labels import GARMENTS, OBJECTS
from ..evaluator import Evaluator
from ..rows import Figures, mean
from ..tables import table
from . import guard, removal, word_masks
from .word_masks import GROUPS, LAYERS, PLACE, SHUFFLED, THRESHOLDS, USUAL

HEADING = "## Words"
MAKERS = ("lab.evaluate.attention.word_masks", "lab.evaluate.attention.removal", "lab.toy.assemble")
KINDS = {"objects": OBJECTS, "garments": GARMENTS, "place": (PLACE,)}
WAYS = (*(f"{USUAL}, {name}" for name in THRESHOLDS), *(f"{name}, Otsu" for name in GROUPS), SHUFFLED)
AIM = 0.7  # of the ceiling of a cell map
Row = dict[str, Any]


def measure(folder: Path) -> Figures:
    """Look at and paint what is not kept from an earlier call."""
    name = versions.version(MAKERS, guard.MODELS, weights=folder)
    journal = Journal(cache_folder() / "maps" / name / "rows.jsonl", ("seed", "run"))
    seeker, evaluator = word_masks.Seeker(folder), Evaluator.load(folder)
    pictures = list(word_masks.pictures())
    rows = [*kept(journal, "drawn", pictures, lambda one: word_masks.row(seeker, one))]
    rows += kept(journal, "generated", pictures, lambda one: word_masks.generated(seeker, evaluator, one))
    remover = removal.Remover(folder)
    photos = islice(removal.photos(), removal.COUNT)
    rows += kept(journal, "removed", photos, lambda one: removal.row(remover, evaluator, one))
    boxes = guard.measure(folder)
    return Figures([*rows, *boxes.rows], {**summary(rows), **boxes.summary})


def kept(journal: Journal, run: str, some: Iterable[Any], made: Callable[[Any], Row]) -> Iterator[Row]:
    """The rows of a run, those that are missing made and kept."""
    for number, one in enumerate(some):
        label = f"{run}, {one.view}" if hasattr(one, "view") else run
        row = journal.get(one.seed, label)
        if row is None:
            row = made(one)
            journal.add(row)
        yield row
        if number % 20 == 19:
            print(f"{run}: {number + 1}", file=sys.stderr, flush=True)


def things(rows: list[Row], run: str, kind: str | None = None) -> list[Row]:
    """All things of a run's rows, or those of a kind."""
    some = [thing for row in rows if row["run"].startswith(run) for thing in row["things"]]
    return [thing for thing in some if kind is None or thing["name"] in KINDS[kind]]


def share(some: list[Row], way: str) -> str:
    """The mean overlap by a way, and which share of the cells' ceiling that is."""
    value, best = mean(thing.get(way) for thing in some), mean(thing["ceiling"] for thing in some)
    return f"{value:.3f} ({value / best:.0%} of {best:.3f})" if value is not None and best else "–"


def best_layer(some: list[Row]) -> tuple[int, float]:
    """The layer whose maps overlap most on the mean, and that overlap."""
    means = [sum(thing["layers"][number] for thing in some) / len(some) for number in range(LAYERS)]
    number = max(range(LAYERS), key=means.__getitem__)
    return number, means[number]


def summary(rows: list[Row]) -> dict[str, Any]:
    """All figures of words by name."""
    drawn = things(rows, "drawn")
    found: dict[str, Any] = {"things in drawn pictures": len(drawn)}
    for way in WAYS:
        found[f"drawn: {way}"] = share(drawn, way)
    for kind in KINDS:
        for view in word_masks.VIEWS:
            some = things(rows, f"drawn, {view}", kind)
            found[f"drawn, {view}, {kind}: {USUAL}, Otsu"] = f"{share(some, f'{USUAL}, Otsu')}, {len(some)}"
    if drawn:
        number, value = best_layer(drawn)
        found["drawn: best single layer"] = f"{value:.3f}, layer {number}"
    made = things(rows, "generated")
    found["things in generated pictures"] = len(made)
    for way in (f"{USUAL}, Otsu", "all, Otsu"):
        found[f"generated: {way}"] = share(made, way)
    gone = [row for row in rows if row["run"] == "removed"]
    seen = [row for row in gone if row["seen before"]]
    found["removed by word: gone"] = f"{sum(row['gone'] for row in seen)} of {len(seen)}"
    found["removed by word: changed pixels outside"] = sum(row["changed pixels outside"] for row in gone)
    return found


def part(figures: Figures) -> str:
    """The part of docs/attention.md."""
    rows, found = figures.rows, figures.summary
    body = [[way, *(share(things(rows, "drawn", kind), way) for kind in KINDS)] for way in WAYS]
    boxes = [row for row in rows if row["run"] in (guard.PLAIN, guard.GUARDED)]
    lines = [
        HEADING,
        "",
        f"Written by `python3 cli figures maps`: {found['things in drawn pictures']} things of at least",
        "three cells in drawn pictures that no training saw, in both views. A cell of the table is the mean",
        "intersection over union of the mask of their words with the true one, and its share of the best",
        "mask that a map of the latent's cells can give. Best single layer:",
        f"{found.get('drawn: best single layer', '–')}.",
        "",
        *table(["layers, threshold", *KINDS], body),
        "",
        "On generated pictures, with the evaluator's masks:",
        f"{found['things in generated pictures']} things, {found[f'generated: {USUAL}, Otsu']}.",
        f"Removed by word: {found['removed by word: gone']} things are gone;",
        f"{found['removed by word: changed pixels outside']} pixels outside the masks changed.",
        "",
        "### Shape Guard on boxes",
        "",
        *guard.section(boxes),
    ]
    return "\n".join(lines)
