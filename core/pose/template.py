"""The person a blank canvas starts with."""

from __future__ import annotations

import numpy as np

from ..shapes import Size
from .person import Person

# x, y in thousandths of stature from the ground between the feet; the editor's presets.js holds the same.
STANDING = (
    (0, -901), (0, -813), (-130, -813), (-168, -631), (-181, -487), (130, -813), (168, -631), (181, -487),
    (-50, -526), (-71, -283), (-93, -39), (50, -526), (71, -283), (93, -39),
    (-25, -924), (25, -924), (-60, -920), (60, -920),
    (100, 0), (137, -2), (85, -13), (-100, 0), (-137, -2), (-85, -13),
)  # fmt: skip
STEPS_PER_PIXEL = 16


def quantised(values: np.ndarray) -> np.ndarray:
    """The nearest multiples of 1/16 px, halves up."""
    return np.floor(values * STEPS_PER_PIXEL + 0.5) / STEPS_PER_PIXEL


def template_person(size: Size) -> Person:
    """A standing person nine tenths as tall as a canvas of `size` pixels, in its middle, in 1/16 px."""
    ground = np.array([size.width / 2, 0.95 * size.height])
    placed = quantised(ground + np.array(STANDING, dtype=np.float64) * (0.9 * size.height) / 1000)
    return Person(placed, np.ones(len(placed), dtype=bool))
