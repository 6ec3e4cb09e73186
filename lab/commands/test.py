"""`test`: pytest inside the environment, with the tools and the libraries to compare with at hand."""

from __future__ import annotations

import os
import sys

from ..places import ROOT
from ..setup.environment import Environment


def variables(environment: Environment) -> dict[str, str]:
    """What the tests find in their environment variables."""
    found = {
        "COMFYUI_PATH": environment.comfyui,
        "RECOMPOSE_CACHE": environment.cache,
        "RECOMPOSE_TOOLS": environment.tools,
        "RECOMPOSE_NODE": environment.node,
        "RECOMPOSE_NODE_PACKAGES": environment.node_packages,
    }
    found |= {f"RECOMPOSE_OVERLAY_{name.upper()}": path for name, path in environment.overlays.items()}
    # Two runs on one machine must not spin against each other: a waiting OpenMP thread sleeps.
    fixed = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return {name: str(value) for name, value in found.items()} | fixed


def main(arguments: list[str], environment: Environment) -> int:
    """Run the tests and return pytest's exit status; its closing line is the last that is printed."""
    os.environ.update(variables(environment))
    sys.dont_write_bytecode = True
    # Last on the path: where ComfyUI brings a library itself, its version is the one that is tested.
    sys.path.append(str(environment.tools))
    import pytest

    os.chdir(ROOT)
    return int(pytest.main(["-p", "no:cacheprovider", *arguments]))
