"""Sketches in cells, and the steps that see them."""

from __future__ import annotations

import pytest
import torch
from recompose.core.exemplar import sketch
from recompose.core.shapes import Size


def test_lines_count_within_the_hole_only() -> None:
    lines = torch.zeros(1, 1, 16, 24)
    lines[..., 8:16, 8:16] = 1
    lines[..., 0:8, 0:8] = 1
    hole = torch.zeros(1, 1, 16, 24)
    hole[..., 8:24] = 1
    found = sketch.cells_of(lines, hole, Size(3, 2), antialias=True)
    assert found.shape == (1, 3, 2, 3) and torch.equal(found[:, 0], found[:, 2])
    assert found[0, 0, 1, 1] > 0 and torch.equal(found[0, 0, :, 0] < -0.7, torch.tensor([True, True]))
    empty = sketch.cells_of(0 * lines, hole, Size(3, 2), antialias=False)
    assert torch.equal(empty, torch.full((1, 3, 2, 3), sketch.BLANK))


@pytest.mark.parametrize(("antialias", "seen"), [(False, 2), (True, 8)])
def test_without_antialias_a_thin_line_falls_between_the_places_that_are_read(
    antialias: bool, seen: int
) -> None:
    # A bilinear resize by 8 without antialias reads the two pixels in the middle of each cell.
    found = 0
    for row in range(8):
        lines = torch.zeros(1, 1, 24, 24)
        lines[..., 8 + row, :] = 1
        cells = sketch.cells_of(lines, torch.ones(1, 1, 24, 24), Size(3, 3), antialias)
        found += bool(cells[0, 0, 1, 1] > sketch.BLANK)
    assert found == seen


@pytest.mark.parametrize(("until", "count"), [(0, 0), (0.25, 12), (0.5, 25), (0.75, 37), (1, 50)])
def test_the_first_steps_see_the_sketch(until: float, count: int) -> None:
    seen = [sketch.with_sketch(step, 50, until) for step in range(50)]
    assert seen == [True] * count + [False] * (50 - count)
