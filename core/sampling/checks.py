"""What a sampler refuses: sigmas that do not descend, and results that are no numbers."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor


def check_descent(sigmas: list[float], who: str) -> None:
    """Refuse sigmas without a step, or that do not descend to 0 or more, by a sentence."""
    if len(sigmas) < 2:
        raise ValueError(
            f"{who} needs two sigmas or more, but got {len(sigmas)}, no step; raise steps or denoise."
        )
    if any(map(math.isnan, sigmas)):
        raise ValueError(
            f"{who} got sigmas that are no numbers, which kl_optimal gives for one step; take more steps."
        )
    for above, below in pairwise(sigmas):
        if not math.inf > above > below >= 0:
            raise ValueError(
                f"The sigmas must descend to 0 or more, but {below:g} follows {above:g}; "
                "connect a scheduler's sigmas as they are."
            )


def check_finite(x: Tensor) -> None:
    """Refuse a result with NaN or infinities, by a sentence on the usual cause."""
    if not torch.isfinite(x).all():
        raise ValueError(
            "The model gave NaN or infinite values, so there is no picture; check the model, its precision "
            "(half precision is the usual cause) and cfg."
        )
