"""`bench pictures`: hold the inpaint samplers against each other on pictures of the drawn world."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from . import saving
from .environment import Environment

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main(arguments: list[str], environment: Environment) -> int:
    """Paint what is not painted yet, measure, write docs/samplers_pictures.md; may be stopped at any time."""
    options = argparse.ArgumentParser(prog="cli bench pictures", description=main.__doc__)
    options.add_argument("--pictures", type=int, metavar="N", help="only the first N of each kind")
    options.add_argument("--docs", type=Path, default=DOCS, metavar="DIR", help="where the page goes")
    chosen = options.parse_args(arguments)
    from ..demo.models import host

    host.make_importable(environment.comfyui)
    from ..demo.study import report, run

    settings = run.settings(run.committed(DOCS))
    study = run.Study(environment.cache / "pictures" / run.version(), settings, chosen.pictures)
    study.paint(lambda line: print(line, flush=True))
    rows, distances = study.rows(), study.kernel_distances()
    data = json.dumps({"settings": settings, "kernel distances": distances, "rows": rows}) + "\n"
    page = report.page(rows, distances)
    files = [("samplers_pictures.json", data.encode()), ("samplers_pictures.md", page.encode())]
    saving.save(chosen.docs, files, overwrite=True)
    return 0
