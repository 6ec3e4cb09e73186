"""`python3 cli train exemplar`: an exemplar model from pictures of one's own, with ComfyUI's Python."""

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
        prog="cli train exemplar",
        description="Teach a checkpoint of SD1 to paint the object of a picture into a photo (Paint by "
        "Example), from a folder of pictures with objects, with the Python that runs ComfyUI. The same "
        "command goes on where it was stopped. Several GPUs: accelerate launch cli train exemplar ...",
        epilog="The exit status is 0 when all is done, 1 when the training fails, 2 for a wrong option, and "
        "130 after Ctrl-C.",
    )
    start = "a text-to-image checkpoint of SD1, or an exemplar model to go on from"
    options.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help=start)
    tower = "CLIP ViT-L/14 vision, where the checkpoint is no exemplar model"
    options.add_argument("--vision", type=Path, metavar="FILE", help=tower)
    options.add_argument("--pictures", type=Path, required=True, metavar="DIR")
    boxes = "COCO's instances .json, or a folder of YOLO's .txt files or of masks by the pictures' names"
    options.add_argument("--boxes", type=Path, required=True, metavar="FILE", help=boxes)
    options.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    place = "ComfyUI's folder; else COMFYUI_PATH, else the one this lies in"
    options.add_argument("--comfyui", type=Path, metavar="DIR", help=place)
    add_settings(options)
    return options


def add_settings(options: argparse.ArgumentParser) -> None:
    """How it is trained."""
    default = "default: %(default)s"
    options.add_argument("--steps", type=int, default=2000, metavar="N", help=default)
    options.add_argument("--learning-rate", type=float, default=1e-5, metavar="RATE", help=default)
    warmup = f"steps until the rate is reached; published: 10000; {default}"
    options.add_argument("--warmup", type=int, default=500, metavar="N", help=warmup)
    options.add_argument("--batch-size", type=int, default=4, metavar="N", help=default)
    options.add_argument("--accumulation", type=int, default=1, metavar="N", help="batches of a step")
    options.add_argument("--size", type=int, default=512, metavar="PX", help=default)
    views = f"of each object: squares, masks and changed references; {default}"
    options.add_argument("--views", type=int, default=16, metavar="N", help=views)
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
    for name in ("checkpoint", "vision", "boxes"):
        path = getattr(given, name)
        if path is not None and not path.exists():
            raise Misuse(f"Expected --{name}, got no file {line(path)}; give its path.")
    here.make_importable(here.comfyui(given.comfyui))
    from .training import exemplar

    print(line(exemplar.train(given)))
