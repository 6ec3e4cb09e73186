"""Settings for every method at every budget, chosen on random problems; what is scored is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from ....cli.comfy.jobs import Journal
from ... import version as versions
from . import sweep
from .sweep import Settings

NEGLIGIBLE = 0.02
WHOLE = 50  # up to so many calls LanPaint's grids are swept whole
OPEN_AXES = ("jump_length", "resamplings", "inner", "width", "pull")  # may be extended beyond the grid


def version() -> str:
    """Of everything that a score depends on."""
    return versions.version(["lab.evaluate.samplers.sweep"])


class Scores:
    """What each setting scored, kept in a file so that a broken-off sweep goes on."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path, ["what"])

    def of(self, name: str, settings: Settings, calls: int) -> float:
        """The score, found if it is not yet known; infinite where the budget is too small."""
        what = json.dumps([name, calls, settings], sort_keys=True)
        if self.journal.get(what) is None:
            found = sweep.method(name, settings, calls)
            kl = 1e9 if found is None else min(1e9, sweep.score(found[0], found[2]))
            self.journal.add({"what": what, "kl": kl})
        return self.journal.rows[(what,)]["kl"]


def combinations(axes: dict[str, tuple]) -> Iterator[Settings]:
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def goes_on(name: str, calls: int) -> bool:
    """Whether the setting is looked for from that of the budget before, not on the whole grid."""
    return name.startswith(sweep.LANPAINT) and calls > WHOLE


def best(name: str, calls: int, scores: Scores, near: Settings | None = None) -> Settings:
    """The setting of least score on the grid, which is extended where it lies on an edge of it.

    Beyond the grid, and from `near` where that is given, one axis is moved at a time. An edge beyond which
    less than `NEGLIGIBLE` is won is none: more pull ends in a limit.
    """
    axes = sweep.GRIDS[name]
    tried = list(combinations(axes)) if near is None else [near]
    winner = min(tried, key=lambda settings: scores.of(name, settings, calls))
    while True:
        beyond = [
            {**winner, axis: value}
            for axis in OPEN_AXES
            if axis in axes
            for value in around(winner[axis], sorted({*axes[axis], *(each[axis] for each in tried)}))
        ]
        tried += beyond
        before, found = winner, min(tried, key=lambda settings: scores.of(name, settings, calls))
        if scores.of(name, found, calls) > (1 - NEGLIGIBLE) * scores.of(name, before, calls):
            return winner
        winner = found


def around(value: float, values: list) -> list:
    """The values on both sides; beyond the ends new ones, whole numbers staying whole and all above 0."""
    at = values.index(value)
    whole = isinstance(value, int)
    below = values[at - 1] if at else (value // 2 if whole else round(value / 1.5, 4))
    last = at + 1 == len(values)
    above = values[at + 1] if not last else value + max(1, value // 2) if whole else round(value * 1.5, 4)
    return [each for each in (below, above) if each > 0]
