"""`figures concepts`: new things taught in each way, alone and two at once, with intervals over things."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..bootstrap import Interval, shown
from ..rows import Figures
from . import intervals, study
from .plan import (
    BASE,
    CHAINED,
    CUSTOM,
    EMBEDDING,
    KNOWN,
    MERGED,
    ROUND_TRIP,
    ROWS,
    STEPS,
    TOGETHER,
    TRUE,
    WHOLE,
    Plan,
    Setting,
)

Kept = dict[str, Any]
COLUMNS = ("likeness", "similarity", "text")
TAUGHT = tuple(row.name for row in ROWS)
# first − second of these columns
DIFFERENCES = (
    (CUSTOM, EMBEDDING, "likeness"),
    (CUSTOM, WHOLE, "likeness"),
    (CUSTOM, EMBEDDING, "text"),
    (CUSTOM, WHOLE, "text"),
)
WAYS = (MERGED, CHAINED, TOGETHER)
AIM = 0.8  # of what the base reaches for two things it knows
MOST_HOURS = 3.0  # of one core for all trainings


def measure(folder: Path, number: int | None = None, steps: int | None = None) -> Figures:
    """Teach, paint and look at what is not kept from an earlier call; `number` of things, up to `steps`."""
    planned = Plan(number or Plan().number, steps or STEPS)
    made = study.Study(folder, planned)
    rows = [row for thing in planned.every for row in made.limits(thing)]
    tried = [
        row
        for way in ROWS
        for rate in way.rates
        for thing in planned.further
        for row in made.tried(way, rate, thing)
    ]
    chosen = best(tried)
    print(f"chosen: {chosen}", file=sys.stderr, flush=True)
    rows += tried
    for thing in planned.things:
        rows += made.alone(thing, chosen)
    for pair in planned.pairs:
        rows += made.together(pair, chosen)
    print(f"pictures: {made.folder / 'pictures'}", file=sys.stderr)
    costs = made.costs(chosen)
    return Figures([*rows, *costs], {"plan": plan_of(planned), **summary(rows, costs, chosen)})


def plan_of(planned: Plan) -> dict[str, Any]:
    """What was done, in numbers."""
    return {"things": planned.number, "pairs": len(planned.pairs), "steps": planned.steps,
            "further": len(planned.further), "trial": planned.trial}  # fmt: skip


def score(rows: Sequence[Kept]) -> float:
    """What a setting is chosen by: likeness and text alignment count alike."""
    return sum(mean(row["likeness"]) + mean(row["text"]) for row in rows) / len(rows)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def best(tried: Sequence[Kept]) -> dict[str, Setting]:
    """For each way the rate and steps that were best on the further things; of equal ones the first."""
    found = {}
    for way in TAUGHT:
        some = [row for row in tried if row["row"] == way]
        settings = dict.fromkeys((row["rate"], row["steps"]) for row in some)
        scores = {one: score([row for row in some if (row["rate"], row["steps"]) == one]) for one in settings}
        found[way] = Setting(*max(scores, key=scores.__getitem__))
    return found


def values(rows: Sequence[Kept], run: str, column: str) -> list[list[float]]:
    """A column of a run's rows: of each thing, in its order, one value of each picture."""
    return [[float(value) for value in row[column]] for row in rows if row["run"] == run and column in row]


def change(rows: Sequence[Kept], run: str) -> Interval:
    """How much less of other classes' captions is right after a training than before."""
    things = [row["thing"] for row in rows if row["run"] == run]
    before = [row["others"] for row in rows if row["run"] == BASE and row["thing"] in things]
    return intervals.difference(values(rows, run, "others"), before)


def summary(rows: Sequence[Kept], costs: Sequence[Kept], chosen: dict[str, Setting]) -> dict[str, Any]:
    """All figures by name."""
    singles, pairs = alone(rows), two(rows)
    found: dict[str, Any] = {f"chosen, {way}": str(setting) for way, setting in chosen.items()}
    for column in ("contrast", "psnr"):
        found[f"marks: {column}"] = shown(intervals.nested(values(rows, "marks", column)), 3)
    for run in (TRUE, ROUND_TRIP, BASE, *TAUGHT):
        for column in COLUMNS:
            found[f"{run}: {column}"] = shown(intervals.nested(values(singles, run, column)))
    for run in TAUGHT:
        some = [row for row in singles if row["run"] == run]
        found[f"{run}: other classes, after − before"] = shown(change(singles, run))
        found[f"{run}: seconds"] = round(mean([row["seconds"] for row in some]), 1)
        found[f"{run}: kB"] = round(mean([row["bytes"] for row in some]) / 1000, 1)
    for first, second, column in DIFFERENCES:
        one = intervals.difference(values(singles, first, column), values(singles, second, column))
        found[f"{first} − {second}: {column}"] = shown(one)
    for run in (TRUE, KNOWN, *WAYS):
        for column in ("both", "first", "second", "text"):
            found[f"two, {run}: {column}"] = shown(intervals.nested(values(pairs, run, column)))
    known = values(pairs, KNOWN, "both")
    for run in WAYS:
        of = intervals.ratio(values(pairs, run, "both"), known)
        found[f"two, {run}: both, share of {KNOWN}"] = "–" if of is None else shown(of)
    gain = intervals.difference(values(pairs, MERGED, "both"), values(pairs, CHAINED, "both"))
    found[f"two, {MERGED} − {CHAINED}: both"] = shown(gain)
    hours = sum(cost["seconds"] for cost in costs) / 3600
    return found | {"hours of one core for all trainings": round(hours, 2)}


def alone(rows: Sequence[Kept]) -> list[Kept]:
    """The rows of one thing that is no further one."""
    painted = {row["thing"] for row in rows if row["run"] == BASE}
    return [row for row in rows if row["thing"] in painted]


def two(rows: Sequence[Kept]) -> list[Kept]:
    """The rows of pairs."""
    return [row for row in rows if "both" in row]


def reached(rows: Sequence[Kept], costs: Sequence[Kept]) -> dict[str, bool]:
    """The aims and whether each is reached."""
    singles, pairs = alone(rows), two(rows)

    def above(first: str, second: str, column: str, some: Sequence[Kept]) -> bool:
        return intervals.difference(values(some, first, column), values(some, second, column)).low > 0

    of = intervals.ratio(values(pairs, MERGED, "both"), values(pairs, KNOWN, "both"))
    hours = sum(cost["seconds"] for cost in costs) / 3600
    return {
        f"likeness of {CUSTOM} above {EMBEDDING}": above(CUSTOM, EMBEDDING, "likeness", singles),
        f"text alignment of {CUSTOM} above {WHOLE}": above(CUSTOM, WHOLE, "text", singles),
        f"two {MERGED}: at least {AIM:.0%} of what the base reaches": of is not None and of.value >= AIM,
        f"two {MERGED}: above {CHAINED}": above(MERGED, CHAINED, "both", pairs),
        f"all trainings within {MOST_HOURS:g} hours of one core": hours <= MOST_HOURS,
    }
