"""`evaluate`: measure a folder of made pictures beside a folder of real ones."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...cli import ending, saving
from ...cli.words import plain
from ..evaluate.folders.options import parser
from ..setup.environment import Environment

OVERLAYS = ("torchmetrics",)
STOPPED = "what is measured is kept, run it again to go on"


def tell(sentence: str) -> None:
    """Say on standard error how far it is."""
    print(plain(f"evaluate: {sentence}"), file=sys.stderr, flush=True)


def work(given: argparse.Namespace) -> None:
    """Measure, print the table and write the files."""
    import torch

    from ..evaluate.folders import inputs, job, page, report

    if given.threads:
        torch.set_num_threads(given.threads)
    names = [name for each in given.metrics for name in each.split(",") if name and name != "all"]
    inputs_given = inputs.Given(
        given.real, given.made, given.masks, given.captions, given.poses, given.made_poses
    )
    what = job.wanted(names, inputs_given, given.unpaired)
    pairs = inputs.sets(inputs_given) if given.unpaired else inputs.pairs(inputs_given)
    folders = [given.weights, Path(torch.hub.get_dir()) / "checkpoints"]
    nets = job.networks(what, given.features, folders, given.clip, job.device_of(given.device))
    with saving.into(given.out):
        rows, figures = job.measured(pairs, what, nets, given.detector, given.out, tell)
    settings = job.settings(given, what, nets)
    if given.json:
        save(given.json, report.text(figures, rows, settings))
    if given.html:
        file = given.html if given.html.suffix.lower() in (".html", ".htm") else given.html / "index.html"
        save(file, page.page(figures, rows, settings, given.worst))
    print(report.table(figures))


def save(path: Path, text: str) -> None:
    """Write a file where the user wants it, and say so."""
    (written,) = saving.save(path.parent, [(path.name, text.encode())], overwrite=True)
    tell(f"wrote {written}")


def main(arguments: list[str], environment: Environment) -> int:
    """Measure everything; 2 for options or files that do not fit."""
    environment.reach_overlays()
    given = parser(environment.cache / "metrics").parse_args(arguments)
    return ending.status_of("evaluate", lambda: work(given), STOPPED)
