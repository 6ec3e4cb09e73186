"""The shape of a thing within a coarse mask."""

from __future__ import annotations

import pytest
import torch
from recompose.core.attention.shape import Shaping, first_step, shape_of

SIZE = (9, 14)
COARSE = torch.zeros(SIZE, dtype=torch.bool)
COARSE[2:8, 3:12] = True
THING = torch.zeros(SIZE, dtype=torch.bool)
THING[3:6, 5:9] = True
OTHER = torch.zeros(SIZE, dtype=torch.bool)
OTHER[6:8, 9:11] = True


def planted(where: torch.Tensor, high: float = 0.3, low: float = 0.1) -> torch.Tensor:
    noise = torch.rand(SIZE, generator=torch.Generator().manual_seed(4))
    return torch.where(where, high, low) + 0.02 * noise


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_the_thing_is_found_within_the_coarse_mask_only(threshold: float) -> None:
    outside = torch.zeros(SIZE, dtype=torch.bool)
    outside[0, :4] = True
    found = shape_of([planted(THING | outside)], COARSE, Shaping(threshold))
    assert torch.equal(found, THING)


def test_several_words_are_one_shape() -> None:
    found = shape_of([planted(THING), planted(OTHER, 0.8, 0.1)], COARSE, Shaping())
    assert torch.equal(found, THING | OTHER)


def test_a_thing_that_fills_the_coarse_mask_is_not_parted_in_itself() -> None:
    assert torch.equal(shape_of([planted(COARSE)], COARSE, Shaping()), COARSE)


@pytest.mark.parametrize(
    "found", [[], [torch.full(SIZE, 0.2)], [torch.zeros(SIZE)], [planted(THING), torch.ones(SIZE)]]
)
def test_without_anything_to_part_all_of_the_coarse_mask_is_the_shape(found: list) -> None:
    assert torch.equal(shape_of(found, COARSE, Shaping()), COARSE)


@pytest.mark.parametrize(("least", "count"), [(0.0, 0), (0.02, 2), (0.31, 17), (1.0, 54)])
def test_the_least_share_is_the_highest_cells(least: float, count: int) -> None:
    far = torch.zeros(SIZE, dtype=torch.bool)
    far[:2, :2] = True
    found = planted(far)
    found[4, 4], found[5, 11] = 0.2, 0.19
    shape = shape_of([found], COARSE, Shaping(least=least))
    assert int(shape.sum()) == count and not (shape & ~COARSE).any()
    if count:
        assert shape[4, 4] and shape[5, 11]
    if count == 17:
        assert float(found[shape].min()) >= float(found[COARSE & ~shape].max())


def test_the_least_share_keeps_what_was_found() -> None:
    low = torch.zeros(SIZE, dtype=torch.bool)
    low[4, 6] = True
    values = [planted(low, 0.9, 0.1), planted(OTHER & False, 0.9, 0.1)]
    values[1][0, 0] = 3.0  # of a second word nothing lies in the coarse mask, but it is higher in its cells
    values[1][2:8, 3:5] = 1.4
    shape = shape_of(values, COARSE, Shaping(threshold=0.95, least=0.1))
    assert shape[4, 6] and int(shape.sum()) >= 6


@pytest.mark.parametrize(
    ("start", "steps", "first"),
    [(1 / 3, 20, 7), (0.33, 20, 7), (1 / 3, 3, 1), (0, 9, 0), (1, 9, 9), (0.5, 8, 4)],
)
def test_the_first_share_of_the_steps_has_no_shape(start: float, steps: int, first: int) -> None:
    assert first_step(start, steps) == first
