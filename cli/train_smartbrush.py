"""`python3 cli train smartbrush`: a SmartBrush model from pictures with masks, with ComfyUI's Python."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import ending, here
from .ending import Misuse
from .words import line

LEAST = ("steps", "warmup", "batch_size", "accumulation", "size", "views", "save_every")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli train smartbrush",
        description="Teach a checkpoint of SD1 to paint a thing by words and by a mask of any precision, and "
        "to predict the thing's own mask (SmartBrush), with the Python that runs ComfyUI. The .txt files "
        "beside masks and pictures are captions. The same command goes on where it was stopped. Several "
        "GPUs: accelerate launch cli train smartbrush ...",
        epilog="The exit status is 0 when all is done, 1 when the training fails, 2 for a wrong option, and "
        "130 after Ctrl-C.",
    )
    start = "a text-to-image checkpoint of SD1, or a SmartBrush model to go on from"
    options.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help=start)
    data = "COCO's instances or panoptic .json, or a folder with pictures/ and masks/LABEL/"
    options.add_argument("--data", type=Path, required=True, metavar="FILE|DIR", help=data)
    options.add_argument("--pictures", type=Path, metavar="DIR", help="the pictures of a .json")
    options.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    place = "ComfyUI's folder; else COMFYUI_PATH, else the one this lies in"
    options.add_argument("--comfyui", type=Path, metavar="DIR", help=place)
    add_settings(options)
    return options


def add_settings(options: argparse.ArgumentParser) -> None:
    """How it is trained."""
    default = "default: %(default)s"
    options.add_argument("--steps", type=int, default=10000, metavar="N", help=default)
    options.add_argument("--learning-rate", type=float, default=1e-5, metavar="RATE", help=default)
    reached = f"steps until the rate is reached; {default}"
    options.add_argument("--warmup", type=int, default=500, metavar="N", help=reached)
    options.add_argument("--batch-size", type=int, default=4, metavar="N", help=default)
    options.add_argument("--accumulation", type=int, default=1, metavar="N", help="batches of a step")
    options.add_argument("--size", type=int, default=512, metavar="PX", help=default)
    options.add_argument(
        "--views", type=int, default=16, metavar="N", help=f"squares of each thing; {default}"
    )
    options.add_argument("--save-every", type=int, default=500, metavar="STEPS", help=default)
    options.add_argument("--gradient-checkpointing", action="store_true", help="less memory, more time")
    options.add_argument("--seed", type=int, default=0, metavar="N")


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    given = parser().parse_args(arguments)
    return ending.status_of("train", lambda: work(given), "the same command goes on from the last saving")


def work(given: argparse.Namespace) -> None:
    """Check what can be checked without ComfyUI, and train."""
    here.check_out(given.out)
    here.check_least(given, dict.fromkeys(LEAST, 1) | {"seed": 0})
    here.check_libraries()
    for name in ("checkpoint", "data", "pictures"):
        path = getattr(given, name)
        if path is not None and not path.exists():
            raise Misuse(f"Expected --{name}, got no file {line(path)}; give its path.")
    here.make_importable(here.comfyui(given.comfyui))
    from .training import smartbrush

    print(line(smartbrush.train(given)))
