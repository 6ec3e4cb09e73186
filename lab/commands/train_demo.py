"""`train-demo NAME`: train one of the demo networks further from its committed weights."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from ..setup.environment import Environment
from ..toy import table

LINE_SECONDS = 5.0


def setting(text: str) -> tuple[str, float | int | bool]:
    """NAME=VALUE as a name and a number or truth value."""
    name, _, value = text.partition("=")
    try:
        found = json.loads(value)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, int | float):
        raise argparse.ArgumentTypeError(
            f"expected NAME=VALUE with a number, true or false, got {text!r}; write for example batch=64"
        )
    return name, found


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli train-demo", description="Train a demo network; each needs those before it in the list."
    )
    options.add_argument("name", choices=table.MODELS, metavar="NAME", help=", ".join(table.MODELS))
    options.add_argument(
        "--minutes", type=float, metavar="M", help="stop after M minutes (default: as configured)"
    )
    options.add_argument(
        "--slice",
        type=float,
        metavar="M",
        help="pause after M minutes of this call; the same command goes on",
    )
    options.add_argument(
        "--weights", type=Path, metavar="DIR", help="read and write here instead of lab/weights"
    )
    options.add_argument(
        "--teacher",
        type=Path,
        metavar="DIR",
        help="unet: imitate the UNet, ControlNet and text encoder in DIR on the whole view",
    )
    options.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=VALUE",
        help="another value for a number or yes/no (true, false) of lab/train/configs/NAME.json",
    )
    options.add_argument("--threads", type=int, default=0, metavar="N", help="processor cores (default: all)")
    return options


def show(reports: Iterable, minutes: float) -> None:
    """Every few seconds and at the end: the step, the mean loss since the line before, the minutes gone."""
    losses: list[float] = []
    shown, report = time.monotonic(), None

    def print_line() -> None:
        mean, gone = sum(losses) / len(losses), report.seconds / 60
        print(f"step {report.step:>6}   loss {mean:.4f}   {gone:.1f} of {minutes:g} min", flush=True)
        losses.clear()

    for report in reports:
        losses.append(report.loss)
        if time.monotonic() - shown >= LINE_SECONDS or len(losses) == report.step == 1:
            print_line()
            shown = time.monotonic()
    if losses:
        print_line()


def main(arguments: list[str], environment: Environment) -> int:
    """Train, showing the loss; Ctrl-C keeps the weights saved last."""
    options = parser().parse_args(arguments)
    for given in (options.minutes, options.slice):
        if given is not None and given <= 0:
            print(f"train-demo: Expected minutes above 0, got {given:g}; give more.", file=sys.stderr)
            return 2
    from ..toy.models import host, parts

    host.make_importable(environment.comfyui)
    import torch

    from ...training.config import override
    from ..train import catalogue, task
    from ..train.places import Places

    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    places = Places(options.weights or parts.FOLDER, environment.cache / "training", device, options.teacher)
    try:
        config = override(task.configuration(options.name), dict(options.set))
    except ValueError as error:
        print(f"train-demo: {error}", file=sys.stderr)
        return 2
    minutes = config["minutes"] if options.minutes is None else options.minutes
    # A training in slices keeps its state beside what it draws; the same command finds it there.
    state = None if options.slice is None else places.cache / f"{options.name}.state"
    try:
        made = catalogue.task(options.name, config, places)
        show(task.train(made, config, places, minutes, state, options.slice), minutes)
    except (RuntimeError, ValueError) as error:
        print(f"train-demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train-demo: stopped; the weights saved last are kept.", file=sys.stderr)
        return 130
    return 0
