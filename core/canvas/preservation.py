"""How many pixels of the original a result changed: the number that has to be zero."""

from __future__ import annotations

import numpy as np


def changed_pixels(
    saved: np.ndarray, original: np.ndarray, region: dict[str, int], repainted: np.ndarray | None = None
) -> int:
    """Count the original's pixels that differ in any channel inside the saved picture.

    `saved` H,W,C and `original` h,w,C are 8-bit; `region` says where the original lies on the saved picture
    (x, y, width, height in pixels). Pixels where `repainted` (H,W, bool) is true were meant to change and do
    not count. ValueError when sizes, channels or depths do not fit together.
    """
    if saved.dtype != np.uint8 or original.dtype != np.uint8:
        raise ValueError(
            f"Expected 8-bit pictures, got {saved.dtype} and {original.dtype}; convert them first."
        )
    x, y, width, height = (region[key] for key in ("x", "y", "width", "height"))
    if original.shape[:2] != (height, width):
        raise ValueError(
            f"The region is {width}×{height}, but the original is {original.shape[1]}×{original.shape[0]}; "
            "use the region made from this picture."
        )
    inside = x >= 0 and y >= 0 and y + height <= saved.shape[0] and x + width <= saved.shape[1]
    if not inside or saved.shape[2:] != original.shape[2:]:
        raise ValueError(
            f"A {original.shape} original at ({x}, {y}) does not lie on a {saved.shape} picture; "
            "use the region made for this picture."
        )
    differing = (saved[y : y + height, x : x + width] != original).any(axis=2)
    if repainted is not None:
        differing &= ~repainted[y : y + height, x : x + width]
    return int(differing.sum())
