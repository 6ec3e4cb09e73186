"""Settings of a training: read from JSON, checked, and changed by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Settings = dict[str, Any]


def load(path: Path) -> Settings:
    """The settings of a file; ValueError where it holds none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"Expected settings as JSON in {path} ({error}); check the file.") from error
    if not isinstance(found, dict):
        raise ValueError(f"Expected settings by name in {path}, got {kind(found)}; check it.")
    return found


def kind(value: object) -> str:
    """What may take a value's place."""
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else f"a {type(value).__name__}"


def override(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with other values; ValueError for an unknown name or a value of another kind."""
    for name, value in changes.items():
        if name not in settings:
            known = ", ".join(sorted(settings))
            raise ValueError(f"Expected one of the settings {known}, got {name}; choose one of them.")
        if kind(value) != kind(settings[name]):
            raise ValueError(
                f"Expected {kind(settings[name])} for {name}, got {value!r}; give it another value."
            )
    return {**settings, **changes}


def require(settings: Settings, **limits: float) -> None:
    """ValueError where a setting is missing, is no number or lies below its limit."""
    for name, limit in limits.items():
        value: Any = settings.get(name)
        if kind(value) != "a number" or value < limit:
            raise ValueError(f"Expected {name} of at least {limit:g}, got {value!r}; give it another value.")
