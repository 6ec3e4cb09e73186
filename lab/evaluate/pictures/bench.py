"""`bench pictures`: hold the inpaint samplers against each other on pictures of the drawn world."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ....cli import saving
from ...places import DOCS
from ...setup.environment import Environment

DATA = "samplers_pictures.json"


def written(data: dict[str, Any]) -> str:
    """The data as JSON with a line for each picture's row."""
    rows = ",\n ".join(json.dumps(row) for row in data["rows"])
    head = json.dumps({name: value for name, value in data.items() if name != "rows"})
    return f'{head[:-1]},\n"rows": [\n {rows}\n]}}\n'


def main(arguments: list[str], environment: Environment) -> int:
    """Paint what is not painted yet, measure, write docs/samplers_pictures.md; may be stopped at any time.

    Rows that are committed and would come out the same are kept.
    """
    options = argparse.ArgumentParser(prog="cli bench pictures", description=main.__doc__)
    options.add_argument("--pictures", type=int, metavar="N", help="only the first N of each kind")
    options.add_argument("--docs", type=Path, default=DOCS, metavar="DIR", help="where the page goes")
    chosen = options.parse_args(arguments)
    from ...toy.models import host

    host.make_importable(environment.comfyui)
    from . import report, run

    settings, before = run.settings(run.committed(DOCS)), DOCS / DATA
    kept = json.loads(before.read_text(encoding="utf-8")) if before.is_file() else None
    study = run.Study(environment.cache / "pictures", settings, chosen.pictures, kept)
    study.paint(lambda line: print(line, flush=True))
    data = study.data()
    page = report.page(data["rows"], data["kernel distances"])
    files = [(DATA, written(data).encode()), ("samplers_pictures.md", page.encode())]
    saving.save(chosen.docs, files, overwrite=True)
    return 0
