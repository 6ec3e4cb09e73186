"""Pictures for an editor to show, in ComfyUI's temporary folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import folder_paths
import torch
from PIL import Image
from torch import Tensor

from ..core.batch import repeated
from ..core.files import replacing

# For looking at only.
SIDE = 2048


def _reduced(picture: Tensor) -> Tensor:
    """A picture (1,C,H,W) with at most SIDE px on its longer side, each made of its nearest four.

    Averaging all pixels of a large photo takes longer than everything else the node does.
    """
    longest = max(picture.shape[-2:])
    if longest <= SIDE:
        return picture
    sides = [max(1, round(side * SIDE / longest)) for side in picture.shape[-2:]]
    return torch.nn.functional.interpolate(picture, size=sides, mode="bilinear")


def preview(picture: Tensor) -> dict[str, str]:
    """Save a picture (C,H,W), at most SIDE px long; how /view finds it."""
    small = _reduced(picture[None, :3])
    pixels = (small[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8).cpu().contiguous().numpy()
    name = f"recompose_{hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}.jpg"
    folder = Path(folder_paths.get_temp_directory())
    if not (folder / name).exists():
        shown = Image.fromarray(pixels)
        with replacing(folder / name) as unfinished:
            shown.save(unfinished, format="JPEG", quality=90)
    return {"filename": name, "subfolder": "", "type": "temp"}


def previews(pictures: Tensor, count: int) -> list[dict[str, str]]:
    """The pictures (B,C,H,W) saved, one for each of `count`."""
    return repeated([preview(picture) for picture in pictures], count, "image")
