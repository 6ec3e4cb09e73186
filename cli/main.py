"""The table of commands; each lives in a module of its own that is imported when it is asked for."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..lab.setup.environment import Environment, SetupError, ensure

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Command:
    """Where a command lives, what it needs set up ("nothing", "runtime" or "tests") and what it is for."""

    module: str
    needs: str
    summary: str


# Every module has main(arguments: list[str], environment: Environment | None) -> int.
COMMANDS = {
    "demo": Command("cli.demo", "runtime", "make a full-body picture of a cropped photo"),
    "run": Command("cli.run", "nothing", "run a workflow file on a ComfyUI server"),
    "test": Command("lab.commands.test", "tests", "run all tests; options are passed on to pytest"),
    "bench": Command("lab.evaluate.speed.nodes", "runtime", "measure the nodes, write docs/performance.md"),
    "quality": Command("lab.commands.quality", "runtime", "measure the main job and write docs/quality.md"),
    "figures": Command("lab.commands.figures", "runtime", "measure one of the small demo models"),
    "train-demo": Command("lab.commands.train_demo", "runtime", "train one of the small demo models"),
    "update-pins": Command("lab.setup.pins", "nothing", "move all pinned versions to the newest"),
}


def usage() -> str:
    """The list of commands, as printed for --help."""
    rows = [f"  {name:<12} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: python3 cli COMMAND [options]", "", *rows])


def run_inside(environment: Environment, arguments: list[str]) -> int | None:
    """Restart under the environment's Python; None when this process already is that Python."""
    if Path(sys.executable) == environment.python:
        return None
    command = [str(environment.python), str(ROOT / "cli"), *arguments]
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    command = COMMANDS.get(arguments[0])
    if command is None:
        print(f"There is no command {arguments[0]}.\n\n{usage()}", file=sys.stderr)
        return 2
    environment = None
    try:
        if command.needs != "nothing":
            environment = ensure(need_tests=command.needs == "tests")
            status = run_inside(environment, arguments)
            if status is not None:
                return status
        return importlib.import_module(f"recompose.{command.module}").main(arguments[1:], environment)
    except SetupError as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
