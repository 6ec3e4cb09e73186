"""What the commands share that train a whole model in this process."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from . import here
from .ending import Misuse
from .words import line

EPILOG = (
    "The exit status is 0 when all is done, 1 when the training fails, 2 for a wrong option, and 130 after "
    "Ctrl-C."
)
LEAST = ("steps", "warmup", "batch_size", "accumulation", "size", "views", "save_every")


def add_settings(options: argparse.ArgumentParser, steps: int, warmup: str, views: str) -> None:
    """How it is trained; the texts for warm-up and views differ."""
    default = "default: %(default)s"
    place = "ComfyUI's folder; else COMFYUI_PATH, else the one this lies in"
    options.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    options.add_argument("--comfyui", type=Path, metavar="DIR", help=place)
    options.add_argument("--steps", type=int, default=steps, metavar="N", help=default)
    options.add_argument("--learning-rate", type=float, default=1e-5, metavar="RATE", help=default)
    options.add_argument("--warmup", type=int, default=500, metavar="N", help=f"{warmup}; {default}")
    options.add_argument("--batch-size", type=int, default=4, metavar="N", help=default)
    options.add_argument("--accumulation", type=int, default=1, metavar="N", help="batches of a step")
    options.add_argument("--size", type=int, default=512, metavar="PX", help=default)
    options.add_argument("--views", type=int, default=16, metavar="N", help=f"{views}; {default}")
    options.add_argument("--save-every", type=int, default=500, metavar="STEPS", help=default)
    options.add_argument("--gradient-checkpointing", action="store_true", help="less memory, more time")
    options.add_argument("--seed", type=int, default=0, metavar="N")


def work(
    given: argparse.Namespace, paths: Sequence[str], train: Callable[[argparse.Namespace], Path]
) -> None:
    """Check what can be checked without ComfyUI, the paths of some options among it, and train."""
    here.check_out(given.out)
    here.check_least(given, dict.fromkeys(LEAST, 1) | {"seed": 0})
    here.check_libraries()
    for name in paths:
        path = getattr(given, name)
        if path is not None and not path.exists():
            raise Misuse(f"Expected --{name}, got no file {line(path)}; give its path.")
    here.make_importable(here.comfyui(given.comfyui))
    print(line(train(given)))
