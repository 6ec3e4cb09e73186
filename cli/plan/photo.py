"""Photos as Load Image shows them: upright, in RGB."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")  # greys of 16 bits


def opened(path: Path) -> Image.Image:
    """The first picture of the file in 8-bit RGB, turned as its camera was held."""
    with Image.open(path) as file:
        return shallow(ImageOps.exif_transpose(file)).convert("RGB")


def shallow(picture: Image.Image) -> Image.Image:
    """The picture, greys of 16 bits in 8."""
    if picture.mode in DEEP:
        # Pillow clips deep greys to 255 instead of scaling them.
        return picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    return picture
