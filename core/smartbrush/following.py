"""The shape of a thing as the model predicts it on the way, and what keeps a bad prediction from harm."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Rules(NamedTuple):
    """How a predicted mask is used: after the first share of the steps, and only if it is at least so large a
    share of the mask that was given. `keep` is how much of the mean of the predictions each step leaves."""

    start: float = 0.4
    least: float = 0.02
    keep: float = 0.5
    grow: int = 1  # cells


class Following:
    """Where a thing is painted in its mask of cells (B,1,h,w; 0 or 1), from one prediction to the next."""

    def __init__(self, given: Tensor, exact: bool, steps: int, rules: Rules) -> None:
        self.given, self.exact, self.rules = given, exact, rules
        self.first = math.ceil(rules.start * steps)
        self.mean: Tensor | None = None
        self.painted = given

    def update(self, logit: Tensor, step: int) -> Tensor:
        """Take in the logits of the mask (B,1,h,w) predicted in a step, and return where to paint now.

        An exact mask stays. Of a coarse one what is predicted above ½ is left, and one cell around it.
        """
        probability = logit.float().sigmoid() * self.given
        keep = self.rules.keep
        self.mean = probability if self.mean is None else keep * self.mean + (1 - keep) * probability
        if not self.exact and step >= self.first:
            self.painted = self.found(self.mean)
        return self.painted

    def found(self, probability: Tensor) -> Tensor:
        """The cells of a thing; all of the mask in pictures where too few are left."""
        inside = (probability > 0.5).float()
        size = 2 * self.rules.grow + 1
        inside = F.max_pool2d(inside, size, stride=1, padding=self.rules.grow) * self.given
        least = self.rules.least * self.given.sum((1, 2, 3), keepdim=True)
        enough = inside.sum((1, 2, 3), keepdim=True) >= least.clamp(min=1)
        return torch.where(enough, inside, self.given)
