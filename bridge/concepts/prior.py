"""Pictures of the class that a model makes, so that training does not change it for the worse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comfy.sample
import folder_paths
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...core.files import replacing
from ..choices import CONCEPTS

TOGETHER = 4
STEPS, GUIDANCE, SAMPLER, SCHEDULER = 50, 6.0, "ddim", "normal"


def prior_pictures(
    model: Any, clip: Any, vae: Any, text: str, count: int, size: int, seed: int, kind: str
) -> Tensor:
    """`count` pictures B,H,W,3 of a prompt by the model, made once and kept below ComfyUI's output folder.

    `kind` is another one for another model.
    """
    name = "".join(letter if letter.isalnum() else "_" for letter in text)[:60]
    folder = Path(folder_paths.get_output_directory()) / CONCEPTS / "class pictures" / f"{name}_{kind}_{size}"
    paths = [folder / f"{seed}_{number:04}.png" for number in range(count)]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    for number, picture in made(model, clip, vae, text, missing, size, seed):
        with replacing(paths[number]) as unfinished:
            Image.fromarray(picture).save(unfinished, "PNG")
    read = [np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255 for path in paths]
    return torch.from_numpy(np.stack(read))


def made(
    model: Any, clip: Any, vae: Any, text: str, numbers: list[int], size: int, seed: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Pictures H,W,3 uint8 by their numbers, each with noise of its own."""
    positive, negative = (clip.encode_from_tokens_scheduled(clip.tokenize(each)) for each in (text, ""))
    for start in range(0, len(numbers), TOGETHER):
        some = numbers[start : start + TOGETHER]
        seeds = [seed + number for number in some]
        images = painted(model, vae, positive, negative, seeds, size)
        yield from zip(some, (images.clamp(0, 1) * 255).round().byte().cpu().numpy(), strict=True)


def painted(
    model: Any, vae: Any, positive: Any, negative: Any, seeds: list[int], size: int, steps: int = STEPS
) -> Tensor:
    """Pictures B,H,W,3, one for each seed."""
    cell = int(vae.spacial_compression_encode())
    channels = model.get_model_object("latent_format").latent_channels
    empty = torch.zeros(len(seeds), channels, size // cell, size // cell)
    noise: Any = [comfy.sample.prepare_noise(empty[:1], each) for each in seeds]
    latents = comfy.sample.sample(
        model, torch.cat(noise), steps, GUIDANCE, SAMPLER, SCHEDULER, positive, negative, empty,
        disable_pbar=True, seed=seeds[0],
    )  # fmt: skip
    return vae.decode(latents)[..., :3].float()
