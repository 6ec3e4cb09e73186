"""The family of masks from exact to box: nested, in cells, and the blur that is documented."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from recompose.core.mask.latent_cells import to_cells, whole_grid
from recompose.core.shapes import Size
from recompose.core.smartbrush.guess import guess, looks
from recompose.core.smartbrush.precision import BOX, LEVELS, SIGMAS, at_precision, blurred, family, groups
from scipy import ndimage


def corner(height: int = 340, width: int = 300, arm: int = 40) -> torch.Tensor:
    """An L whose inner corner is open to the right and upwards."""
    mask = torch.zeros(1, 1, height + 60, width + 44)
    mask[..., 31 : 31 + height, 17 : 17 + arm] = 1
    mask[..., 31 + height - arm : 31 + height, 17 : 17 + width] = 1
    return mask


def strokes(seed: int) -> torch.Tensor:
    """Two pictures with a few rectangles each, thin ones among them."""
    random = np.random.default_rng(seed)
    mask = torch.zeros(2, 1, 131, 173)
    for picture in mask:
        for _ in range(random.integers(1, 5)):
            y, x = random.integers(0, 120), random.integers(0, 160)
            picture[0, y : y + random.integers(1, 50), x : x + random.integers(1, 50)] = 1
    return mask


@pytest.mark.parametrize("cell", [4, 8, 16])
def test_each_level_holds_the_one_before_and_lies_in_the_box(cell: int) -> None:
    for seed in range(12):
        mask = strokes(seed)
        levels = family(mask, cell)
        assert len(levels) == LEVELS
        assert torch.equal(levels[0], mask)
        for narrow, wide in pairwise(levels):
            assert (narrow <= wide).all()
        for picture, box in zip(mask[:, 0], levels[BOX][:, 0], strict=True):
            rows, columns = picture.amax(1).nonzero(), picture.amax(0).nonzero()
            wanted = torch.zeros_like(picture)
            wanted[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1
            assert torch.equal(box, wanted)


def test_the_blur_is_scipys() -> None:
    mask = strokes(3)
    for sigma in (1.5, 8.0, 32.0):
        wanted = [
            ndimage.gaussian_filter(
                one[0].double().numpy(), sigma, mode="constant", radius=math.ceil(3 * sigma)
            )
            for one in mask
        ]
        assert np.abs(blurred(mask, sigma)[:, 0].numpy() - np.stack(wanted)).max() < 2e-6


@pytest.mark.parametrize(("level", "pixels"), [(1, 13), (2, 26), (3, 52), (4, 100)])
def test_a_straight_edge_moves_by_the_documented_pixels(level: int, pixels: int) -> None:
    # 1.645 sigma where the mask is wide; an arm of 40 px beside a blur of 64 px is less.
    mask = corner(arm=40 if level < 3 else 120, height=700, width=700)
    wide = at_precision(mask, level, 8)
    row = 31 + 260
    moved = int(wide[0, 0, row].sum() - mask[0, 0, row].sum())
    assert abs(moved - pixels) <= (1 if level < 4 else 6)
    assert SIGMAS[level] * 8 * 1.645 == pytest.approx(pixels, abs=6)


def test_lengths_are_in_cells() -> None:
    small = corner(170, 150, 20)
    large = small.repeat_interleave(2, -1).repeat_interleave(2, -2)
    for level in range(LEVELS):
        one, two = at_precision(small, level, 8), at_precision(large, level, 16)
        assert (two[..., ::2, ::2] != one).float().mean() < 0.004


def test_a_soft_mask_keeps_its_values_and_traces_make_no_level() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:40, 20:40], mask[..., 30, 30] = 0.5, 0.25
    assert torch.equal(at_precision(mask, 0, 8), mask)
    assert (at_precision(mask, 1, 8) >= mask).all()


def test_levels_with_the_same_cells_are_one() -> None:
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., 8:40, 16:64] = 1
    grid = whole_grid(Size(96, 64), 8)
    assert groups([to_cells(each, grid) for each in family(mask, 8)]) == [list(range(LEVELS))]
    large = corner()
    cells = [to_cells(each, whole_grid(Size(344, 400), 8)) for each in family(large, 8)]
    found = groups(cells)
    assert [level for group in found for level in group] == list(range(LEVELS)) and len(found) > 3
    assert all(torch.equal(cells[group[0]], cells[level]) for group in found for level in group)


@pytest.mark.parametrize("level", [-1, LEVELS])
def test_another_level_is_refused(level: int) -> None:
    with pytest.raises(ValueError, match=r"a precision from 0 \(exact\) to 5 \(box\), got"):
        at_precision(corner(), level, 8)


def test_nothing_stays_nothing() -> None:
    empty = torch.zeros(1, 1, 40, 40)
    assert all(not level.any() for level in family(empty, 8))
    with pytest.raises(ValueError, match="the mask is empty"):
        guess(empty, 8)


def test_what_is_seen_of_a_mask_is_in_shares() -> None:
    mask = torch.zeros(1, 1, 80, 80)
    mask[..., 10:50, 10:60] = 1
    assert looks(mask, 8).filled == 1 and looks(mask, 8).notches == 0
    # A disc of radius 8 that is tucked into a corner of 8 × 8 pixels leaves 23 of them out.
    outside = sum(x * x + y * y > 64 for x in range(1, 9) for y in range(1, 9))
    assert outside == 23 and looks(mask, 8).peaks == pytest.approx(4 * 23 / 2000)
    assert guess(mask, 8) == BOX
    mask[..., 10:40, 30:34] = 0
    assert looks(mask, 8).notches == pytest.approx(120 / 1880, abs=0.004)
