"""What is measured by name; every measurement gives one row per picture and a summary of all."""

from __future__ import annotations

import json
from pathlib import Path

from ...files import replacing
from ...places import RESULTS
from ...toy import table
from ..rows import Figures
from ..sections import part_of, replace_part

FOLDER = RESULTS / "models"

# Measurements of no toy model, as in its table: (folder of weights) -> Figures.
OTHERS = {
    "attention": "lab.evaluate.attention.figures:measure",
    "completion": "lab.evaluate.completion.measure:measure",
    "concepts": "lab.evaluate.concepts.figures:measure",
    "maps": "lab.evaluate.attention.maps:measure",
}
# Figures that files in the docs are made of: name of the file, and (figures) -> its text.
PAGES = {
    "attention": {
        "attention.md": "lab.evaluate.attention.page:page",
        "pictures/attention.svg": "lab.evaluate.attention.page:curves",
    },
    "completion": {"completion.md": "lab.evaluate.completion.page:write"},
    "concepts": {"concepts.md": "lab.evaluate.concepts.page:page"},
}
# Which of them can be tried with less: `number` of things and at most so many `steps` of training.
TRIALS = ("concepts",)
# Parts of such files, under a heading of their own: name of the file, the heading and (figures) -> its text.
PARTS = {"maps": {"attention.md": ("## Words", "lab.evaluate.attention.maps:part")}}


def names() -> dict[str, str]:
    """All measurements by name."""
    return table.figures() | OTHERS


def measure(name: str, weights: Path, **less: int) -> Figures:
    """The figures of a name with the weights of a folder; ComfyUI can be imported then.

    ValueError for less of what cannot be tried with less.
    """
    if less and name not in TRIALS:
        raise ValueError(
            f"Expected --{next(iter(less))} with {' or '.join(TRIALS)} only, got {name}; leave it out."
        )
    return table.function(names()[name])(weights, **less)


def write_pages(name: str, figures: Figures, folder: Path) -> list[Path]:
    """Write what the docs show of the figures into the folder; the files' paths."""
    found = []
    for file, text in PAGES.get(name, {}).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, with_parts(table.function(text)(figures), path))
        found.append(path)
    for file, (heading, text) in PARTS.get(name, {}).items():
        path = folder / file
        if not path.is_file():
            replace(path, "")
        replace_part(path, heading, table.function(text)(figures))
        found.append(path)
    return found


def with_parts(text: str, path: Path) -> str:
    """A new text for a file with the parts of the old one that other figures have written."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    parts = [
        part_of(old, heading)
        for some in PARTS.values()
        for file, (heading, _) in some.items()
        if path.name == file
    ]
    return "\n".join([text, *filter(None, parts)])


def write(figures: Figures, path: Path) -> None:
    """Write the summary and the rows, one to a line."""
    summary = json.dumps(figures.summary, indent=2, ensure_ascii=False)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in figures.rows)
    replace(path, f'{{"summary": {summary},\n"rows": [\n{rows}\n]}}\n')


def replace(path: Path, text: str) -> None:
    """Write a text file, which replaces the old one only when it is whole."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
