"""What the seam ratio reads where the answer is known: pictures never cut, and a step planted into them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ....core.canvas.seam import lab
from .cases import Case
from .metrics import Region, seam_ratio

PLANTED, VISIBLE = 5.0, 1.5
HALVINGS = 10  # of 255 steps: finer than 8 bits


class Calibration(NamedTuple):
    """The seam ratios of the uncut and of the planted pictures, in the order of the cases."""

    uncut: list[float]
    planted: list[float]

    @property
    def holds(self) -> bool:
        """An uncut picture's middle reading is a hidden seam and the planted step's a visible one."""
        return float(np.median(self.uncut)) < VISIBLE / 1.2 and float(np.median(self.planted)) > VISIBLE


def planted_step(picture: np.ndarray, row: int, difference: float = PLANTED) -> np.ndarray:
    """The picture (8-bit H,W,3) darkened from `row` on by `difference` ΔE in every pixel, as far as black."""
    below = torch.from_numpy(picture[row:].astype(np.float64) / 255)
    low, high = torch.zeros(below.shape[:2]).double(), torch.ones(below.shape[:2]).double()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = (lab(below) - lab(below - middle[..., None])).norm(dim=-1) < difference
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    darker = (below - high[..., None]).clamp(min=0)
    return np.concatenate([picture[:row], (darker * 255).round().to(torch.uint8).numpy()])


def edge(case: Case) -> Region:
    """The region of the crop in its own whole picture: the seam where nothing was cut."""
    height, width = case.whole.image.shape[:2]
    region = {"x": 0, "y": 0, "width": width, "height": case.cropped.image.shape[0]}
    return region | {"canvas_width": width, "canvas_height": height}


def calibrate(cases: list[Case]) -> Calibration:
    """Read the seam ratio of every true picture where its crop ends, as it is and with a planted step."""
    uncut, planted = [], []
    for case in cases:
        region = edge(case)
        uncut.append(seam_ratio(case.whole.image, region))
        planted.append(seam_ratio(planted_step(case.whole.image, region["height"]), region))
    return Calibration(uncut, planted)
