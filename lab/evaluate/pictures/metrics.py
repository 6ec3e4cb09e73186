"""What is measured on a painted picture, with the true one beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ....core.canvas import seam
from ....core.mask import distance
from ...toy.tensors import stacked
from ...toy.world import points_of
from ...toy.world.labels import GARMENTS
from ...toy.world.palette import difference
from ..evaluator import Seen
from ..rows import LIMBS, distances, inside, longer_side
from .tasks import Task

FEWEST = 24  # pixels of a garment on either side of the seam
NEAR = 8  # px from the seam, a cell of the latent; farther in, another garment may rightly have begun


def continuity(task: Task, image: np.ndarray) -> list[float]:
    """ΔE of median colours just in and just outside of the hole, for a garment that truly crosses its edge.

    Both sides lie where the garment truly is, so that no evaluator's mistake counts as one of the painter's.
    """
    hole, found = task.hole, []
    inner, outer = (side & (distance.to_nearest(~side, NEAR) <= NEAR) for side in (hole, ~hole))
    for name in GARMENTS:
        true = task.example.masks.get(name, np.zeros_like(hole))
        parts = true & inner, true & outer
        if min(part.sum() for part in parts) >= FEWEST:
            colours = (tuple(np.median(image[part], axis=0).tolist()) for part in parts)
            found.append(round(difference(*colours), 3))
    return found


def measured(task: Task, image: np.ndarray, seen: Seen) -> dict[str, Any]:
    """Feet, limbs in the hole, seam, colours across it, pixels that changed outside of the hole."""
    truth, hole = task.example.image, task.hole
    mask = torch.from_numpy(hole)[None, None].float()
    ours, theirs = (seam.measure(stacked([each]), mask) for each in (image, truth))
    limbs = inside(points_of(task.example), hole)
    return {
        "feet": int(seen.feet == 2),  # which every true picture of the world shows
        "distances": distances(seen.points[list(LIMBS)], limbs, longer_side(task.example.drawing.material)),
        "seam_ratio": round(ours.ratio, 4),
        "step_excess": round(ours.step - theirs.step, 4),
        "continuity": continuity(task, image),
        "changed_pixels": int((image != truth).any(2)[~hole].sum()),
    }
