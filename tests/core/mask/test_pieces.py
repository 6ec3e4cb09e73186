"""Connected pieces of masks beside a flood fill written out."""

from __future__ import annotations

import pytest
import torch
from recompose.core.mask.pieces import largest
from torch import Tensor


def filled(mask: Tensor, y: int, x: int) -> set[tuple[int, int]]:
    """The piece of a pixel, by looking at neighbours of neighbours."""
    found, left = set(), [(y, x)]
    while left:
        here = left.pop()
        if (
            here in found
            or not (0 <= here[0] < mask.shape[0] and 0 <= here[1] < mask.shape[1])
            or not mask[here]
        ):
            continue
        found.add(here)
        left += [(here[0] + dy, here[1] + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_largest_piece_is_that_of_a_flood_fill(seed: int) -> None:
    share = (0.2, 0.35, 0.5, 0.7)[seed % 4]
    mask = (torch.rand(13, 17, generator=torch.Generator().manual_seed(seed)) < share).float()
    pieces = [filled(mask, y, x) for y in range(13) for x in range(17) if mask[y, x]]
    kept = {tuple(each) for each in largest(mask[None, None])[0, 0].nonzero().tolist()}
    assert kept in pieces and len(kept) == max(map(len, pieces))


def test_empty_full_and_soft_masks_and_batches() -> None:
    soft = torch.zeros(3, 1, 4, 6)
    soft[1], soft[2, 0, 0, :3], soft[2, 0, 3, 1:5] = 1, 0.9, 0.2
    kept = largest(soft)
    assert torch.equal(kept[:2], soft[:2])
    assert kept[2, 0, 3, 1:5].tolist() == pytest.approx([0.2] * 4) and not kept[2, 0, :3].any()


def test_a_ring_and_a_spiral_are_one_piece() -> None:
    ring = torch.ones(1, 1, 9, 9)
    ring[..., 1:8, 1:8] = 0
    ring[..., 3:6, 3:6] = 1
    kept = largest(ring)
    assert int(kept.sum()) == 32 and not kept[..., 3:6, 3:6].any()
