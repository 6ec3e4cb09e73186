"""The study of Mutual Attention and inversion in words: docs/attention.md and its curves."""

from __future__ import annotations

from typing import Any

from ..bootstrap import Interval, interval, shown
from ..rows import Figures
from ..tables import table
from . import photos
from .figures import COLUMNS, DIFFERENCES, POSE_ONLY, photo_values, rows_of, values
from .runs import CEILING, CFG, POSED, POSED_PLAIN, SAMPLER, STEPS, STUDY, TABLE

Row = dict[str, Any]
WIDTH, HEIGHT, MARGIN, GAP = 300, 220, 40, 26
CURVES = {"clothes kept": "#0072b2", "hair kept": "#56b4e9", "pose right": "#d55e00"}
INTRODUCTION = f"""# Mutual Attention, measured

Written by `python3 cli figures attention` with the demo models; raw rows:
`lab/results/models/attention.json`. The first prompt of a pair names a drawn person's hair and clothes with
all colours, a pose and a place. The second names another pose and place and no colours. Both are rows of one
batch with the same noise: {STEPS} steps of {SAMPLER}, guidance {CFG:g}. The evaluator looks at the second
row. A pair counts when its first row, and the second prompt with all colours in it, show what was asked for.
Values are means over pairs with 95 % bootstrap intervals.

- **masked** has the evaluator's masks of the person; **masked, from words** has those of the person's words,
  made within the run with the published threshold or Otsu's: *man*, hair and clothes in the source, *man* and
  the pose in the target.
- **Clothes kept, hair kept**: the share of top, bottom and shoes, and the hair, in the source's colour.
- **Pose right, place right**: as the target's words ask.
- **Similarity**: the cosine of the evaluator's features of source and target.
- **Log-probability**: of the target's words by the demo captioner, the mean per word.
- **PCK@0.1**: limbs within a tenth of the person's length of the skeleton that the ControlNet is shown.
"""


def page(figures: Figures) -> str:
    """The whole page."""
    rows, names = figures.rows, {run.name: rows_of(run.settings) for run in TABLE} | {CEILING: CEILING}
    lines = [INTRODUCTION, "## Same person, other pose", ""]
    lines += [f"Pairs: {figures.summary['pairs']}. Source rows that the patch changed: "]
    lines[-1] += f"{figures.summary['source rows changed']}."
    body = []
    for name, key in names.items():
        cells = [
            shown(interval(values(rows, key, column)), 2)
            if column != POSE_ONLY or name in (POSED, POSED_PLAIN)
            else "–"
            for column in COLUMNS
        ]
        body.append([name, *cells])
    lines += table(["row", *COLUMNS], body)
    differences = [
        [f"{first} − {second}", column, figures.summary[f"{first} − {second}: {column}"]]
        for first, second, column in DIFFERENCES
    ]
    lines += ["", "Paired differences:", *table(["rows", "column", "difference"], differences)]
    lines += [
        "",
        "## By step and layer",
        "",
        "*replace*; what is not varied is from step 4 and layers 10–15.",
    ]
    lines += ["", "![Kept and right by steps and layers](pictures/attention.svg)"]
    for title, curve in STUDY.items():
        body = [
            [
                label,
                *(shown(interval(values(rows, run.settings, each)), 2) for each in (*CURVES, "similarity")),
            ]
            for label, run in curve.items()
        ]
        lines += ["", f"### {title[0].upper()}{title[1:]}", *table([title, *CURVES, "similarity"], body)]
    return "\n".join([*lines, *photo_tables(rows), ""])


def photo_tables(rows: list[Row]) -> list[str]:
    """The edits of photos, and how exactly photos come back."""
    columns = ("clothes kept", "hair kept", "pose right", "place right")
    edits, back = [], []
    for run in photos.EDITS:
        some = photo_values(rows, run.name)
        cells = [shown(interval([COLUMNS[column](row) for row in some]), 2) for column in columns]
        edits.append([run.name, *cells, sum(row["changed pixels outside"] for row in some)])
    for method in photos.METHODS:
        some = [row for row in rows if row["run"] == method]
        error = interval([row["latent"] for row in some]).value
        both = [shown(interval([row[key] for row in some]), 2) for key in ("psnr", "psnr of the VAE")]
        back.append([method, len(some), f"{error:.2g}", *both])
    return [
        "", "## Edited photos", "",
        f"{photos.COUNT} drawn photos, inverted by {photos.EXACT} without words, another pose asked of the "
        "same person, stitched",
        f"where the person stands in either picture and {photos.AROUND} px around.",
        *table(["row", *columns, "pixels changed outside"], edits),
        "", "## Inverted photos", "",
        f"{STEPS} steps at guidance 1 and back by the method's own sampler.",
        *table(["method", "photos", "latent, relative error", "PSNR, dB", "of the VAE alone, dB"], back),
    ]  # fmt: skip


def curves(figures: Figures) -> str:
    """All curves of the study as one SVG: a panel each, shares from 0 to 1 with their intervals."""
    size = len(STUDY) // 2 * WIDTH, 2 * HEIGHT + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{size[0]}" height="{size[1]}" fill="white"/>',
    ]
    for index, (title, curve) in enumerate(STUDY.items()):
        left, top = index % 2 * WIDTH + MARGIN, index // 2 * HEIGHT + GAP
        found = {
            column: [interval(values(figures.rows, run.settings, column)) for run in curve.values()]
            for column in CURVES
        }
        parts += panel(left, top, title, list(curve), found)
    for index, (name, colour) in enumerate(CURVES.items()):
        x, y = MARGIN + index * 110, size[1] - 6
        parts.append(f'<rect x="{x}" y="{y - 6}" width="18" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 24}" y="{y}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def panel(
    left: float, top: float, title: str, labels: list[str], found: dict[str, list[Interval]]
) -> list[str]:
    """A panel with its frame, a line and whiskers for each column."""
    right, bottom = left + WIDTH - MARGIN - 10, top + HEIGHT - 2 * GAP
    step = (right - left) / max(len(labels) - 1, 1)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    parts = [f'<text x="{(left + right) / 2:.0f}" y="{top - 8}" text-anchor="middle">{title}</text>']
    for share in (0.0, 0.5, 1.0):
        parts.append(f'<path d="M{left} {y(share):.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share:g}</text>')
    for index, label in enumerate(labels):
        where = f'x="{left + index * step:.1f}" y="{bottom + 14}"'
        parts.append(f'<text {where} text-anchor="middle">{label.partition(",")[0]}</text>')
    for column, each in found.items():
        points = [f"{left + index * step:.1f},{y(one.value):.1f}" for index, one in enumerate(each)]
        line = f'fill="none" stroke="{CURVES[column]}"'
        parts.append(f'<polyline points="{" ".join(points)}" {line} stroke-width="2"/>')
        parts += [
            f'<path d="M{left + index * step:.1f} {y(one.low):.1f}V{y(one.high):.1f}" {line} opacity="0.5"/>'
            for index, one in enumerate(each)
        ]
    return parts
