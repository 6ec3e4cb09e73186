"""Makes the checkout importable as `recompose` without running the pack's entry point."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

if "recompose" not in sys.modules:
    alias = ModuleType("recompose")
    alias.__path__ = [str(ROOT)]
    sys.modules["recompose"] = alias


# Whoever started the tests in the background made them deaf to these; the programs they start must not be.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def comfy() -> ModuleType:
    """ComfyUI imported into the test process on the CPU; the folder comes from COMFYUI_PATH."""
    path = os.environ.get("COMFYUI_PATH")
    assert path, "COMFYUI_PATH must name the ComfyUI folder; `python3 cli test` sets it."
    if path not in sys.path:
        sys.path.insert(0, path)
    arguments, sys.argv = sys.argv, sys.argv[:1]
    try:
        import comfy.options

        comfy.options.enable_args_parsing(False)
        from comfy.cli_args import args

        args.cpu = True
        return importlib.import_module("comfy.model_management") and sys.modules["comfy"]
    finally:
        sys.argv = arguments


@pytest.fixture(scope="module")
def diffusers() -> Iterator[ModuleType]:
    """diffusers, found only while a module's tests run."""
    overlay = os.environ.get("RECOMPOSE_OVERLAY_DIFFUSERS")
    assert overlay, "RECOMPOSE_OVERLAY_DIFFUSERS is not set; `python3 cli test` sets it."
    before = set(sys.modules)
    sys.path.append(overlay)
    import diffusers

    yield diffusers
    sys.path.remove(overlay)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "diffusers":
            del sys.modules[name]


@pytest.fixture(scope="session")
def ask() -> Callable[[str, list[dict]], list[Any]]:
    """Asks the JavaScript one kind of question many times in one process."""
    node = os.environ.get("RECOMPOSE_NODE")
    assert node and Path(node).exists(), "Node is missing; `python3 cli test` brings it."

    def answers(kind: str, questions: list[dict]) -> list[Any]:
        lines = "".join(json.dumps({"ask": kind, **question}) + "\n" for question in questions)
        command = [node, "--no-warnings", str(ROOT / "tests" / "js" / "parity.mjs")]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(found) == len(questions)
        return found

    return answers
