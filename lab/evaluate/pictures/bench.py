"""`bench pictures`: hold the inpaint samplers against each other on pictures of the drawn world."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ....cli import saving
from ...places import DOCS, RESULTS
from ...setup.environment import Environment

DATA = "samplers_pictures.json"


def written(data: dict[str, Any]) -> str:
    """The data as JSON with a line for each picture's row."""
    rows = ",\n ".join(json.dumps(row) for row in data["rows"])
    head = json.dumps({name: value for name, value in data.items() if name != "rows"})
    return f'{head[:-1]},\n"rows": [\n {rows}\n]}}\n'


def stamp(different: list[str], kept: dict[str, Any], study: Any, path: Path) -> int:
    """Write the versions of now beside the committed rows, unless some came out differently."""
    if different:
        print(*different, sep="\n", file=sys.stderr)
        print(f"{len(different)} rows came out differently; nothing was written.", file=sys.stderr)
        return 1
    data = kept | {"versions": study.versions, "measured by": study.judged_by}
    saving.save(path.parent, [(path.name, written(data).encode())], overwrite=True)
    return 0


def main(arguments: list[str], environment: Environment) -> int:
    """Paint what is not painted yet, measure, write docs/samplers_pictures.md; may be stopped at any time.

    Rows that are committed and would come out the same are kept.
    """
    options = argparse.ArgumentParser(prog="cli bench pictures", description=main.__doc__)
    options.add_argument("--pictures", type=int, metavar="N", help="only the first N of each kind")
    options.add_argument("--docs", type=Path, default=DOCS, metavar="DIR", help="where the page goes")
    options.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the rows go")
    options.add_argument(
        "--again",
        type=float,
        metavar="SHARE",
        help="paint a random SHARE (0…1) of the committed pictures again; where all come out the same, "
        "the rest counts as made by this code as well",
    )
    chosen = options.parse_args(arguments)
    from ...toy.models import host

    host.make_importable(environment.comfyui)
    from .. import set_distances
    from . import again, report, run

    settings, before = run.settings(run.committed()), RESULTS / DATA
    kept = json.loads(before.read_text(encoding="utf-8")) if before.is_file() else None
    study = run.Study(environment.cache / "pictures", settings, chosen.pictures, kept)
    if chosen.again and kept:
        return stamp(again.again(study, kept, chosen.again), kept, study, before)
    if lacking := set_distances.lacking("the kernel distance"):
        print(f"bench pictures: {lacking}", file=sys.stderr)
        return 1
    study.paint(lambda line: print(line, flush=True))
    data = study.data()
    page = report.page(data["rows"], data["kernel distances"])
    saving.save(chosen.results, [(DATA, written(data).encode())], overwrite=True)
    saving.save(chosen.docs, [("samplers_pictures.md", page.encode())], overwrite=True)
    return 0
