"""The options of `cli evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .metrics import DETECTORS, FEATURES, METRICS

FOLDER: dict[str, Any] = {"type": Path, "metavar": "DIR"}
FILE: dict[str, Any] = {"type": Path, "metavar": "FILE"}


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text}")
    return int(text)


def parser(weights: Path) -> argparse.ArgumentParser:
    """The options of the command; `weights` is the folder where it looks for them by default."""
    options = argparse.ArgumentParser(
        prog="cli evaluate",
        description="Measure made pictures beside real ones of the same names. Prints a table; may be "
        "stopped at any time, a rerun goes on. No weights are downloaded.",
    )
    add = options.add_argument
    add("--real", required=True, **FOLDER, help="the real pictures")
    add("--made", required=True, **FOLDER, help="the made pictures, of the same names")
    add("--masks", **FOLDER, help="what was repainted (white, or transparent); pixels are compared outside")
    add(
        "--captions", **FILE, help="JSON from name to caption, JSON lines (file_name, text), or name tab text"
    )
    add("--poses", **FOLDER, help="OpenPose JSON of the poses that were wanted")
    add("--made-poses", **FOLDER, help="OpenPose JSON of the poses in the made pictures (default: detected)")
    add("--metrics", nargs="+", default=[], metavar="NAME",
        help=f"{', '.join(METRICS)} (default: all that what is given allows)")  # fmt: skip
    add("--unpaired", action="store_true", help="compare two whole sets, whatever their names: fid and kid")
    add_networks(options, weights)
    add("--threads", type=count, default=0, metavar="N", help="processor cores (default: all)")
    add("--json", **FILE, help="write the figures and every picture's values")
    add("--html", **FILE, help="write a page with the figures and the worst pictures (a folder: index.html)")
    add("--worst", type=count, default=6, metavar="N", help="pictures of each metric on it (default: 6)")
    add("--out", type=Path, default=Path("out/evaluate"), metavar="DIR",
        help="where values are kept for the next run (default: %(default)s)")  # fmt: skip
    return options


def add_networks(options: argparse.ArgumentParser, weights: Path) -> None:
    """The options of the networks that look at the pictures."""
    add = options.add_argument
    add("--features", default=FEATURES[0], choices=FEATURES,
        help="what sets are compared by; auto: Inception if there, else the evaluator")  # fmt: skip
    add("--weights", type=Path, default=weights, metavar="DIR",
        help="folder with the weights of Inception, AlexNet and CLIP (default: %(default)s)")  # fmt: skip
    add("--clip", **FOLDER, help="another CLIP model's folder, as transformers writes it")
    add("--detector", default=DETECTORS[0], choices=DETECTORS,
        help="what finds poses: BlazePose (default), or the drawn world's evaluator")  # fmt: skip
    add("--device", default="auto", metavar="NAME", help="cpu, cuda … (default: a graphics card if any)")
