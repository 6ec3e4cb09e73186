"""Files of SmartBrush models: those to choose from, how they are read and written, what they begin as."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from ...core.smartbrush.precision import LEVELS, SIGMAS, THRESHOLD
from ...training.checkpoints import save_weights
from ..choices import BRUSHES
from ..inputs import shown
from ..models import folders, weights
from .network import CHANNELS

WHO = "Load SmartBrush"
UNET = "model.diffusion_model."
FIRST, LAST = f"{UNET}input_blocks.0.0.weight", f"{UNET}out.2.weight"
PRECISION = f"{UNET}precision_embedding.weight"
STORED = "recompose.smartbrush"  # metadata
VELOCITY, NOISE = "velocity", "noise"  # what a network predicts


def found(name: str | None) -> Path | None:
    """The file of that name in the first place that has it."""
    for root in folders.roots_and_output(BRUSHES):
        path = root / (name or "")
        # Of a name that no file can have, too long for one or with a zero, pathlib raises.
        with contextlib.suppress(OSError, ValueError):
            if path.resolve().is_relative_to(root.resolve()) and path.is_file():
                return path
    return None


def problem(name: str | None) -> str | None:
    """One sentence on why a file cannot be used, or None; a name that is not known yet has no problem."""
    if name is None or found(name):
        return None
    return (
        f"{WHO}: neither models/{BRUSHES} nor output/{BRUSHES} has {shown(name)}; put a file of Train "
        "SmartBrush there and choose it."
    )


def fingerprint(name: str | None) -> list[tuple[str, int, int]]:
    """Name, size and time of the file that a model is read from."""
    return folders.stamps([found(name)])


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights of a whole checkpoint and its metadata; ValueError, one sentence, for another."""
    if path.suffix != ".safetensors":
        raise ValueError(f"{WHO}: {path.name} is no .safetensors file; choose a file of Train SmartBrush.")
    raw = weights.read(path)
    check(raw, path.name)
    with safetensors.safe_open(path, framework="pt") as file:
        stated = (file.metadata() or {}).get(STORED, "{}")
    with contextlib.suppress(ValueError):
        held = json.loads(stated)
        return raw, held if isinstance(held, dict) else {}
    return raw, {}


def check(raw: Mapping[str, Tensor], name: str) -> None:
    """ValueError, one sentence that names the kind of file, unless it is a SmartBrush checkpoint."""
    if FIRST not in raw or LAST not in raw:
        raise ValueError(
            f"{WHO}: {name} has no UNet of Stable Diffusion 1; choose a file of Train SmartBrush."
        )
    channels = raw[FIRST].shape[1], raw[LAST].shape[0]
    if channels != (CHANNELS, CHANNELS) or PRECISION not in raw:
        raise ValueError(
            f"{WHO}: {name} has {channels[0]} input and {channels[1]} output channels, and a SmartBrush "
            f"model has {CHANNELS} of both and an embedding of precisions; choose a file of Train SmartBrush."
        )
    if raw[PRECISION].shape[0] != LEVELS:
        raise ValueError(
            f"{WHO}: {name} knows {raw[PRECISION].shape[0]} precisions, not {LEVELS}; train it anew."
        )


def extended(raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint of SD1 with the further channels and the embedding, all zero: what a training starts from.

    For a mask of ones it predicts what the checkpoint does.
    """
    first, last = raw[FIRST], raw[LAST]
    more = first.new_zeros(first.shape[0], CHANNELS - first.shape[1], *first.shape[2:])
    bias = LAST.replace("weight", "bias")
    rows = CHANNELS - last.shape[0]
    return {
        **raw,
        FIRST: torch.cat([first, more], 1),
        LAST: torch.cat([last, last.new_zeros(rows, *last.shape[1:])]),
        bias: torch.cat([raw[bias], raw[bias].new_zeros(rows)]),
        PRECISION: first.new_zeros(LEVELS, 4 * first.shape[0]),
    }


def write(path: Path, raw: Mapping[str, Tensor], prediction: str, steps: int) -> None:
    """Write a checkpoint with what it was trained on: the family of masks and the number of steps."""
    metadata = {"prediction": prediction, "steps": steps, "sigmas": SIGMAS, "threshold": THRESHOLD}
    save_weights(path, raw, {STORED: json.dumps(metadata)})
