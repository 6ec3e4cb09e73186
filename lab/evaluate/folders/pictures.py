"""Pictures and masks of any mode as arrays, and their sizes without decoding them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

from ....cli.ending import Misuse
from ....cli.plan.photo import opened, shallow
from ....cli.words import line
from ....core.mask.values import LEAST
from ....core.shapes import Size

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
ORIENTATION, LYING = 0x0112, range(5, 9)  # the EXIF tag, and its values for pictures on their side
LOSSY, HALF = ("JPEG", "MPO"), 128  # whose masks have grey noise beside black and white
Found = TypeVar("Found")


def _of(path: Path, look: Callable[[], Found]) -> Found:
    """What `look` finds in a file; Misuse where it is no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return look()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Misuse(
            f"Expected a whole picture in {line(path)}, got: {line(str(error), 200).rstrip('.')}; save it "
            "again as PNG or take it out."
        ) from error


def size_of(path: Path) -> Size:
    """Width and height as shown, from the file's head; Misuse for what is no picture."""

    def look() -> Size:
        with Image.open(path) as file:
            if file.mode == "F":
                raise ValueError("floating-point values, whose white is unknown")
            lying = file.getexif().get(ORIENTATION) in LYING
            return Size(*(reversed(file.size) if lying else file.size))

    return _of(path, look)


def picture(path: Path) -> np.ndarray:
    """The picture H,W,3 uint8 as Load Image shows it: upright, its transparency ignored."""
    return _of(path, lambda: np.asarray(opened(path)))


def is_transparent(path: Path) -> bool:
    """Whether some of the picture is not opaque."""

    def look() -> bool:
        with Image.open(path) as file:
            return file.has_transparency_data and _alpha(file).getextrema()[0] < 255

    return _of(path, look)


def _alpha(file: Image.Image) -> Image.Image:
    return file.convert("RGBA").getchannel("A")


def mask(path: Path) -> np.ndarray:
    """Where was repainted, bool H,W: what is transparent, or else what is not black.

    As in the nodes, values below 1.5 of 255 are black; in a JPEG those below a half.
    """

    def look() -> np.ndarray:
        with Image.open(path) as file:
            least = HALF if file.format in LOSSY else LEAST * 255
            upright = ImageOps.exif_transpose(file)
            if upright.has_transparency_data:
                alpha = np.asarray(_alpha(upright))
                if alpha.min() < 255:
                    return 255 - alpha >= least
            return np.asarray(shallow(upright).convert("L")) >= least

    return _of(path, look)
