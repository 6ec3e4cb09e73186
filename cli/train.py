"""`python3 cli train`: train outside of a server, with the Python and the folder of a ComfyUI."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import ending, here, train_exemplar, train_smartbrush
from .ending import Misuse
from .here import comfyui, make_importable
from .words import line

KINDS = ("concept",)
TRAINED = ("keys and values", "cross-attention", "embedding alone")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli train",
        description="Teach a checkpoint a thing of your own from a folder of pictures (Custom Diffusion), "
        "with the Python that runs ComfyUI, or on a server by --server. Captions are the .txt files beside "
        "the pictures. The same command goes on where it was stopped. Several GPUs: accelerate launch cli "
        "train concept ... Models that paint the object of a picture, or by words and shape: cli train "
        "exemplar --help, cli train smartbrush --help.",
        epilog="The exit status is 0 when all is done, 1 when the training or the server fails, 2 for a "
        "wrong option, and 130 after Ctrl-C.",
    )
    options.add_argument("kind", choices=KINDS, metavar="concept")
    add_files(options)
    add_settings(options)
    return options


def add_files(options: argparse.ArgumentParser) -> None:
    """What is read and written, and where the work is done."""
    checkpoint = "SD1, SD2 or SDXL; with --server its name there"
    options.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help=checkpoint)
    options.add_argument("--pictures", type=Path, required=True, metavar="DIR")
    names = "where the thing is, by the pictures' names"
    options.add_argument("--masks", type=Path, metavar="DIR", help=names)
    options.add_argument("--prior", type=Path, metavar="DIR", help="pictures of other things of the class")
    options.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    place = "ComfyUI's folder; else COMFYUI_PATH, else the one this lies in"
    options.add_argument("--comfyui", type=Path, metavar="DIR", help=place)
    server = "train on this ComfyUI server; user:password@host where one is asked for"
    options.add_argument("--server", metavar="URL", help=server)


def add_settings(options: argparse.ArgumentParser) -> None:
    """How it is trained."""
    default = "default: %(default)s"
    options.add_argument("--token", default="<new1>", metavar="WORD", help=default)
    options.add_argument("--class-word", default="", metavar="WORD", help="what the thing is: cat, chair")
    options.add_argument("--train", choices=TRAINED, default=TRAINED[0], metavar="PART", help=default)
    options.add_argument("--steps", type=int, default=250, metavar="N", help=default)
    options.add_argument("--learning-rate", type=float, default=4e-5, metavar="RATE", help=default)
    options.add_argument("--batch-size", type=int, default=2, metavar="N", help=default)
    options.add_argument("--accumulation", type=int, default=1, metavar="N", help="batches of a step")
    options.add_argument("--size", type=int, default=512, metavar="PX", help=default)
    options.add_argument("--no-augmentation", action="store_true", help="for faces")
    made = f"of the class, made by the model once; {default}"
    options.add_argument("--prior-pictures", type=int, default=50, metavar="N", help=made)
    options.add_argument("--save-every", type=int, default=100, metavar="STEPS", help=default)
    options.add_argument("--gradient-checkpointing", action="store_true", help="less memory, more time")
    options.add_argument("--seed", type=int, default=0, metavar="N")


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    others = {"exemplar": train_exemplar.main, "smartbrush": train_smartbrush.main}
    if arguments and arguments[0] in others:
        return others[arguments[0]](arguments[1:])
    given = parser().parse_args(arguments)
    return ending.status_of("train", lambda: work(given), "the same command goes on from the last saving")


def work(given: argparse.Namespace) -> None:
    """Check what can be checked without ComfyUI, and train here or on a server."""
    check(given)
    if given.server:
        from .training import posted

        print(line(posted.train(given)))
        return
    check_here(given)
    make_importable(comfyui(given.comfyui))
    from .training import concept

    print(line(concept.train(given)))


def check(given: argparse.Namespace) -> None:
    """Misuse for a wrong name of the concept's file and numbers out of range."""
    here.check_out(given.out)
    least = dict.fromkeys(("steps", "batch_size", "accumulation", "size", "save_every"), 1)
    here.check_least(given, least | {"prior_pictures": 0, "seed": 0})


def check_here(given: argparse.Namespace) -> None:
    """Misuse for libraries or a checkpoint that are missing here."""
    here.check_libraries()
    if not given.checkpoint.is_file():
        raise Misuse(f"Expected a checkpoint, got no file {line(given.checkpoint)}; give its path.")
