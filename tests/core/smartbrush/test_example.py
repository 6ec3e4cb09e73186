"""Squares of pictures with a thing, and the precision of its mask."""

from __future__ import annotations

import torch
from recompose.core.mask.latent_cells import to_cells, whole_grid
from recompose.core.shapes import Box, Size
from recompose.core.smartbrush import example
from recompose.core.smartbrush.precision import LEVELS, family


def randoms(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def test_a_window_is_square_lies_in_the_picture_and_holds_the_thing() -> None:
    size, box = Size(97, 61), Box(30, 11, 23, 17)
    windows = [example.around(box, size, random) for random in randoms(200)]
    for window in windows:
        assert window.width == window.height and window.width >= 1.1 * 23 - 1
        assert 0 <= window.x <= box.x and box.right <= window.right <= size.width
        assert 0 <= window.y <= box.y and box.bottom <= window.bottom <= size.height
    assert len({window.width for window in windows}) > 15 and len({window.x for window in windows}) > 15


def test_of_a_thing_longer_than_the_picture_is_high_the_middle_is_shown() -> None:
    for random in randoms(20):
        assert example.around(Box(5, 10, 80, 20), Size(97, 61), random) == Box(14, 0, 61, 61)


def test_photo_and_mask_are_cut_alike() -> None:
    photo, mask = torch.zeros(3, 61, 97), torch.zeros(1, 61, 97)
    photo[0, 20:40, 50:70], mask[0, 20:40, 50:70] = 1, 1
    for random in randoms(20):
        made = example.square(photo, mask, 64, random)
        assert made.photo.shape == (3, 64, 64) and set(made.mask.unique().tolist()) == {0.0, 1.0}
        assert ((made.photo[:1] >= 0.5).float() == made.mask).float().mean() > 0.97
    sides = [
        example.square(photo, mask, 64, random).mask[0].amax(0).nonzero().min() for random in randoms(30)
    ]
    assert len(set(map(int, sides))) > 10


def test_precisions_are_those_of_the_family_and_equal_cells_are_drawn_as_one() -> None:
    mask = torch.zeros(1, 96, 96)
    mask[0, 24:72, 40:44], mask[0, 44:48, 24:72] = 1, 1
    grid = whole_grid(Size(96, 96), 8)
    cells = [to_cells(each, grid)[0] for each in family(mask[None], 8)]
    drawn = [example.shape(mask, 8, random) for random in randoms(600)]
    for each in drawn:
        assert torch.equal(each.mask, cells[each.precision]) and torch.equal(each.exact, cells[0])
    assert {each.precision for each in drawn} == set(range(LEVELS))
    different = {each.mask.sum().item() for each in drawn}
    for total in different:
        share = sum(each.mask.sum().item() == total for each in drawn) / len(drawn)
        assert abs(share - 1 / len(different)) < 0.08


def test_a_mask_of_ones_stays_whole_at_every_precision() -> None:
    made = example.shape(torch.ones(1, 32, 32), 8, randoms(1)[0])
    assert made.mask.min() == 1 and made.exact.min() == 1
