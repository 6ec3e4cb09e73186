"""The library that measures sets of pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def torchmetrics() -> Iterator[Path]:
    """torchmetrics and torch-fidelity at hand, as in the commands."""
    overlay = os.environ.get("RECOMPOSE_OVERLAY_TORCHMETRICS")
    assert overlay, "RECOMPOSE_OVERLAY_TORCHMETRICS is not set; `python3 cli test` sets it."
    sys.path.append(overlay)
    yield Path(overlay)
    sys.path.remove(overlay)
