"""Where a training keeps things, and networks with the weights that are there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..toy import table
from ..toy.models import parts

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Places:
    """Where a training leaves weights, where it keeps pictures and latents, what it runs on, and the weights
    that it may imitate."""

    weights: Path
    cache: Path
    device: torch.device = CPU
    teacher: Path | None = None


def resume(network: nn.Module, places: Places, name: str) -> dict[str, Any]:
    """Fill a network from its part where there is one; the notes of that part, or none."""
    if not (places.weights / table.MODELS[name].file).is_file():
        return {}
    return parts.load(network, places.weights, name)


def frozen(network: nn.Module, places: Places, name: str) -> nn.Module:
    """A network with its part's weights that training leaves alone."""
    parts.load(network, places.weights, name)
    return network.to(places.device).requires_grad_(False).eval()
