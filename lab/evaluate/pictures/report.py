"""The page on samplers and pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..bootstrap import Interval, Statistic, interval, paired
from ..rows import mean, pck
from ..tables import table
from .metrics import NEAR
from .run import KINDS, METHODS, OURS, TRUE

Row = dict[str, Any]
Take = Callable[[Row], float | None]


def limbs(distances: list[float | None]) -> float | None:
    return pck([distances], 0.1) if distances else None


COLUMNS: tuple[tuple[str, Take, Statistic, str], ...] = (
    ("feet right", lambda row: row["feet"], Statistic.MEAN, "{:.0%}"),
    ("limbs, PCK@0.1", lambda row: limbs(row["distances"]), Statistic.MEAN, "{:.0%}"),
    ("R, median", lambda row: row["seam_ratio"], Statistic.MEDIAN, "{:.2f}"),
    ("step − true step, absolute", lambda row: abs(row["step_excess"]), Statistic.MEAN, "{:.2f}"),
    ("colour across the seam, ΔE", lambda row: mean(row["continuity"]), Statistic.MEAN, "{:.1f}"),
    ("changed pixels", lambda row: row["changed_pixels"], Statistic.MEAN, "{:.0f}"),
    ("model calls", lambda row: row.get("calls"), Statistic.MEAN, "{:.0f}"),
    ("seconds", lambda row: row.get("seconds"), Statistic.MEAN, "{:.1f}"),
)  # fmt: skip
FEWEST = 5  # pictures that a value is told for
COMPARED = 5  # of them, the ones that tell good pictures from bad


def bounded(found: Interval, form: str) -> str:
    """A value with its interval."""
    value, low, high = map(form.format, found)
    return f"{value} ({low} … {high})"


def cell(rows: list[Row], take: Take, statistic: Statistic, form: str) -> str:
    """A column's value over rows with its 95 % interval."""
    values = [value for value in map(take, rows) if value is not None]
    if len(values) < min(FEWEST, len(rows)):
        return ""
    value, low, high = found = interval(values, statistic)
    return form.format(value) if form.format(low) == form.format(high) else bounded(found, form)


def line(method: str, rows: list[Row], distance: float | None) -> list[object]:
    """A method's line of a table."""
    some = [row for row in rows if row["by"] == method]
    told = "" if distance is None else f"{distance:.1f}"
    return [method, *(cell(some, *column) for _, *column in COLUMNS), told]


def difference(rows: list[Row], other: str, take: Take, statistic: Statistic, form: str) -> str:
    """Ours − another method over the pictures that both have a value of, bold where the interval has no 0."""
    values: dict[str, dict[int, float]] = {OURS: {}, other: {}}
    for row in rows:
        value = take(row)
        if row["by"] in values and value is not None:
            values[row["by"]][row["seed"]] = value
    both = sorted(values[OURS].keys() & values[other].keys())
    if len(both) < FEWEST:
        return ""
    found = paired(*([values[method][seed] for seed in both] for method in (OURS, other)), statistic)
    mark = "**" if found.excludes_zero else ""
    return f"{mark}{bounded(found, form)}{mark}"


def against(rows: list[Row]) -> list[str]:
    """Ours held against each other method on the same pictures."""
    body: list[list[object]] = [
        [f"{OURS} − {other}", *(difference(rows, other, *column) for _, *column in COLUMNS[:COMPARED])]
        for other in METHODS
        if other != OURS
    ]
    return table(["", *(title for title, *_ in COLUMNS[:COMPARED])], body)


def page(rows: list[Row], distances: dict[str, dict[str, float | None]]) -> str:
    """docs/samplers_pictures.md."""
    lines = [
        "# Inpaint samplers on pictures", "",
        "Written by `python3 cli bench pictures`: test pictures of the drawn world, the demo's",
        "text-to-image model (in the last table its inpaint model), at most 50 model calls (guidance 2",
        "doubles all alike), each method at the settings that the contest chose for 50 calls",
        "([samplers.md](samplers.md)). Pictures keep all pixels that were given. The raw rows are in",
        "[samplers_pictures.json](../lab/results/samplers_pictures.json). Means over pictures (R:",
        "medians) with 95 % bootstrap intervals; differences are paired, bold where the interval excludes",
        "0. More is better",
        "of feet and limbs, less of all else. The *true picture* is what these measures read of a perfect",
        f"painter. *Colour across the seam*: ΔE between a garment's median colours within {NEAR} px of the",
        "edge on both sides, where the garment truly is, so a limb that takes another turn counts too. KID:",
        "the unbiased cubic-kernel distance on the evaluator's features, comparable within this page only.",
        f"Fewer than {FEWEST} pictures with a value are not told. In *removal* the true picture still has",
        "the thing, whose edge is the true step: there step and KID say little.",
    ]  # fmt: skip
    head: list[object] = ["", *(title for title, *_ in COLUMNS), "KID on the evaluator's features"]
    for kind in KINDS:
        some = [row for row in rows if row["kind"] == kind]
        count = len({row["seed"] for row in some})
        lines += ["", f"## {kind.capitalize()} ({count} pictures)"]
        lines += table(head, [line(method, some, distances[kind].get(method)) for method in (TRUE, *METHODS)])
        lines += against(some)
    return "\n".join(lines) + "\n"
