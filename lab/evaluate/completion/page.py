"""The figures of completed legs in words: docs/completion.md."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...toy.world.poses import FAMILIES
from ..rows import Figures, pck
from ..tables import table
from . import people_page
from .measure import (
    ALIKE,
    AUTO,
    CUTS,
    JOINTS,
    NEIGHBOURS,
    PER_FAMILY,
    TOLD,
    TRAINED,
    WAYS,
    Row,
    ankles_in_lengths,
)

INTRODUCTION = f"""# Completed legs

Written by `python3 cli figures completion`: {PER_FAMILY} people of each pose family of the drawn world's
test part, cut at six heights, completed by Complete Pose and held against the true points. Their skeletons
have the lengths between key points, not those of the painted bodies (`lab/toy/world/skeleton.py`). Raw rows:
`lab/results/models/completion.json`. Distances are means over guessed joints, in % of the true stature unless
stated; PCK is the share of guessed ankles that lie within 5 % and 10 % of L, the longer side of the person's
box.

Three ways: *auto*, by the points alone; *told*, with Complete Pose's input `legs` at standing, walking,
running or sitting, as somebody who sees the photo would set it; *alike*, the mean of the {NEIGHBOURS} best
fitting of {TRAINED * len(FAMILIES)} training people of the same drawn world. The last is no method for
photographs: it shows about how much the points tell in this world, where arms betray habits of its drawing
that a photograph need not have.

## What helps

- Seen from the side, arms that swing tell which leg leads, and bent elbows tell running.
- Knees that are seen bend their shanks: straight in front, bent behind, far bent when the other knee is
  lifted.
- A trunk that is short for the breadth of shoulders and hips belongs to somebody who sits or leaps: seen from
  the front by a camera above the hips. Most of the drawn people who sit lack that sign; cut above the knees
  they cannot be told from people who stand. *auto* takes standing then, because a canvas that is too long
  keeps the feet and one that is too short cuts them off again. Set `legs` to *sitting*.
- Somebody who leans aside or throws an arm out bends the legs, on photographs.
- Cut above the knees, a runner's guess is the middle of the stride: the points do not tell its moment.
- Crossed legs and legs apart cannot be seen above the knees either; straight legs are the middle of all of
  them.
"""


def _by_cut(rows: list[Row], cell: Callable[[list[Row]], str]) -> list[str]:
    body = []
    for family in (*FAMILIES, "all"):
        some = [row for row in rows if family in (row["family"], "all")]
        body.append([family, *(cell([row for row in some if row["cut"] == cut]) for cut in CUTS)])
    return table(["cut", *CUTS], body)


def _distance(rows: list[Row], way: str, name: str) -> str:
    found = [distance for row in rows for distance in row[way][name]]
    return f"{100 * np.mean(found):.1f}" if found else "–"


def _ankles(rows: list[Row]) -> str:
    lengths = ankles_in_lengths(rows, AUTO)
    if not any(lengths):
        return "–"
    shares = " / ".join(f"{100 * pck(lengths, share):.0f}" for share in (0.05, 0.1))
    in_lengths = 100 * np.mean([distance for row in lengths for distance in row])
    return f"{_distance(rows, AUTO, 'ankles')} ({in_lengths:.1f}): {shares}"


def _others(rows: list[Row]) -> str:
    return " · ".join(_distance(rows, AUTO, name) for name in JOINTS if name != "ankles")


def _wrong(rows: list[Row]) -> str:
    shares = (100 * np.mean([row["kind"] != row[way]["kind"] for row in rows]) for way in WAYS)
    return " · ".join(f"{share:.0f}" for share in shares)


def _extension(rows: list[Row], way: str) -> str:
    found = [row[way]["extension"] for row in rows]
    low, high = np.quantile(found, [0.05, 0.95])
    return f"{np.mean(found):+.1f} ({low:+.1f} … {high:+.1f})"


def write(figures: Figures) -> str:
    """The page."""
    rows = figures.rows
    told = [row for row in rows if row["family"] == "sitting"]
    sections = {
        "Ankles, auto: % of stature (% of L): PCK@0.05 / PCK@0.1 in %": _by_cut(rows, _ankles),
        "Knees · heels · toes, auto: % of stature": _by_cut(rows, _others),
        "Ankles, auto · told · alike: % of stature": _by_cut(
            rows, lambda some: " · ".join(_distance(some, way, "ankles") for way in WAYS)
        ),
        "Wrong kind of legs, auto · told · alike: % of the pictures": [
            "",
            "Kinds are seated, striding (ankles over 25 % of the stature apart) and upright, by the joints.",
            *_by_cut(rows, _wrong),
        ],
        "Extension needed at the bottom, auto: mean error (5 % … 95 %) in % of the body": [
            "",
            "Below 0 the canvas is too short; Extend Canvas adds a margin of 4 % of the body.",
            *_by_cut(rows, lambda some: _extension(some, AUTO)),
        ],
        "The same for people who sit": table(
            ["cut", *CUTS],
            [
                [way, *(_extension([row for row in told if row["cut"] == cut], way) for cut in CUTS)]
                for way in (AUTO, TOLD, ALIKE)
            ],
        ),
    }
    lines = [INTRODUCTION.rstrip()]
    for title, section in sections.items():
        lines += ["", f"## {title}", *section]
    return "\n".join([*lines, *people_page.section()]) + "\n"
