"""The product's own commands; those of the lab are listed and started beside them."""

from __future__ import annotations

import importlib
import sys

from . import lab

# Each is a module here with main(arguments: list[str]) -> int.
COMMANDS = {
    "run": "run a workflow file on a ComfyUI server",
    "models": "list the model files a workflow chooses and whether a server has them, or bring BlazePose's",
    "demo": "make a full-body picture of a cropped photo",
    "train": "teach a checkpoint a thing of your own, or to paint by an example or by shape, from pictures",
}


def usage() -> str:
    """The list of commands, as printed for --help."""
    found = {**COMMANDS, **{name: text for name, text in lab.summaries().items() if name not in COMMANDS}}
    rows = [f"  {name:<14} {text}" for name, text in found.items()]
    return "\n".join(["usage: python3 cli COMMAND [options]", "", *rows])


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    name = arguments[0]
    if name in COMMANDS:
        return importlib.import_module(f".{name}", __package__).main(arguments[1:])
    if name in lab.NAMES or name in lab.summaries():
        return lab.start(arguments)
    print(f"There is no command {name}.\n\n{usage()}", file=sys.stderr)
    return 2
