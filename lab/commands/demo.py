"""`demo`: make a full-body picture of a cropped photo, on a private ComfyUI with small models of our own."""

from __future__ import annotations

import argparse
import sys
import time

from ...cli import demo, planning, saving
from ..setup import models
from ..setup.environment import Environment
from ..setup.server import PrivateServer, demo_packs
from ..toy import prompt

NEEDS = "server"
CARTOON = (
    "The demo's small models know drawings alone, so the legs will be a cartoon's; "
    "{} shows what models of yours would be given."
)


def make(options: argparse.Namespace, environment: Environment) -> dict:
    """Run the main job, save its files and return the report; every failure raises with a sentence."""
    begin = time.monotonic()
    image, pose = demo.check_files(options)
    composed = prompt.compose(options, pose)
    if options.image and not options.detector:
        plan, _ = planning.save(image, pose, options.out)
        print(CARTOON.format(plan), file=sys.stderr)
    with saving.into(options.out):
        try:
            folder = models.assembled(environment.cache)
        except RuntimeError as error:
            raise demo.DemoError(str(error)) from error
        print("Starting a private ComfyUI ...", file=sys.stderr)
        with PrivateServer(
            environment.python, environment.comfyui, environment.cache, demo_packs(), folder
        ) as server:
            return demo.finish(server, composed, options, image, begin)


def main(arguments: list[str], environment: Environment) -> int:
    """Run the command and return its exit status: 0 only when not one pixel of the photo changed."""
    options = demo.parser().parse_args(arguments)
    if options.plan_only:
        return planning.here(lambda: demo.check_files(options), options.out)
    return demo.status_of(lambda: make(options, environment), "the server it started is stopped")
