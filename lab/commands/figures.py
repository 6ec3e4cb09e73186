"""`figures NAME`: measure a small demo model or completed legs and keep the raw rows beside the code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..evaluate.models import catalogue
from ..places import DOCS, WEIGHTS
from ..setup.environment import Environment


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli figures",
        description="Measure a demo model, or completed legs, on pictures no training saw.",
    )
    names = catalogue.names()
    options.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    options.add_argument(
        "--weights", type=Path, default=WEIGHTS, metavar="DIR", help="instead of lab/weights"
    )
    options.add_argument("--out", type=Path, metavar="DIR", help="instead of lab/results/models and docs")
    options.add_argument("--threads", type=int, default=0, metavar="N", help="processor cores (default: all)")
    for name, what in (("number", "things of concepts"), ("steps", "steps of concepts' trainings")):
        options.add_argument(
            f"--{name}", type=int, metavar="N", help=f"a trial with N {what} at most; needs --out"
        )
    return options


def less(given: argparse.Namespace) -> dict[str, int]:
    """What is to be tried with less; ValueError where that would take the place of results."""
    found = {name: value for name in ("number", "steps") if (value := getattr(given, name)) is not None}
    if found and given.out is None:
        raise ValueError(f"Expected --out DIR with --{next(iter(found))}: a trial is no result; add it.")
    return found


def main(arguments: list[str], environment: Environment) -> int:
    """Measure, print the summary, write the rows."""
    given = parser().parse_args(arguments)
    from ..toy.models import host

    host.make_importable(environment.comfyui)
    import torch

    if given.threads:
        torch.set_num_threads(given.threads)
    try:
        figures = catalogue.measure(given.name, given.weights, **less(given))
        path = (given.out or catalogue.FOLDER) / f"{given.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue.write(figures, path)
        pages = catalogue.write_pages(given.name, figures, given.out or DOCS)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    for name, value in figures.summary.items():
        print(f"{name}: {value}")
    print(path, *pages, sep="\n")
    return 0
