"""The options of `cli demo`."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli demo",
        description="Make the whole person from a cropped photo; see out/ afterwards.",
        epilog="The exit status is 0 when it is made and no pixel of the photo changed, 1 when nobody was "
        "found, nothing can or need be added or something failed, 2 for a wrong file or option, 130 after "
        "Ctrl-C.",
    )
    options.add_argument("--image", type=Path, metavar="FILE", help="your own photo")
    options.add_argument("--pose", type=Path, metavar="FILE", help="OpenPose JSON of the photo's person")
    options.add_argument(
        "--detector",
        metavar="NAME",
        help="what finds the pose if none is given: auto (default: BlazePose, which comes with the pack), "
        "BlazePose, DWPose, OpenPose or a file in models/keypoint_models",
    )
    options.add_argument("--checkpoint", metavar="NAME", help="checkpoint, as the server lists it")
    options.add_argument("--controlnet", metavar="NAME", help="OpenPose ControlNet, as the server lists it")
    options.add_argument("--caption-model", metavar="NAME", help="folder under models/blip")
    options.add_argument("--server", metavar="URL", help="a running ComfyUI with this pack and your models")
    options.add_argument(
        "--plan-only",
        action="store_true",
        help="write plan.png alone: the people found, what is guessed, the new canvas; starts no ComfyUI",
    )
    options.add_argument("--seed", type=int, default=1, metavar="N", help="default: %(default)s")
    options.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="default: %(default)s")
    return options
