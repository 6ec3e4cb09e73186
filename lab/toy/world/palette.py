"""The named colours, and how far apart they are in CIELAB."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

COLOURS = {
    "red": (206, 40, 44),
    "orange": (243, 136, 32),
    "yellow": (247, 220, 62),
    "green": (52, 152, 66),
    "blue": (40, 92, 208),
    "purple": (146, 58, 166),
    "pink": (244, 150, 190),
    "white": (242, 242, 242),
    "black": (38, 38, 44),
    "brown": (134, 84, 46),
}
HAIR = {
    "black": (38, 34, 36),
    "brown": (116, 72, 42),
    "blond": (230, 194, 104),
    "red": (200, 84, 32),
    "white": (226, 226, 230),
}
SKIN = ((250, 216, 192), (238, 192, 156), (208, 156, 116), (160, 110, 76), (112, 74, 52))


def lab(rgb: np.ndarray | tuple[int, int, int]) -> np.ndarray:
    """CIELAB (D65) of sRGB values 0…255 (…,3), after IEC 61966-2-1 and CIE 15."""
    # As core/canvas/seam.lab but in numpy: pictures are drawn in forked processes, where torch must not run.
    value = np.asarray(rgb, np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ matrix.T / matrix.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )


@lru_cache(maxsize=4096)
def difference(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """ΔE*ab (CIE 1976) of two sRGB colours."""
    return float(np.linalg.norm(lab(a) - lab(b)))


def nearest(rgb: np.ndarray | tuple[float, float, float], names: dict[str, Any] = COLOURS) -> str:
    """The name whose colour is nearest in CIELAB."""
    return min(names, key=lambda name: difference(tuple(float(value) for value in rgb), names[name]))
