"""Where the main job has to paint."""

from __future__ import annotations

import numpy as np

from ..toy import world


def below(example: world.Example, seed: int) -> np.ndarray:
    """A hole (bool H,W) below a random row between hip and ankle, as the main job has it, on whole cells."""
    height, width = example.image.shape[:2]
    hole = np.zeros((height, width), bool)
    hole[world.crop_between(example, seed).image.shape[0] // 8 * 8 :] = True
    return hole
