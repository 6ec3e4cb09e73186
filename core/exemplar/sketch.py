"""A sketch as Paint by Sketch's network is shown it, and until when (Kim et al. 2023, released code)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..shapes import Size

BLANK, GREY = -1.0, 0.0  # no line, as the network learned it; neither line nor blank, as published
CHANNELS = 3


def cells_of(sketch: Tensor, hole: Tensor, size: Size, antialias: bool) -> Tensor:
    """Lines (B,1,H,W; 1 is a line) within a hole (B,1,H,W; 1 there) in cells (B,3,h,w), −1 without a line.

    Public weights learned from a resize without `antialias`, which sees only some of the lines of 1 px.
    """
    lines = 2 * sketch * hole - 1
    shrunk = F.interpolate(lines, (size.height, size.width), mode="bilinear", antialias=antialias)
    return shrunk.expand(-1, CHANNELS, -1, -1)


def with_sketch(step: int, steps: int, until: float) -> bool:
    """Whether a step, from 0 at the most noise, is one of those that see the sketch (plug and drop)."""
    return step < int(steps * until)
