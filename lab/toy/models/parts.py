"""The committed weights: one fp16 safetensors file per network, under the keys of the public format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ...places import WEIGHTS

UNET = "model.diffusion_model."
TEXT = "cond_stage_model.transformer."
VAE = "first_stage_model."
FOLDER = WEIGHTS


@dataclass(frozen=True)
class Part:
    """A file of weights and what its keys begin with."""

    file: str
    prefix: str = ""


PARTS = {
    "vae": Part("vae.safetensors", VAE),
    "text": Part("text.safetensors", TEXT),
    "unet": Part("unet.safetensors", UNET),
    "openpose": Part("openpose.safetensors"),
    "captioner": Part("captioner.safetensors"),
    "judge": Part("judge.safetensors"),
    "detector": Part("detector.safetensors"),
}
# SD 1.x checkpoints lack CLIP's projection; BLIP's word table and bias are its output layer as well.
BLIP_HEAD = "text_decoder.cls.predictions."
LEFT_OUT = ("text_projection.weight", f"{BLIP_HEAD}decoder.weight", f"{BLIP_HEAD}decoder.bias")


def read(folder: Path, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights under their public keys and the notes on their training; RuntimeError without a good file."""
    path = folder / PARTS[name].file
    if not path.is_file():
        raise RuntimeError(
            f"The demo part {path} is missing; check out the whole repository or run train-demo {name}."
        )
    try:
        with safe_open(path, "pt") as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return weights, file.metadata() or {}
    except SafetensorError as error:
        raise RuntimeError(f"The demo part {path} is damaged ({error}); check it out again.") from error


def write(folder: Path, name: str, weights: Mapping[str, Tensor], notes: Mapping[str, object]) -> Path:
    """Save a network's weights as fp16 under their public keys, replacing the file only when it is whole."""
    part = PARTS[name]
    folder.mkdir(parents=True, exist_ok=True)
    path, unfinished = folder / part.file, folder / f"{part.file}.unfinished"
    public = {
        part.prefix + key: value.detach().half().contiguous().cpu()
        for key, value in weights.items()
        if key not in LEFT_OUT
    }
    bad = [key.removeprefix(part.prefix) for key, value in public.items() if not torch.isfinite(value).all()]
    if bad:
        raise RuntimeError(
            f"Expected finite weights but {bad[0]} is not; lower the learning rate and train again."
        )
    save_file(public, unfinished, {key: json.dumps(value) for key, value in sorted(notes.items())})
    unfinished.chmod(0o644)
    unfinished.replace(path)
    return path


def load(network: nn.Module, folder: Path, name: str) -> dict[str, Any]:
    """Fill a network from its part and return the notes; RuntimeError if the part is of another network."""
    weights, notes = read(folder, name)
    prefix = PARTS[name].prefix
    own = {key.removeprefix(prefix): value.float() for key, value in weights.items()}
    expected = {key: value.shape for key, value in network.state_dict().items() if key not in LEFT_OUT}
    wrong = sorted(set(expected) ^ set(own))
    wrong += [key for key in expected if key in own and own[key].shape != expected[key]]
    if wrong:
        raise RuntimeError(
            f"The demo part {PARTS[name].file} does not fit its network (at {wrong[0]}); check it out again."
        )
    network.load_state_dict(own, strict=False)
    return {key: json.loads(value) for key, value in notes.items()}
