"""From rows to figures: a mean with its interval per method and column, what differs, and what fell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..bootstrap import Interval, Statistic, interval, paired
from ..rows import pck

Row = dict[str, Any]
Figures = dict[str, dict[str, Interval]]
METHODS = {
    "a1": "core nodes: ImagePadForOutpaint, InpaintModelConditioning, KSampler",
    "a2": "a1 and ImageCompositeMasked with the same mask",
    "b": "ours without pose",
    "c": "ours with completed pose and ControlNet",
}
OURS = ("b", "c")
# The completed pose beside the true one, no picture made: it caps what follows it.
COMPLETED = "completed"


class Better(Enum):
    """Which way a figure improves; None of both is only told."""

    HIGHER, LOWER, TOLD = 1, -1, 0


@dataclass(frozen=True)
class Column:
    """How a row becomes one number, and how that is shown; a share counts pictures or joints."""

    title: str
    key: str  # what a row must hold for it
    value: Callable[[Row], float]
    better: Better
    digits: int = 2
    share: bool = False
    statistic: Statistic = Statistic.MEAN


def near(key: str, share: float, title: str) -> Column:
    """The ankles within a share of the person's length of another pose's."""
    return Column(title, key, lambda row: pck([row[key]], share), Better.HIGHER, share=True)


COLUMNS = {
    "changed_pixels": Column(
        "changed pixels", "changed_pixels", lambda row: row["changed_pixels"], Better.LOWER, 0
    ),
    # Where a frame happens to cut along an edge of the scene, even a true picture reads up to 40.
    "seam_ratio": Column(
        "R, median", "seam_ratio", lambda row: row["seam_ratio"], Better.LOWER, statistic=Statistic.MEDIAN
    ),
    "step_excess": Column("step − true step, ΔE", "step_excess", lambda row: row["step_excess"], Better.TOLD),
    "step_error": Column(
        "the same, absolute", "step_excess", lambda row: abs(row["step_excess"]), Better.LOWER
    ),
    "feet_right": Column(
        "feet right", "feet", lambda row: float(row["feet"] == row["true_feet"]), Better.HIGHER, share=True
    ),
    "completed_05": near("to_completed", 0.05, "PCK@0.05, completed"),
    "completed_10": near("to_completed", 0.1, "PCK@0.1, completed"),
    "true_05": near("to_true", 0.05, "PCK@0.05, true"),
    "true_10": near("to_true", 0.1, "PCK@0.1, true"),
    "seconds": Column("seconds", "seconds", lambda row: row["seconds"], Better.TOLD, 1),
}
COMPLETION = {
    "true_05": near("completed_to_true", 0.05, "PCK@0.05, true"),
    "true_10": near("completed_to_true", 0.1, "PCK@0.1, true"),
}
COMPARED = ("seam_ratio", "feet_right", "completed_05", "completed_10", "true_05", "true_10")


def columns_of(method: str) -> dict[str, Column]:
    return COMPLETION if method == COMPLETED else COLUMNS


def values(rows: Iterable[Row], method: str, column: Column) -> dict[int, float]:
    """The column's number of every picture of a method, by seed."""
    # Every row of a picture holds the same completed pose; one of them is enough.
    return {row["seed"]: float(column.value(row)) for row in rows if method in (row["method"], COMPLETED)}


def figures(rows: list[Row]) -> Figures:
    """Every method that has rows, and the completed pose alone, in every column that all its rows hold."""
    present = [method for method in METHODS if any(row["method"] == method for row in rows)]
    found: Figures = {}
    for method in [*present, COMPLETED] if rows else []:
        some = [row for row in rows if method in (row["method"], COMPLETED)]
        found[method] = {
            name: interval(list(values(some, method, column).values()), column.statistic)
            for name, column in columns_of(method).items()
            if all(column.key in row for row in some)
        }
    return found


def difference(rows: list[Row], first: str, second: str, name: str) -> Interval:
    """The paired difference first − second of a column over the pictures that both have."""
    one, other = (values(rows, method, COLUMNS[name]) for method in (first, second))
    seeds = sorted(one.keys() & other.keys())
    return paired([one[seed] for seed in seeds], [other[seed] for seed in seeds], COLUMNS[name].statistic)


def allowance(column: Column, committed: Interval, pictures: int) -> float:
    """How much worse than the committed one a figure may be: its interval, but never less than a picture."""
    worse = (
        committed.value - committed.low
        if column.better is Better.HIGHER
        else committed.high - committed.value
    )
    return max(worse, 1 / pictures if column.share else 0.0)


def fallen(rows: list[Row], committed: list[Row]) -> list[str]:
    """A sentence for each figure of ours that is worse than the committed one by more than its interval.

    Both are taken over the same pictures, so that a part of them can be held against the whole.
    """
    seeds = {row["seed"] for row in rows}
    same = [row for row in committed if row["seed"] in seeds]
    now, before = figures(rows), figures(same)
    found = []
    for method in (*OURS, COMPLETED):
        if method not in now or method not in before:
            continue
        for name in [name for name in now[method] if name in before[method]]:
            column = columns_of(method)[name]
            if column.better is Better.TOLD:
                continue
            old, new = before[method][name], now[method][name]
            allowed = allowance(column, old, len(values(same, method, column)))
            if (old.value - new.value) * column.better.value > allowed + 1e-9:
                found.append(
                    f"{method}, {column.title}: {new.value:.3f} is worse than the committed {old.value:.3f} "
                    f"by more than its interval of {allowed:.3f}."
                )
    return found
