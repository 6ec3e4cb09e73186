"""The crop around a mask that Local FID and KID look at (Xie et al. 2023, SmartBrush)."""

from __future__ import annotations

import numpy as np
import torch

from ....core.canvas.crop import Fit, plan
from ....core.mask.bounds import bounds_of_mask
from ....core.shapes import Box, Size

MARGIN = 10  # % of the mask's longer side, on each side
SQUARE = Fit(Size(1, 1), exact=True, margin=MARGIN, multiple_of=1, rescale_tolerance=1.0)


def box_of(mask: np.ndarray) -> Box | None:
    """The square around the mask (bool H,W) and its margin, moved into the picture and cut if larger.

    None for an empty mask.
    """
    height, width = mask.shape
    region = bounds_of_mask(torch.from_numpy(mask)[None, None].float())
    return region and plan(region, Size(width, height), SQUARE).shown


def cut(image: np.ndarray, box: Box) -> np.ndarray:
    """The picture (H,W,3) in the box."""
    return image[box.y : box.bottom, box.x : box.right]
