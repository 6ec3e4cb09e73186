"""What is measured by name; every measurement gives one row per picture and a summary of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from . import captioner, detector, judge
from .rows import Figures

FOLDER = Path(__file__).resolve().parent


# Each takes the folder of the committed weights; ComfyUI can be imported then.
FIGURES: dict[str, Callable[[Path], Figures]] = {
    "judge": judge.measure,
    "detector": detector.measure,
    "captioner": captioner.measure,
}


def write(figures: Figures, path: Path) -> None:
    """Write the summary and the rows, one to a line, replacing the file only when it is whole."""
    summary = json.dumps(figures.summary, indent=2, ensure_ascii=False)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in figures.rows)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(f'{{"summary": {summary},\n"rows": [\n{rows}\n]}}\n', encoding="utf-8")
    unfinished.replace(path)
