"""What is measured on one saved result, with the true picture beside it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch

from ....core.canvas import seam
from ....core.canvas.preservation import changed_pixels
from ....core.pose import skeleton
from ...toy.tensors import stacked
from ...toy.world import picture as pictures
from ..rows import distances
from .cases import Case

ANKLES = (skeleton.L_ANKLE, skeleton.R_ANKLE)  # as in cases.ANKLES
Region = dict[str, int]


class Seen(Protocol):
    """What the evaluator tells of one picture; see lab/evaluate/evaluator.py."""

    @property
    def points(self) -> np.ndarray: ...
    @property
    def feet(self) -> int: ...


def new_area(region: Region) -> torch.Tensor:
    """The mask (1,1,H,W; 1 = new) of the canvas outside the photo."""
    mask = torch.ones(1, 1, region["canvas_height"], region["canvas_width"])
    x, y = region["x"], region["y"]
    mask[..., y : y + region["height"], x : x + region["width"]] = 0
    return mask


def seam_ratio(picture: np.ndarray, region: Region) -> float:
    """How much stronger the canvas (8-bit H,W,3) changes across the photo's edge than beside it."""
    return seam.measure(stacked([picture]), new_area(region)).ratio


def step_excess(picture: np.ndarray, truth: np.ndarray, region: Region) -> float:
    """The Lab step across the seam minus that of the true picture at the same place, in ΔE.

    `truth` is the whole true picture, whose upper left corner is the photo's; both are compared where both
    have pixels.
    """
    x, y = region["x"], region["y"]
    height = min(truth.shape[0], picture.shape[0] - y)
    width = min(truth.shape[1], picture.shape[1] - x)
    mask = new_area(region)[..., y : y + height, x : x + width]
    made, true = picture[y : y + height, x : x + width], truth[:height, :width]
    return seam.measure(stacked([made]), mask).step - seam.measure(stacked([true]), mask).step


def ankles_of(pose: list[dict[str, Any]]) -> np.ndarray:
    """Both ankles (left, right) of a pose's person as 2,3 (x, y, score)."""
    return pictures.rows(pose)[list(ANKLES)]


def true_ankles(case: Case, region: Region) -> np.ndarray:
    """The true ankles as 2,3 (x, y, 1) in px of the canvas."""
    return case.ankles + np.array([region["x"], region["y"], 0])


def measured(case: Case, made: dict[str, Any], picture: np.ndarray, photo: np.ndarray) -> dict[str, Any]:
    """The row of one result but for what the evaluator sees.

    `made` says region and completed pose, `picture` is the saved file and `photo` the photo as it was loaded.
    """
    region = made["region"]
    completed = ankles_of(made["pose"])
    return {
        "seed": case.seed,
        "method": made["method"],
        "family": case.whole.family,
        "scene": case.whole.scene,
        "crop": round(case.share, 3),
        "caption": made["caption"],
        "region": region,
        "changed_pixels": changed_pixels(picture, photo, region),
        "seam_ratio": round(seam_ratio(picture, region), 4),
        "step_excess": round(step_excess(picture, case.whole.image, region), 4),
        "completed_to_true": distances(completed, true_ankles(case, region), case.length),
        "seconds": made["seconds"],
    }


def evaluated(case: Case, made: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """What the evaluator sees in a result: feet beside the true picture's, and ankles beside both poses."""
    ankles = np.asarray(seen.points)[list(ANKLES)]
    return {
        "feet": int(seen.feet),
        "true_feet": case.feet,
        "to_completed": distances(ankles, ankles_of(made["pose"]), case.length),
        "to_true": distances(ankles, true_ankles(case, made["region"]), case.length),
    }


def evaluated_truth(case: Case, seen: Seen) -> dict[str, Any]:
    """What the evaluator sees in the true picture itself: how far its word can be trusted."""
    away = distances(np.asarray(seen.points)[list(ANKLES)], case.ankles, case.length)
    return {"seed": case.seed, "feet": int(seen.feet), "true_feet": case.feet, "to_true": away}
