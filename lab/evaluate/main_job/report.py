"""docs/quality.md: the tables of the main job, written from the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...toy.world.poses import FAMILIES
from ..bootstrap import Interval, interval
from ..tables import table
from .calibration import PLANTED, VISIBLE, Calibration
from .completion import BANDS, Completed, summary
from .statistics import COLUMNS, COMPARED, COMPLETED, COMPLETION, METHODS, Column, Row, difference, figures

Line = list[object]


@dataclass(frozen=True)
class Aim:
    """What a figure of (c) shall reach, or be better than in another method, with certainty."""

    words: str
    reached: bool
    found: str


def shown(found: Interval, column: Column, bounds: bool = True) -> str:
    """The figure and its interval, shares in %."""
    scale, digits = (100, 0) if column.share else (1, column.digits)
    value, low, high = (f"{scale * number:.{digits}f}" for number in found)
    unit = " %" if column.share else ""
    return f"{value}{unit} ({low} … {high})" if bounds else f"{value}{unit}"


def overall(rows: list[Row]) -> list[str]:
    """Methods across, columns down, each with its interval; the completed pose alone in its own column."""
    found = figures(rows)
    lines: list[Line] = []
    for name, column in COLUMNS.items():
        line: Line = [column.title]
        line += [shown(found[method][name], column) for method in METHODS if method in found]
        alone = found[COMPLETED].get(name)
        lines.append([*line, shown(alone, COMPLETION[name]) if alone else ""])
    present = [method for method in METHODS if method in found]
    return table(["", *(f"({method})" for method in present), "completed pose alone"], lines)


def compared(rows: list[Row]) -> list[str]:
    """(c) minus each other method, paired by picture."""
    others = [method for method in METHODS if method != "c"]
    lines: list[Line] = []
    for name in COMPARED:
        line: Line = [COLUMNS[name].title]
        for other in others:
            found = difference(rows, "c", other, name)
            mark = "**" if found.excludes_zero else ""
            line.append(f"{mark}{shown(found, COLUMNS[name])}{mark}")
        lines.append(line)
    return table(["", *(f"(c) − ({other})" for other in others)], lines)


def by_family(rows: list[Row]) -> list[str]:
    """One table per pose family, without intervals: a dozen pictures each."""
    lines = []
    for family in FAMILIES:
        some = [row for row in rows if row["family"] == family]
        if not some:
            continue
        found = figures(some)
        pictures = len({row["seed"] for row in some})
        lines += ["", f"### {family.capitalize()} ({pictures} pictures)"]
        body: list[Line] = [
            [f"({method})", *(shown(found[method][name], column, False) for name, column in COLUMNS.items())]
            for method in METHODS
            if method in found
        ]
        alone = {name: shown(found[COMPLETED][name], COMPLETION[name], False) for name in COMPLETION}
        body.append(["completed pose alone", *(alone.get(name, "") for name in COLUMNS)])
        lines += table(["", *(column.title for column in COLUMNS.values())], body)
    return lines


def calibrated(found: Calibration) -> list[str]:
    """What R reads on pictures that were never cut and on the planted step."""
    body: list[Line] = []
    for name, values in (("never cut", found.uncut), (f"a step of {PLANTED:g} ΔE planted", found.planted)):
        quantiles = [f"{value:.2f}" for value in np.quantile(values, [0, 0.1, 0.5, 0.9, 1])]
        body.append([name, *quantiles, f"{100 * np.mean(np.array(values) > VISIBLE):.0f} %"])
    return table(["", "least", "10 %", "median", "90 %", "most", f"above {VISIBLE:g}"], body)


def trusted(truth: list[Row]) -> list[str]:
    """What the evaluator sees in the true pictures themselves."""
    chosen = [COLUMNS[name] for name in ("feet_right", "true_05", "true_10")]
    body = [shown(interval([column.value(row) for row in truth]), column) for column in chosen]
    return table(["", *(column.title for column in chosen)], [["true pictures", *body]])


def completion(found: list[Completed]) -> list[str]:
    """The completed ankles' error by pose family and by where the frame cuts."""

    def cell(some: list[Completed]) -> str:
        what = summary(some)
        return f"{100 * what[1]:.1f} % · {100 * what[2]:.0f} % ({what[0]})" if what else ""

    body: list[Line] = []
    for family in (*FAMILIES, None):
        some = [one for one in found if family in (one.family, None)]
        bands = [cell([one for one in some if one.band == band]) for band in BANDS]
        body.append([family or "all", *bands, cell(some)])
    return table(["", *(f"cut at the {band}" for band in BANDS), "all"], body)


def aims(rows: list[Row]) -> list[Aim]:
    """What (c) is to reach, and whether it does."""
    own = figures(rows)["c"]

    def bound(name: str, words: str, reached: bool) -> Aim:
        return Aim(words, reached, shown(own[name], COLUMNS[name]))

    found = [
        bound("changed_pixels", "0 changed pixels", own["changed_pixels"].high == 0),
        bound("seam_ratio", "R ≤ 1.2", own["seam_ratio"].value <= 1.2),
        bound("feet_right", "feet right ≥ 90 %", own["feet_right"].value >= 0.9),
        bound("completed_10", "PCK@0.1, completed ≥ 0.9", own["completed_10"].value >= 0.9),
    ]
    for name, others in {
        "seam_ratio": ("a2",),
        "feet_right": ("a1", "a2", "b"),
        "completed_05": ("a1", "a2", "b"),
        "completed_10": ("a1", "a2", "b"),
        "true_05": ("a1", "a2", "b"),
        "true_10": ("a1", "a2", "b"),
    }.items():
        for other in others:
            gain = difference(rows, "c", other, name)
            better = gain.high < 0 if name == "seam_ratio" else gain.low > 0
            words = f"{COLUMNS[name].title}: better than ({other}), interval without 0"
            found.append(Aim(words, better, shown(gain, COLUMNS[name])))
    return found


def aims_table(rows: list[Row]) -> list[str]:
    body: list[Line] = [[aim.words, aim.found, "reached" if aim.reached else "missed"] for aim in aims(rows)]
    return table(["aim for (c)", "found", ""], body)


HEAD = """# Quality of the main job

Written by `python3 cli quality`: {pictures} test pictures of the drawn world, which no model saw in
training, cut off at a random row between hips and ankles and made whole again by four methods with the
same models, canvas, caption and seed. Measured on the files that the server saved. The raw rows are in
[quality.json](../lab/results/quality.json).

{methods}

{settings}"""

MEANINGS = """
Values are means over pictures (R: medians) with the 95 % interval of {resamples} bootstrap resamplings of the
pictures in brackets.

- **changed pixels**: pixels of the photo, as the server loaded it, that differ in any channel in the saved
  file.
- **R**: (median of the Lab difference across the seam + 0.5) / (larger of the two sides' medians on lines
  8 to 24 px from it + 0.5), `core/canvas/seam.py`; 1 = no seam. Its median over pictures is reported, because
  a frame that happens to cut along an edge of the scene makes even a true picture read many times 1 (see
  *Calibration*).
- **step − true step**: ΔE between the mean colours of the 16 px on both sides of the seam, minus the same
  in the true picture.
- **feet right**: the evaluator counts as many feet in the result as the true picture shows.
- **PCK@a**: share of the two ankles which the evaluator finds within a · L of the completed pose's or of the
  true one's; L is the longer side of the box around the true whole person. An ankle it does not find is a
  miss.
- **completed pose alone**: the completed ankles held against the true ones; it caps what follows the
  completed pose.
- **seconds**: the server's time for the method's run, the caption and pose that all share not counted;
  (a1) and (a2) are saved by one run. Other work on the machine makes them noisy."""


def report(
    rows: list[Row],
    truth: list[Row],
    calibration: Calibration,
    completed: list[Completed],
    settings: str,
    resamples: int,
) -> str:
    """The whole page as Markdown."""
    pictures = len({row["seed"] for row in rows})
    methods = "\n".join(f"- **({method})** {words}" for method, words in METHODS.items())
    page = [HEAD.format(pictures=pictures, methods=methods, settings=settings)]
    page += [MEANINGS.format(resamples=f"{resamples:,}".replace(",", " "))]
    page += ["", "## All pictures", *overall(rows)]
    page += ["", "## What the completed pose and the ControlNet bring", ""]
    page += [
        "Paired differences; bold where the interval excludes 0. Lower is better for R only.",
        *compared(rows),
    ]
    page += ["", "## Aims", *aims_table(rows)]
    page += ["", "## The first twelve pictures, unselected", "", "![Seeds 0 to 11](pictures/quality.png)"]
    page += [
        "",
        "## Calibration of R",
        "",
        "The true pictures, measured where their crops end.",
        *calibrated(calibration),
    ]
    page += ["", "## Calibration of the evaluator", ""]
    page += ["What it sees in the true pictures; nothing above can be surer than this.", *trusted(truth)]
    page += ["", "## Completed legs", ""]
    page += [
        f"Over the first {len(completed)} test pictures: mean distance of the completed ankles from the",
        "true ones in % of the person's length · PCK@0.1 (pictures). Where the frame cuts is told in thirds",
        "of the way from the lower hip to the higher ankle.",
        *completion(completed),
    ]
    page += ["", "## By pose family", *by_family(rows)]
    return "\n".join([*page, ""])
