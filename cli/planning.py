"""Starts the plan of a photo (plan/) under a Python that has its libraries."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

from . import ending, lab
from .words import line

LIBRARIES = {"torch": "torch", "numpy": "numpy", "Pillow": "PIL"}  # by the names that import them


def here(files: Callable[[], tuple[Path, str | None]], out: Path, arguments: list[str] | None = None) -> int:
    """Plan with this Python and return the exit status, or give the command to the lab's Python.

    `files` gives the photo and its pose's text, None if that is to be found. The lab's Python is asked where
    this one lacks a library and the demo's `arguments` are given.
    """
    missing = [name for name, module in LIBRARIES.items() if importlib.util.find_spec(module) is None]
    if missing and arguments is not None and lab.is_there():
        return lab.start(["demo", *arguments])
    if missing:
        ending.tell(
            "demo",
            f"Expected the libraries {', '.join(LIBRARIES)} beside this Python, "
            f"got no {', no '.join(missing)}; start this with the Python that runs ComfyUI.",
        )
        return ending.MISUSED

    def work() -> None:
        path, words = save(*files(), out)
        print(line(path))
        print("\n".join(map(line, words)))

    return ending.status_of("demo", work)


def save(image: Path, pose: str | None, out: Path) -> tuple[Path, list[str]]:
    """Write plan.png and return where it is and what it shows; Failure where nothing can or need be added."""
    # On a busy machine threads that spin while they wait keep those from the cores that compute.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from .plan import command

    return command.save(image, pose, out)
