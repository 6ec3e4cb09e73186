"""`python3 cli train smartbrush`: a SmartBrush model from pictures with masks, with ComfyUI's Python."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import ending, train_whole

PATHS = ("checkpoint", "data", "pictures")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli train smartbrush",
        description="Teach a checkpoint of SD1 to paint a thing by words and by a mask of any precision, and "
        "to predict the thing's own mask (SmartBrush), with the Python that runs ComfyUI. The .txt files "
        "beside masks and pictures are captions. The same command goes on where it was stopped. Several "
        "GPUs: accelerate launch cli train smartbrush ...",
        epilog=train_whole.EPILOG,
    )
    start = "a text-to-image checkpoint of SD1, or a SmartBrush model to go on from"
    options.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help=start)
    data = "COCO's instances or panoptic .json, or a folder with pictures/ and masks/LABEL/"
    options.add_argument("--data", type=Path, required=True, metavar="FILE|DIR", help=data)
    options.add_argument("--pictures", type=Path, metavar="DIR", help="the pictures of a .json")
    train_whole.add_settings(options, 10000, "steps until the rate is reached", "squares of each thing")
    return options


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    given = parser().parse_args(arguments)
    return ending.status_of("train", lambda: work(given), "the same command goes on from the last saving")


def work(given: argparse.Namespace) -> None:
    """Check the options and train."""

    def train(options: argparse.Namespace) -> Path:
        from .training import smartbrush

        return smartbrush.train(options)

    train_whole.work(given, PATHS, train)
