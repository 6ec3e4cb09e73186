"""The committed weights: one safetensors file per network, under the public format's keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ...files import replacing
from ...places import WEIGHTS
from .. import table
from . import eight_bits

FOLDER = WEIGHTS
# SD 1.x checkpoints lack CLIP's projection; BLIP's word table and bias are its output layer as well.
BLIP_HEAD = "text_decoder.cls.predictions."
LEFT_OUT = ("text_projection.weight", f"{BLIP_HEAD}decoder.weight", f"{BLIP_HEAD}decoder.bias")


def existing(folder: Path, name: str) -> Path:
    """The file of a model's weights; RuntimeError when it is missing."""
    path = folder / table.MODELS[name].file
    if not path.is_file():
        raise RuntimeError(
            f"The demo part {path} is missing; check out the whole repository or run train-demo {name}."
        )
    return path


def read(folder: Path, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """fp16 weights under their public keys, notes on their training; RuntimeError without a good file."""
    path = existing(folder, name)
    try:
        with safe_open(path, "pt") as file:
            held = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return eight_bits.restored(held), file.metadata() or {}
    except (SafetensorError, ValueError) as error:
        raise RuntimeError(f"The demo part {path} is damaged ({error}); check it out again.") from error


def write(folder: Path, name: str, weights: Mapping[str, Tensor], notes: Mapping[str, object]) -> Path:
    """Save a network's weights under their public keys, replacing the file only when it is whole.

    RuntimeError for weights that are not finite in fp16.
    """
    model = table.MODELS[name]
    own = {key: value.detach().cpu() for key, value in weights.items() if key not in LEFT_OUT}
    bad = [key for key, value in own.items() if not torch.isfinite(value.half()).all()]
    if bad:
        raise RuntimeError(
            f"Expected finite weights but {bad[0]} is not; lower the learning rate and train again."
        )
    held = eight_bits.stored({model.prefix + key: value for key, value in own.items()})
    path = folder / model.file
    with replacing(path) as unfinished:
        unfinished.write_bytes(in_order(save(held, {key: json.dumps(value) for key, value in notes.items()})))
        unfinished.chmod(0o644)
    return path


def in_order(content: bytes) -> bytes:
    """A safetensors file with its header sorted: safetensors puts the notes in another order every time.

    Results are kept under a hash of the files that they were made with.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def load(network: nn.Module, folder: Path, name: str) -> dict[str, Any]:
    """Fill a network from its part and return the notes; RuntimeError if the part is of another network."""
    weights, notes = read(folder, name)
    model = table.MODELS[name]
    own = {key.removeprefix(model.prefix): value.float() for key, value in weights.items()}
    expected = {key: value.shape for key, value in network.state_dict().items() if key not in LEFT_OUT}
    wrong = sorted(set(expected) ^ set(own))
    wrong += [key for key in expected if key in own and own[key].shape != expected[key]]
    if wrong:
        raise RuntimeError(
            f"The demo part {model.file} does not fit its network (at {wrong[0]}); check it out again."
        )
    network.load_state_dict(own, strict=False)
    return {key: json.loads(value) for key, value in notes.items()}
