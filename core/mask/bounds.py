"""Where a mask holds anything."""

from __future__ import annotations

from torch import Tensor

from ..shapes import Box


def bounds_of_mask(mask: Tensor) -> Box | None:
    """The smallest box around everything above 0 in any mask of the batch (B,1,H,W); None if all is 0."""
    rows = (mask.amax((0, 1, 3)) > 0).nonzero()
    columns = (mask.amax((0, 1, 2)) > 0).nonzero()
    if not len(rows):
        return None
    top, bottom, left, right = rows[0].item(), rows[-1].item() + 1, columns[0].item(), columns[-1].item() + 1
    return Box(int(left), int(top), int(right - left), int(bottom - top))
