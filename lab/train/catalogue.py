"""Begin a training by its model's name."""

from __future__ import annotations

from typing import Any

from ..toy import table
from ..toy.models import parts
from .places import Places
from .task import Task


def task(name: str, config: dict[str, Any], places: Places) -> Task:
    """What is trained under a name; RuntimeError when the weights it builds on are missing or damaged."""
    model = table.MODELS[name]
    for needed in model.needs:
        parts.existing(places.weights, needed)
    places.cache.mkdir(parents=True, exist_ok=True)
    return table.function(model.trainer)(config, places)
