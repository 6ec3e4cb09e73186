from __future__ import annotations

import torch
from recompose.core.mask.bounds import bounds_of_mask
from recompose.core.shapes import Box


def test_bounds_of_a_mask() -> None:
    masks = torch.zeros(2, 1, 20, 30)
    assert bounds_of_mask(masks) is None
    masks[0, 0, 4, 7] = 0.01
    masks[1, 0, 15, 3] = 1
    assert bounds_of_mask(masks) == Box(3, 4, 5, 12)
