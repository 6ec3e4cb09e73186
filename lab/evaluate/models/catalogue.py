"""What is measured by name; every measurement gives one row per picture and a summary of all."""

from __future__ import annotations

import json
from pathlib import Path

from ...files import replacing
from ...places import RESULTS
from ...toy import table
from ..rows import Figures

FOLDER = RESULTS / "models"

# Measurements of no toy model, as in its table: (folder of weights) -> Figures.
OTHERS = {
    "attention": "lab.evaluate.attention.figures:measure",
    "completion": "lab.evaluate.completion.measure:measure",
}
# Figures that files in the docs are made of: name of the file, and (figures) -> its text.
PAGES = {
    "attention": {
        "attention.md": "lab.evaluate.attention.page:page",
        "pictures/attention.svg": "lab.evaluate.attention.page:curves",
    },
    "completion": {"completion.md": "lab.evaluate.completion.page:write"},
}


def names() -> dict[str, str]:
    """All measurements by name."""
    return table.figures() | OTHERS


def measure(name: str, weights: Path) -> Figures:
    """The figures of a name with the weights of a folder; ComfyUI can be imported then."""
    return table.function(names()[name])(weights)


def write_pages(name: str, figures: Figures, folder: Path) -> list[Path]:
    """Write what the docs show of the figures into the folder; the files' paths."""
    found = []
    for file, text in PAGES.get(name, {}).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, table.function(text)(figures))
        found.append(path)
    return found


def write(figures: Figures, path: Path) -> None:
    """Write the summary and the rows, one to a line."""
    summary = json.dumps(figures.summary, indent=2, ensure_ascii=False)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in figures.rows)
    replace(path, f'{{"summary": {summary},\n"rows": [\n{rows}\n]}}\n')


def replace(path: Path, text: str) -> None:
    """Write a text file, which replaces the old one only when it is whole."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
