"""The figures of completed real people: by family and over all, in numbers and as tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...places import RESULTS
from ..bootstrap import COVERAGE, RESAMPLES, SEED, Interval, paired
from ..tables import table
from .people import Row

KEPT = RESULTS / "models" / "completion_people.json"
MODES = {
    "given": "the true points above the cut given",
    "detected": "a detector's points given",
    "five-fold given": "the true points given, five-fold",
    "five-fold detected": "a detector's points given, five-fold",
}
INTRODUCTION = """
## Completed legs of real people

Written by `python3 cli completion --people FILE --keep`, with and without `--detected`: people seen from head
or chin to feet on real photographs, whose points a detector found on the whole photo, and the photo cut below
four rows. `tests/data/people.json` is a made-up file of that form. L is the longer side of the person's box.
Ankles that the cut hides are measured, the canvas at the defaults of Complete Pose and Extend Canvas without
rounding to multiples. Intervals resample people. *straight down* hangs hips, knees and ankles by the table of
`core/pose/estimate/proportions.py`; *straight down, Winter's table* by Winter's. *27b850b* is the estimate of
that commit, before key points. The table and a few shares of the estimate were fitted to these people;
*five-fold* are the figures with all of them fitted anew to four fifths of the photographs and measured on the
rest.
"""
ALL = "all"
MOVING = "walking, jumping, sport"
SHARES = (0.05, 0.1, 0.2)
_GROUPS = {MOVING: {"walking", "jumping", "sport"}}


def median(rows: list[Row], way: str) -> Interval | None:
    """The median distance of all guessed ankles, in lengths; its interval resamples people, not ankles."""
    people = sorted({row["person"] for row in rows})
    pairs = [(away, people.index(row["person"])) for row in rows for away in row[way]["away"]]
    pairs = sorted((away, owner) for away, owner in pairs if away is not None)
    if not pairs:
        return None
    distances, owners = np.array([away for away, _ in pairs]), np.array([owner for _, owner in pairs])
    drawn = np.random.default_rng(SEED).multinomial(len(people), [1 / len(people)] * len(people), RESAMPLES)
    reached = np.cumsum(drawn[:, owners], axis=1)
    middles = distances[(reached >= reached[:, -1:] / 2).argmax(axis=1)]
    low, high = np.quantile(middles, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(np.median(distances)), float(low), float(high))


def pck(rows: list[Row], way: str, share: float) -> float:
    """The share of hidden ankles guessed within `share` of the length; ankles without a guess are missed."""
    found = [away is not None and away <= share for row in rows for away in row[way]["away"]]
    return float(np.mean(found)) if found else 0.0


def per_person(rows: list[Row], way: str) -> dict[str, float]:
    """Each person's mean ankle distance over all cuts; somebody without a guess is left out."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["person"], []).extend(away for away in row[way]["away"] if away is not None)
    return {person: float(np.mean(away)) for person, away in found.items() if away}


def difference(rows: list[Row], first: str, second: str) -> Interval | None:
    """How much further off the first way is than the second: means by person, paired."""
    one, other = per_person(rows, first), per_person(rows, second)
    both = sorted(one.keys() & other.keys())
    return paired([one[name] for name in both], [other[name] for name in both]) if both else None


def _figures(rows: list[Row], way: str) -> dict[str, Any]:
    extensions = [row[way]["extension"] for row in rows if row[way]["extension"] is not None]
    away = [distance for row in rows for distance in row[way]["away"]]
    guessed = [distance for distance in away if distance is not None]
    return {
        "median": median(rows, way),
        "mean": float(np.mean(guessed)) if guessed else None,
        "pck": {share: pck(rows, way, share) for share in SHARES},
        "excess": float(np.median(extensions)) if extensions else None,
        "too short": float(np.mean([value < 0 for value in extensions])) if extensions else None,
        "grown needlessly": sum(row[way]["grown"] for row in rows),
        "without a guess": len(away) - len(guessed),
    }


def groups(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows by family, those of the moving families together, and all."""
    families = dict.fromkeys(row["family"] for row in rows)
    found = {family: [row for row in rows if row["family"] == family] for family in families}
    for name, members in _GROUPS.items():
        some = [row for row in rows if row["family"] in members]
        found |= {name: some} if some else {}
    return found | {ALL: rows}


def summary(rows: list[Row], ways: Sequence[str]) -> dict[str, Any]:
    """Every group's figures by way, and by how much the first way differs from each other one."""
    return {
        name: {
            "people": len({row["person"] for row in some}),
            "cuts": len(some),
            "ways": {way: _figures(some, way) for way in ways},
            "differences": {way: difference(some, ways[0], way) for way in ways[1:]},
        }
        for name, some in groups(rows).items()
    }


def _percent(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{100 * value:{sign}.1f}"


def _interval(found: Sequence[float] | None, sign: str = "") -> str:
    if found is None:
        return "–"
    value, low, high = found
    return f"{_percent(value, sign)} ({_percent(low, sign)} … {_percent(high, sign)})"


def tables(found: dict[str, Any], ways: Sequence[str], heading: str = "##") -> list[str]:
    """The summary as Markdown: a table per figure, families down, ways across."""

    def one(title: str, cell: Callable[[dict[str, Any]], object]) -> list[str]:
        lines = [
            [name, group["people"], group["cuts"], *(cell(group["ways"][way]) for way in ways)]
            for name, group in found.items()
        ]
        return ["", f"{heading} {title}", *table(["family", "people", "cuts", *ways], lines)]

    differences = [
        [name, *(_interval(difference, "+") for difference in group["differences"].values())]
        for name, group in found.items()
    ]
    return [
        *one("Ankles, median in % of L (95 % interval)", lambda f: _interval(f["median"])),
        *one("Ankles, mean in % of L", lambda f: _percent(f["mean"])),
        *one("PCK@.05 / .1 / .2 in %", lambda f: " / ".join(f"{100 * x:.0f}" for x in f["pck"].values())),
        *one("Canvas: median excess in % of L, margin included", lambda f: _percent(f["excess"], "+")),
        *one("Canvas: too short in % of the cuts", lambda f: _percent(f["too short"])),
        *one("Sides grown needlessly", lambda f: f["grown needlessly"]),
        *one("Ankles without a guess", lambda f: f["without a guess"]),
        "",
        f"{heading} {ways[0]} minus …, ankles by person, in % of L (below 0 is nearer; 95 % interval)",
        *table(["family", *ways[1:]], differences),
    ]


def kept() -> dict[str, Any]:
    """The committed figures by what was given; empty where there are none."""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}


def keep(mode: str, found: dict[str, Any]) -> None:
    """Commit to the figures of one mode: aggregates only, no person's points."""
    KEPT.write_text(json.dumps(kept() | {mode: found}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def section() -> list[str]:
    """What docs/completion.md says of real people."""
    lines = []
    for mode, title in MODES.items():
        if mode in kept():
            found = kept()[mode]
            everybody = found[ALL]
            ways = list(everybody["ways"])
            lines += ["", f"## Real people, {title}: {everybody['people']} people, {everybody['cuts']} cuts"]
            lines += tables(found, ways, "###")
    return [INTRODUCTION.rstrip(), *lines] if lines else []
