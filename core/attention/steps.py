"""The step that a sampler is at, from its own sigmas."""

from __future__ import annotations

import math
from collections.abc import Sequence

# A sigma that a model was called with may differ from the schedule's by rounding.
ROUNDING = 1e-5


def step_of(sigma: float, sigmas: Sequence[float]) -> int:
    """The step, counted from 0, that a model call at `sigma` belongs to, in a run over descending `sigmas`.

    A call between two levels belongs to the step that is running, one at the next level to the next step.
    Calls need not come in order, and none is counted: samplers make any number of them in a step.
    """
    reached = sum(level >= sigma * (1 - ROUNDING) for level in sigmas[:-1])
    return max(0, reached - 1)


def kept_from(keep: float, count: int) -> int:
    """The first of `count` steps when the last share `keep` (0…1) of them is meant; `count` for none."""
    return math.ceil((1 - keep) * count - ROUNDING)
