"""`bench samplers`: hold the inpaint samplers against each other on worlds with known answers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ....cli import saving
from ...places import DOCS, RESULTS
from ...setup.environment import Environment

DATA = "samplers.json"


def main(arguments: list[str], environment: Environment) -> int:
    """Choose all settings (going on where a broken-off run stopped), measure, and write docs/samplers.md."""
    options = argparse.ArgumentParser(prog="cli bench samplers", description=main.__doc__)
    options.add_argument("--docs", type=Path, default=DOCS, metavar="DIR", help="where the page goes")
    options.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the rows go")
    options.add_argument(
        "--calls", type=int, nargs="+", metavar="N", help="only these budgets, printed and not written"
    )
    options.add_argument(
        "--only", metavar="METHOD", help="measure this one anew and take the others' committed rows"
    )
    options.add_argument(
        "--keep-settings", action="store_true", help="choose settings only where the committed rows have none"
    )
    chosen = options.parse_args(arguments)
    import torch

    from . import choice, report, run, sweep

    if chosen.only not in (None, *sweep.GRIDS):
        options.error(f"Expected one of {', '.join(sweep.GRIDS)} as --only, got {chosen.only}.")
    committed = json.loads((RESULTS / DATA).read_text())
    kept = {(row["method"], row["calls"]): row["settings"] for row in committed if chosen.keep_settings}
    torch.set_num_threads(1)  # the matrices are small
    scores = choice.Scores(environment.cache / "samplers" / f"scores-{choice.version()}.jsonl")
    settings, rows = dict[str, sweep.Settings](), []
    for calls in chosen.calls or sweep.BUDGETS:
        for name in sweep.GRIDS:
            if chosen.only not in (None, name):
                rows += [row for row in committed if (row["method"], row["calls"]) == (name, calls)]
                continue
            near = settings.get(name) if choice.goes_on(name, calls) else None
            settings[name] = kept.get((name, calls)) or choice.best(name, calls, scores, near)
            rows.append(run.measured(name, settings[name], calls))
            kl = " ".join(report.numbers(rows[-1]["eps"]["kl"]))
            print(f"{calls:>4} {name:<33} {kl}   {report.told(settings[name])}", flush=True)
    if not chosen.calls:
        saving.save(chosen.results, [(DATA, (json.dumps(rows, indent=1) + "\n").encode())], overwrite=True)
        report.write(rows, chosen.docs)
    return 0
