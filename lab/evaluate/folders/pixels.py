"""What differs between two pictures of one size outside a mask, and how visible the mask's edge is."""

from __future__ import annotations

import math

import numpy as np
import torch

from ....core.canvas import seam
from ....core.canvas.preservation import changed_pixels
from ...toy.tensors import grown, stacked

AT_ONCE = 500_000  # px of a large picture that are looked at in one go
REACH = 5  # px to each side of a pixel that SSIM's window of 11 × 11 sees


def changed(made: np.ndarray, real: np.ndarray, mask: np.ndarray | None) -> int:
    """How many pixels outside the mask (bool H,W) differ in any channel; pictures H,W,3 uint8."""
    height, width = real.shape[:2]
    return changed_pixels(made, real, {"x": 0, "y": 0, "width": width, "height": height}, mask)


def psnr(made: np.ndarray, real: np.ndarray, mask: np.ndarray | None) -> float | None:
    """10 log10(255² / mean squared error) in dB of the pixels outside the mask; None where none differs."""
    outside = np.ones(real.shape[:2], bool) if mask is None else ~mask
    error = np.square(made[outside].astype(np.float64) - real[outside])
    return 10 * math.log10(255**2 / error.mean()) if error.any() else None


def ssim(made: np.ndarray, real: np.ndarray, mask: np.ndarray | None) -> float | None:
    """The mean SSIM (Wang et al. 2004: 11 × 11, sigma 1.5) over the windows that touch no masked pixel.

    The mean of the three channels; None where there is no such window.
    """
    height, width = real.shape[:2]
    if min(height, width) <= 2 * REACH:
        return None
    outside = np.zeros((height, width), bool)
    outside[REACH:-REACH, REACH:-REACH] = True
    if mask is not None:
        outside &= ~grown(mask, REACH)
    if not outside.any():
        return None
    alike = outside & ~grown((made != real).any(2), REACH)  # 1 exactly
    total, different = float(alike.sum()), outside & ~alike
    for top in range(REACH, height - REACH, rows := max(AT_ONCE // width, 1)):
        bottom = min(top + rows, height - REACH)
        seen = slice(top - REACH, bottom + REACH)
        if (counted := different[top:bottom]).any():
            total += float(similarity(made[seen], real[seen])[REACH : bottom - top + REACH][counted].sum())
    return total / int(outside.sum())


def similarity(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """SSIM at every pixel (H,W), the mean of the three channels."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    planes = zip(*(stacked([each]).transpose(0, 1).split(1) for each in (made, real)), strict=True)
    maps = [
        structural_similarity_index_measure(*each, data_range=1.0, return_full_image=True)[1]
        for each in planes
    ]
    return torch.cat(maps).double().mean((0, 1)).numpy()


def seams(made: np.ndarray, real: np.ndarray, mask: np.ndarray) -> dict[str, float] | None:
    """Seam ratio and step (ΔE) of the made picture, the step beside the real one's; None without an edge."""
    if mask.all() or not mask.any():
        return None
    shape = torch.from_numpy(mask)[None, None].float()
    ours, theirs = (seam.measure(stacked([each]), shape) for each in (made, real))
    return {"seam ratio": ours.ratio, "step": ours.step, "step excess": ours.step - theirs.step}
