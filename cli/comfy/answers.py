"""Reads JSON whose writer may be anybody: what has another shape than expected counts as missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

DEEPEST = 100  # levels of lists and objects; what handles them nests Python's calls several times as deep


def parse(text: str | bytes, constant: Callable[[str], Any] | None = None) -> Any:
    """The value of a JSON text; ValueError where it is none or nested too deeply."""
    try:
        value = json.loads(text, parse_constant=constant)
    except RecursionError:
        value, levels = None, DEEPEST + 1
    else:
        levels = _levels(value)
    if levels > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    return value


def _levels(value: Any) -> int:
    """How deeply the value nests, counted up to one more than is allowed."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        nested = [each for each in level if isinstance(each, dict | list)]
        level = [inner for each in nested for inner in (each.values() if isinstance(each, dict) else each)]
        depth += bool(nested)
    return depth


def record(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object, other: str = "") -> str:
    """The value if it is a text, else `other`."""
    return value if isinstance(value, str) else other


def dumps(value: object) -> bytes:
    """The JSON text of a value, as a server is sent it."""
    return json.dumps(value).encode()
