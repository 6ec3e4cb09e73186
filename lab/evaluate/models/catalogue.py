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
OTHERS = {"completion": "lab.evaluate.completion.measure:measure"}
# Figures that a page in the docs is made of: (figures) -> page.
PAGES = {"completion": "lab.evaluate.completion.page:write"}


def names() -> dict[str, str]:
    """All measurements by name."""
    return table.figures() | OTHERS


def measure(name: str, weights: Path) -> Figures:
    """The figures of a name with the weights of a folder; ComfyUI can be imported then."""
    return table.function(names()[name])(weights)


def write_page(name: str, figures: Figures, folder: Path) -> Path | None:
    """Write the page of the figures, if there is one, into the folder."""
    if name not in PAGES:
        return None
    path = folder / f"{name}.md"
    replace(path, table.function(PAGES[name])(figures))
    return path


def write(figures: Figures, path: Path) -> None:
    """Write the summary and the rows, one to a line."""
    summary = json.dumps(figures.summary, indent=2, ensure_ascii=False)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in figures.rows)
    replace(path, f'{{"summary": {summary},\n"rows": [\n{rows}\n]}}\n')


def replace(path: Path, text: str) -> None:
    """Write a text file, which replaces the old one only when it is whole."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
