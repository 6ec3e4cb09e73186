"""The figures as a table in the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ....cli.words import plain
from .figures import Figure, Figures
from .run import Row

BETTER = {"lower": "lower is better", "higher": "higher is better", "zero": "nearer 0 is better", "": ""}


def number(value: float) -> str:
    """A figure in four digits, whole numbers whole."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def cells(figure: Figure) -> list[str]:
    """A figure's line: name, value, interval, pictures, and which way is better."""
    interval = (
        "" if figure.low is None or figure.high is None else f"{number(figure.low)} … {number(figure.high)}"
    )
    value = f"{number(figure.value)} {figure.unit}".strip()
    return [figure.name, value, interval, str(figure.pictures), BETTER[figure.better]]


HEAD = ["", "value", "95 % interval", "pictures", ""]


def table(figures: Figures) -> str:
    """The table for a terminal, its columns aligned, and the notes below it."""
    lines = [HEAD, *map(cells, figures.lines)]
    widths = [max(len(row[place]) for row in lines) for place in range(len(HEAD))]
    rows = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in lines
    )
    return plain("\n".join([*rows, *([""] if figures.notes else []), *figures.notes]))


def plain_rows(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows without features, which are arrays."""
    return [
        {"name": row.pair.stem}
        | {name: value for name, value in row.values.items() if "features" not in name}
        for row in rows
    ]


def text(figures: Figures, rows: Sequence[Row], settings: dict[str, Any]) -> str:
    """The figures, the notes, the settings and the rows as JSON, one row a line."""
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in plain_rows(rows))
    listed = ",\n  ".join(json.dumps(figure._asdict(), ensure_ascii=False) for figure in figures.lines)
    notes = json.dumps(figures.notes, ensure_ascii=False)
    return (
        f'{{"settings": {json.dumps(settings, ensure_ascii=False)},\n "figures": [\n  {listed}\n ],\n '
        f'"notes": {notes},\n "pictures": [\n  {lines}\n ]}}\n'
    )
