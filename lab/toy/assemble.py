"""Put the committed parts together into the files that ComfyUI's stock loaders and transformers read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from ..files import replacing
from . import table
from .models import parts
from .table import ToyModel

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
NOISY = 4  # input channels of the noisy latent; mask and rest of the picture follow


def joined(folder: Path, models: Sequence[ToyModel]) -> dict[str, Tensor]:
    """All weights of several models under their public keys."""
    return {key: value for model in models for key, value in parts.read(folder, model.name)[0].items()}


def narrowed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights without the UNet's channels of mask and picture, which words alone leave zero."""
    return weights | {FIRST: weights[FIRST][:, :NOISY].contiguous()}


def replace(path: Path, content: bytes) -> None:
    """Write a file that is never seen half-written; leave it alone when it already holds just that."""
    if path.is_file() and hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest():
        return
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)


def contents(folder: Path, place: str, models: Sequence[ToyModel]) -> dict[str, bytes]:
    """The files of one place below ComfyUI's models folder."""
    weights = joined(folder, models)
    writer = models[0].writer
    if writer:
        return {f"{place}/{name}": data for name, data in table.function(writer)(weights).items()}
    return {place: save(narrowed(weights) if place == table.TEXT_TO_IMAGE else weights)}


def assemble(parts_folder: Path, models: Path) -> dict[str, Path]:
    """Write the demo models below ComfyUI's models folder; returns file or folder by the place's own name.

    RuntimeError for a missing or damaged part; nothing is written then.
    """
    places = table.installed()
    found: dict[str, bytes] = {}
    for place, made_of in places.items():
        found |= contents(parts_folder, place, made_of)
    for name, content in found.items():
        replace(models / name, content)
    return {place: models / place for place in places}
