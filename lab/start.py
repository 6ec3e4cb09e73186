"""Set up what a command needs, restart under that Python, and run the command."""

from __future__ import annotations

import ast
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from .places import LAB
from .setup.environment import Environment, SetupError, ensure
from .setup.server import refusal


def constant(path: Path, name: str) -> Any:
    """A constant of a command's module, None where it has none.

    Read without importing the module, whose imports may need what is not set up yet.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    return None


def needs(path: Path) -> str:
    """What a command's module says it needs, NEEDS: "nothing", "runtime" (the default), "server" or "tests".

    "server" is the runtime where a private ComfyUI can be started. The overlays that a command needs beside
    the runtime are in its OVERLAYS.
    """
    return constant(path, "NEEDS") or "runtime"


def run_inside(environment: Environment, arguments: list[str]) -> int | None:
    """Restart under the environment's Python; None when this process already is that Python."""
    if Path(sys.executable) == environment.python:
        return None
    command = [str(environment.python), str(LAB), *arguments]
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command)
    # Ctrl-C waits for the next Python to be ready: it would end it with a traceback before.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.execv(command[0], command)


def run(arguments: list[str]) -> int:
    """Run lab/commands/NAME.py's main(arguments, environment) and return its exit status."""
    module = arguments[0].replace("-", "_") if arguments else ""
    path = LAB / "commands" / f"{module}.py"
    if not module.isidentifier() or not path.is_file():
        print(f"The lab has no command {arguments[:1]}; see python3 cli --help.", file=sys.stderr)
        return 2
    environment, needed = None, needs(path)
    if needed == "server" and (refused := refusal()):
        print(f"{arguments[0]}: {refused}", file=sys.stderr)
        return 1
    try:
        if needed != "nothing":
            environment = ensure(needed == "tests", tuple(constant(path, "OVERLAYS") or ()))
            status = run_inside(environment, arguments)
            if status is not None:
                return status
        return importlib.import_module(f".commands.{module}", __package__).main(arguments[1:], environment)
    except SetupError as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
