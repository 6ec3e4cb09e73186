"""What is measured by name; every measurement gives one row per picture and a summary of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ...places import RESULTS
from ..completion import measure, page
from . import captioner, detector, evaluator, openpose, text_to_image, vae
from .rows import Figures

FOLDER = RESULTS / "models"


# Each takes the folder of the committed weights; ComfyUI can be imported then.
FIGURES: dict[str, Callable[[Path], Figures]] = {
    "vae": vae.measure,
    "text_to_image": text_to_image.measure,
    "openpose": openpose.measure,
    "judge": evaluator.measure,
    "detector": detector.measure,
    "captioner": captioner.measure,
    "completion": measure.measure,
}
# Figures that a page in the docs is made of.
PAGES: dict[str, Callable[[Figures], str]] = {"completion": page.write}


def write_page(name: str, figures: Figures, folder: Path) -> Path | None:
    """Write the page of the figures, if there is one, into the folder."""
    if name not in PAGES:
        return None
    path = folder / f"{name}.md"
    replace(path, PAGES[name](figures))
    return path


def write(figures: Figures, path: Path) -> None:
    """Write the summary and the rows, one to a line."""
    summary = json.dumps(figures.summary, indent=2, ensure_ascii=False)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in figures.rows)
    replace(path, f'{{"summary": {summary},\n"rows": [\n{rows}\n]}}\n')


def replace(path: Path, text: str) -> None:
    """Write a text file, which replaces the old one only when it is whole."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
