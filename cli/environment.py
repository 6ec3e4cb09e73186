"""Where the commands run: a Python, a ComfyUI and a cache folder, set up on first use."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path


class SetupError(RuntimeError):
    """Something the set-up needs is missing; the text is one sentence for the user."""


@dataclass(frozen=True)
class Environment:
    """What a command may use; the paths are absolute."""

    python: Path  # the interpreter that has torch and ComfyUI's requirements
    comfyui: Path  # the folder with ComfyUI's main.py
    cache: Path  # this project's folder outside the checkout; commands may make their own folders in it
    tools: Path | None = None  # import path of pytest, ruff and Node; only for `test`
    overlays: dict[str, Path] = field(default_factory=dict)  # import paths of other library versions for tests
    node: Path | None = None  # the node executable; only for `test`
    pyright: Path | None = None  # pyright's index.js; only for `test`


def cache_folder() -> Path:
    """The folder outside the checkout: $RECOMPOSE_CACHE or ~/.cache/recompose."""
    return Path(os.environ.get("RECOMPOSE_CACHE") or "~/.cache/recompose").expanduser().absolute()


def ensure(need_tests: bool = False) -> Environment:
    """Set up what is missing and return it; SetupError says in one sentence what stands in the way."""
    raise SetupError("The set-up is being written.")
