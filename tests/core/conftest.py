"""The library that schedulers and solvers are compared with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest


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
