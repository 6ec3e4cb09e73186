"""The small networks, and the nodes on them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

DEFAULTS = {"keep": 1.0, "mode": "replace", "source_rows": "0", "steps": "", "layers": ""}


@pytest.fixture
def mutual(comfy: ModuleType) -> Callable[..., Any]:
    """Mutual Attention on a MODEL; given may replace any input."""

    def patched(model: Any, **given: Any) -> Any:
        node = importlib.import_module("recompose.nodes.attention").MutualAttention
        return node.execute(**{"model": model, **DEFAULTS, **given}).args[0]

    return patched
