"""The page on samplers and pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..figures.rows import mean, pck
from ..quality.bootstrap import Statistic, interval
from ..quality.report import table
from .run import KINDS, METHODS

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
    ("model calls", lambda row: row["calls"], Statistic.MEAN, "{:.0f}"),
    ("seconds", lambda row: row["seconds"], Statistic.MEAN, "{:.1f}"),
)  # fmt: skip


def cell(rows: list[Row], take: Take, statistic: Statistic, form: str) -> str:
    """A column's value over rows with its 95 % interval."""
    values = [value for value in map(take, rows) if value is not None]
    if not values:
        return ""
    found = interval(values, statistic)
    value, low, high = (form.format(each) for each in found)
    return value if low == high else f"{value} ({low} … {high})"


def line(method: str, rows: list[Row], distance: float) -> list[object]:
    """A method's line of a table."""
    some = [row for row in rows if row["by"] == method]
    return [method, *(cell(some, *column) for _, *column in COLUMNS), f"{1000 * distance:.2f}"]


def page(rows: list[Row], distances: dict[str, dict[str, float]]) -> str:
    """docs/samplers_pictures.md."""
    lines = [
        "# Inpaint samplers on pictures", "",
        "Written by `python3 cli bench pictures`: test pictures of the drawn world, the demo's",
        "text-to-image model, at most 50 model calls (guidance 2 doubles all alike), each method at",
        "the settings that the contest chose for 50 calls ([samplers.md](samplers.md)). Pictures",
        "keep all pixels that were given. The raw rows are in",
        "[samplers_pictures.json](samplers_pictures.json). Means over pictures (R: medians) with 95",
        "% bootstrap intervals. *Colour across the seam*: ΔE between a garment's median colours on",
        "both sides, where the judge sees it on both. KID: the unbiased cubic-kernel distance on",
        "the judge's features, comparable within this page only.",
    ]  # fmt: skip
    head: list[object] = ["", *(title for title, *_ in COLUMNS), "KID on the judge's features, ×1000"]
    for kind in KINDS:
        some = [row for row in rows if row["kind"] == kind]
        count = len({row["seed"] for row in some})
        lines += ["", f"## {kind.capitalize()} ({count} pictures)"]
        lines += table(head, [line(method, some, distances[kind][method]) for method in METHODS])
    return "\n".join(lines) + "\n"
