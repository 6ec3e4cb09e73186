"""Where a mask holds anything."""

from __future__ import annotations

from torch import Tensor

from ..shapes import Box


def bounds_of_mask(mask: Tensor) -> Box | None:
    """The smallest box around everything above 0 in any mask of the batch (B,1,H,W); None if all is 0."""
    rows = (mask.amax((0, 1, 3)) > 0).nonzero()
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = (mask[..., top:bottom, :].amax((0, 1, 2)) > 0).nonzero()
    left, right = int(columns[0]), int(columns[-1]) + 1
    return Box(left, top, right - left, bottom - top)
