"""`python3 cli train concept`: train outside of a server, with the Python and the folder of a ComfyUI."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from . import ending
from .ending import Misuse
from .words import line

LIBRARIES = {"torch": "torch", "safetensors": "safetensors", "Pillow": "PIL"}  # by the names that import them
KINDS = ("concept",)
TRAINED = ("keys and values", "cross-attention", "embedding alone")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli train",
        description="Teach a checkpoint a thing of your own from a folder of pictures (Custom Diffusion), "
        "with the Python that runs ComfyUI. Captions are the .txt files beside the pictures. The same "
        "command goes on where it was stopped. Several GPUs: accelerate launch cli train concept ...",
        epilog="The exit status is 0 when all is done, 1 when the training fails, 2 for a wrong option, "
        "and 130 after Ctrl-C.",
    )
    options.add_argument("kind", choices=KINDS, metavar="concept")
    options.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="SD1, SD2 or SDXL")
    options.add_argument("--pictures", type=Path, required=True, metavar="DIR")
    options.add_argument(
        "--masks", type=Path, metavar="DIR", help="where the thing is, by the pictures' names"
    )
    options.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    options.add_argument("--token", default="<new1>", metavar="WORD", help="default: %(default)s")
    options.add_argument("--class-word", default="", metavar="WORD", help="what the thing is: cat, chair")
    options.add_argument(
        "--train", choices=TRAINED, default=TRAINED[0], metavar="PART", help="default: %(default)s"
    )
    options.add_argument("--steps", type=int, default=250, metavar="N", help="default: %(default)s")
    options.add_argument(
        "--learning-rate", type=float, default=4e-5, metavar="RATE", help="default: %(default)s"
    )
    options.add_argument("--batch-size", type=int, default=2, metavar="N", help="default: %(default)s")
    options.add_argument("--accumulation", type=int, default=1, metavar="N", help="batches of a step")
    options.add_argument("--size", type=int, default=512, metavar="PX", help="default: %(default)s")
    options.add_argument("--no-augmentation", action="store_true", help="for faces")
    options.add_argument("--prior", type=Path, metavar="DIR", help="pictures of other things of the class")
    options.add_argument(
        "--prior-pictures",
        type=int,
        default=50,
        metavar="N",
        help="made by the model once; default: %(default)s",
    )
    options.add_argument("--save-every", type=int, default=100, metavar="STEPS", help="default: %(default)s")
    options.add_argument("--gradient-checkpointing", action="store_true", help="less memory, more time")
    options.add_argument("--seed", type=int, default=0, metavar="N")
    options.add_argument(
        "--comfyui",
        type=Path,
        metavar="DIR",
        help="ComfyUI's folder; else COMFYUI_PATH, else the one this lies in",
    )
    return options


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    given = parser().parse_args(arguments)
    return ending.status_of("train", lambda: work(given), "the same command goes on from the last saving")


def work(given: argparse.Namespace) -> None:
    """Check what can be checked without ComfyUI, and train."""
    check(given)
    make_importable(comfyui(given.comfyui))
    from .training import concept

    print(line(concept.train(given)))


def check(given: argparse.Namespace) -> None:
    """Misuse for missing files, libraries and numbers out of range."""
    missing = [name for name, module in LIBRARIES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise Misuse(
            f"Expected the libraries {', '.join(LIBRARIES)} beside this Python, "
            f"got no {', no '.join(missing)}; start this with the Python that runs ComfyUI."
        )
    if not given.checkpoint.is_file():
        raise Misuse(f"Expected a checkpoint, got no file {line(given.checkpoint)}; give its path.")
    if given.out.suffix != ".safetensors":
        raise Misuse(f"Expected a name that ends in .safetensors, got {line(given.out)}; give --out another.")
    for name in ("steps", "batch_size", "accumulation", "size", "save_every"):
        if getattr(given, name) < 1:
            raise Misuse(
                f"Expected --{name.replace('_', '-')} of at least 1, got {getattr(given, name)}; raise it."
            )
    if not given.learning_rate > 0:
        raise Misuse(f"Expected a learning rate above 0, got {given.learning_rate}; raise it.")


def comfyui(given: Path | None) -> Path:
    """ComfyUI's folder; Misuse where it is unknown."""
    around = Path(__file__).resolve().parents[3]  # custom_nodes/<this pack>/cli/train.py
    named = os.environ.get("COMFYUI_PATH")
    folder = given or (Path(named) if named else around)
    if not (folder / "comfy" / "sd.py").is_file():
        raise Misuse(
            f"Expected ComfyUI in {line(folder)}, got no comfy/sd.py there; give its folder by --comfyui."
        )
    return folder.resolve()


def make_importable(folder: Path) -> None:
    """Let ComfyUI's modules be imported; they read the command's options as they are."""
    sys.path.insert(0, str(folder))
    sys.argv = sys.argv[:1]
    import comfy.options  # type: ignore[import-not-found]

    comfy.options.enable_args_parsing(False)
    import torch

    if not torch.cuda.is_available():
        from comfy.cli_args import args  # type: ignore[import-not-found]

        args.cpu = not torch.backends.mps.is_available()
