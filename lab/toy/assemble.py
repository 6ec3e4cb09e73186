"""Put the committed parts together into the files that ComfyUI's stock loaders and transformers read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from .models import folder_of_captioner, parts

NARROW = "text_to_image"  # the unet without the channels that words alone leave zero
FIRST = f"{parts.UNET}input_blocks.0.0.weight"
NOISY = 4  # input channels of the noisy latent; mask and rest of the picture follow
CHECKPOINTS = {
    "checkpoints/recompose_demo.safetensors": (NARROW, "text", "vae"),
    "checkpoints/recompose_demo_inpaint.safetensors": ("unet", "text", "vae"),
    "controlnet/recompose_demo_openpose.safetensors": ("openpose",),
    "keypoint_models/recompose_demo_detector.safetensors": ("detector",),
}
CAPTIONER = "blip/recompose_demo"


def joined(folder: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """All weights of several parts under their public keys."""
    found: dict[str, Tensor] = {}
    for name in names:
        weights, _ = parts.read(folder, "unet" if name == NARROW else name)
        if name == NARROW:
            weights[FIRST] = weights[FIRST][:, :NOISY].contiguous()
        found |= weights
    return found


def replace(path: Path, content: bytes) -> None:
    """Write a file that is never seen half-written; leave it alone when it already holds just that."""
    if path.is_file() and hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def whole(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The captioner's weights, shared ones twice; fp32, as transformers 5 computes in the file's type."""
    shared = {
        f"{parts.BLIP_HEAD}decoder.weight": weights["text_decoder.bert.embeddings.word_embeddings.weight"],
        f"{parts.BLIP_HEAD}decoder.bias": weights[f"{parts.BLIP_HEAD}bias"],
    }
    return {key: value.float().clone() for key, value in (weights | shared).items()}


def captioner_files(parts_folder: Path) -> dict[str, bytes]:
    """The captioner's folder in the Hugging Face layout, by file name."""
    weights, _ = parts.read(parts_folder, "captioner")
    texts = {name: content.encode() for name, content in folder_of_captioner.files().items()}
    return texts | {"model.safetensors": save(whole(weights), {"format": "pt"})}


def assemble(parts_folder: Path, models: Path) -> dict[str, Path]:
    """Write the demo models below ComfyUI's models folder; returns them by name.

    RuntimeError for a missing or damaged part; nothing is written then.
    """
    contents = {name: save(joined(parts_folder, made_of)) for name, made_of in CHECKPOINTS.items()}
    for name, content in captioner_files(parts_folder).items():
        contents[f"{CAPTIONER}/{name}"] = content
    for name, content in contents.items():
        replace(models / name, content)
    made = {Path(name).stem: models / name for name in CHECKPOINTS}
    return made | {"captioner": models / CAPTIONER}
