"""The table, the curves and the photos as figures, with intervals over pairs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...toy.world.labels import GARMENTS
from ..bootstrap import interval, paired, shown
from ..rows import Figures, pck
from . import photos, study
from .runs import CEILING, FOLLOWING, MASKED, PLAIN, POSED, POSED_PLAIN, REPLACE, STUDY, TABLE

Row = dict[str, Any]
CLOTHES = tuple(name for name in GARMENTS if name != "hair")
COLUMNS: dict[str, Callable[[Row], float]] = {
    "clothes kept": lambda row: sum(row["kept"][name] for name in CLOTHES) / len(CLOTHES),
    "hair kept": lambda row: float(row["kept"]["hair"]),
    "pose right": lambda row: float(row["pose"]),
    "place right": lambda row: float(row["place"]),
    "similarity": lambda row: row["similarity"],
    "log-probability of the words": lambda row: row["likelihood"],
    "PCK@0.1": lambda row: pck([row["distances"]], 0.1),
}
POSE_ONLY = "PCK@0.1"  # tells nothing of rows that no skeleton was shown to
# first − second of these columns
DIFFERENCES = [
    *((run.name, PLAIN, "clothes kept") for run in FOLLOWING),
    *((name, CEILING, "pose right") for name in (*(run.name for run in FOLLOWING), POSED)),
    ("union", REPLACE, "clothes kept"),
    ("masked", REPLACE, "clothes kept"),
    *((run.name, MASKED, "clothes kept") for run in FOLLOWING if run.threshold is not None),
    (POSED, POSED_PLAIN, "clothes kept"),
    (POSED, POSED_PLAIN, "PCK@0.1"),
]


def measure(folder: Path) -> Figures:
    """Sample what is not kept from an earlier call, and measure everything."""
    made = study.Study(folder)
    rows: list[Row] = []
    chosen = list(made.chosen(study.COUNT))
    good = [pair for pair, fits in chosen if fits]
    for number, run in enumerate(study.runs()):
        for pair in good:
            rows += made.row(pair, run)
        print(f"run {number + 1} of {len(study.runs())}: {run.settings}", file=sys.stderr, flush=True)
    rows += made.photos(lambda line: print(line, file=sys.stderr, flush=True))
    return Figures(rows, summary(rows, len(chosen)))


def values(rows: list[Row], run: str, column: str) -> list[float]:
    """A column of a run's rows in the order of their pairs."""
    some = sorted((row for row in rows if row["run"] == run), key=lambda row: row["seed"])
    return [COLUMNS[column](row) for row in some]


def rows_of(settings: str) -> str:
    """What the rows of a run of the table are called."""
    return PLAIN if settings == TABLE[0].settings else settings


def summary(rows: list[Row], drawn: int) -> dict[str, Any]:
    """All figures by name."""
    names = {run.name: rows_of(run.settings) for run in TABLE} | {CEILING: CEILING}
    pairs = len(values(rows, PLAIN, "pose right"))
    found: dict[str, Any] = {"pairs": f"{pairs}; {drawn - pairs} more failed their own prompts"}
    found["source rows changed"] = sum(row.get("source changed", 0) > 0 for row in rows)
    for name, key in names.items():
        for column in COLUMNS:
            if column != POSE_ONLY or name in (POSED, POSED_PLAIN):
                found[f"{name}: {column}"] = shown(interval(values(rows, key, column)))
    for first, second, column in DIFFERENCES:
        one, other = (values(rows, names[name], column) for name in (first, second))
        found[f"{first} − {second}: {column}"] = shown(paired(one, other))
    for title, curve in STUDY.items():
        for label, run in curve.items():
            cells = (
                f"{column} {shown(interval(values(rows, run.settings, column)))}"
                for column in ("clothes kept", "hair kept", "pose right", "similarity")
            )
            found[f"study, {title}, {label}"] = "; ".join(cells)
    return found | photo_summary(rows)


def photo_values(rows: list[Row], run: str) -> list[Row]:
    """The rows of a way to edit photos."""
    return [row for row in rows if row["run"] == f"photo, {run}"]


def photo_summary(rows: list[Row]) -> dict[str, Any]:
    """Figures of inverted and of edited photos."""
    found: dict[str, Any] = {}
    for run in photos.EDITS:
        some = photo_values(rows, run.name)
        label = f"photo, {run.name}"
        found[f"{label}: changed pixels outside"] = sum(row["changed pixels outside"] for row in some)
        for column in ("clothes kept", "hair kept", "pose right", "place right"):
            found[f"{label}: {column}"] = shown(interval([COLUMNS[column](row) for row in some]))
    for method in photos.METHODS:
        some = [row for row in rows if row["run"] == method]
        for column in ("latent", "psnr", "psnr of the VAE"):
            digits = 3 if column != "latent" else 7
            found[f"inverted, {method}: {column}"] = shown(interval([row[column] for row in some]), digits)
    return found
