"""`figures NAME`: measure one of the small demo models and write its raw rows beside the measurement."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .environment import Environment


def main(arguments: list[str], environment: Environment) -> int:
    """Measure, print the summary, write the rows."""
    from ..demo.models import host, parts

    host.make_importable(environment.comfyui)
    import torch

    from ..demo.figures import catalogue

    options = argparse.ArgumentParser(
        prog="cli figures", description="Measure a small demo model on pictures no training saw."
    )
    names = ", ".join(catalogue.FIGURES)
    options.add_argument("name", choices=catalogue.FIGURES, metavar="NAME", help=names)
    options.add_argument(
        "--weights", type=Path, default=parts.FOLDER, metavar="DIR", help="instead of demo/weights"
    )
    options.add_argument(
        "--out", type=Path, default=catalogue.FOLDER, metavar="DIR", help="instead of demo/figures"
    )
    options.add_argument("--threads", type=int, default=0, metavar="N", help="processor cores (default: all)")
    given = options.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    try:
        figures = catalogue.FIGURES[given.name](given.weights)
        given.out.mkdir(parents=True, exist_ok=True)
        path = given.out / f"{given.name}.json"
        catalogue.write(figures, path)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    for name, value in figures.summary.items():
        print(f"{name}: {value}")
    print(path)
    return 0
