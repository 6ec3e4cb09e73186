"""Picture files as tensors, for trainings outside of a server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

SIXTEEN_BITS = 65535


def opened(path: Path) -> Tensor:
    """A picture file as 3,H,W in 0…1, upright as cameras note it; ValueError for any other file."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):
                grey = np.asarray(upright, dtype=np.float32) / SIXTEEN_BITS
                pixels = np.repeat(grey[..., None], 3, 2).clip(0, 1)
            else:
                pixels = np.asarray(upright.convert("RGB"), dtype=np.float32) / 255
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no picture that can be read ({error}); remove it.") from error
    return torch.from_numpy(pixels).movedim(-1, 0)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture file, upright; ValueError for any other file."""
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).size
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no picture that can be read ({error}); remove it.") from error
