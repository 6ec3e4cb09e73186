"""`python3 cli train exemplar`: an exemplar model from pictures of one's own, with ComfyUI's Python."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import ending, train_whole

PATHS = ("checkpoint", "vision", "boxes")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli train exemplar",
        description="Teach a checkpoint of SD1 to paint the object of a picture into a photo (Paint by "
        "Example), from a folder of pictures with objects, with the Python that runs ComfyUI. The same "
        "command goes on where it was stopped. Several GPUs: accelerate launch cli train exemplar ...",
        epilog=train_whole.EPILOG,
    )
    start = "a text-to-image checkpoint of SD1, or an exemplar model to go on from"
    options.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help=start)
    tower = "CLIP ViT-L/14 vision, where the checkpoint is no exemplar model"
    options.add_argument("--vision", type=Path, metavar="FILE", help=tower)
    options.add_argument("--pictures", type=Path, required=True, metavar="DIR")
    boxes = "COCO's instances .json, or a folder of YOLO's .txt files or of masks by the pictures' names"
    options.add_argument("--boxes", type=Path, required=True, metavar="FILE", help=boxes)
    train_whole.add_settings(
        options,
        2000,
        "steps until the rate is reached; published: 10000",
        "of each object: squares, masks and changed references",
    )
    return options


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    given = parser().parse_args(arguments)
    return ending.status_of("train", lambda: work(given), "the same command goes on from the last saving")


def work(given: argparse.Namespace) -> None:
    """Check the options and train."""

    def train(options: argparse.Namespace) -> Path:
        from .training import exemplar

        return exemplar.train(options)

    train_whole.work(given, PATHS, train)
