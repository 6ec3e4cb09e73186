"""The commands of the folder lab: listed without importing them, started as a program of their own."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the lab offers, for an installation that came without it.
NAMES = (
    "bench",
    "completion",
    "demo",
    "demo-models",
    "evaluate",
    "figures",
    "help-pictures",
    "quality",
    "test",
    "train-demo",
    "update-pins",
)


def summaries(folder: Path = ROOT / "lab" / "commands") -> dict[str, str]:
    """What each command of the lab is for, by name; empty without the lab."""
    found = {}
    for path in sorted(folder.glob("[a-z]*.py")):
        first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        found[path.stem.replace("_", "-")] = first.partition(": ")[2].rstrip(".")
    return found


def is_there(root: Path = ROOT) -> bool:
    """Whether this installation has the lab."""
    return (root / "lab" / "__main__.py").is_file()


def start(arguments: list[str], root: Path = ROOT) -> int:
    """Run a command of the lab and return its exit status."""
    if not is_there(root):
        print(
            f"cli {arguments[0]} needs the folder lab, which this installation came without; "
            "clone the repository to run it.",
            file=sys.stderr,
        )
        return 2
    command = [sys.executable, str(root / "lab"), *arguments]
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command)
    # Ctrl-C waits for the next Python to be ready: it would end it with a traceback before.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.execv(command[0], command)
