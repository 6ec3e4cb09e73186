"""Which values of a mask count."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

# 8-bit pictures hold 1/255 by accident where 0 was meant: compressed, resized or blended with transparency.
LEAST = 1.5 / 255


def without_traces(mask: Tensor) -> Tensor:
    """A copy of a mask of any shape in which everything below LEAST, negative values too, is 0."""
    return F.threshold(mask, LEAST, 0.0)
