"""The landmarks network's numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose.blazepose import landmarks

OFF = -30.0


def heat(cells: dict[tuple[int, int], float], index: int = 4) -> np.ndarray:
    """Maps without anything but these cells (row, column) of one point: logits."""
    maps = np.full((64, 64, 39), OFF, np.float32)
    for (row, column), logit in cells.items():
        maps[row, column, index] = logit
    return maps


def at(x: float, y: float, index: int = 4) -> np.ndarray:
    points = np.full((39, 4), 0.5)
    points[index, :2] = x, y
    return points


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        ({(20, 30): 30.0}, (30 / 64, 20 / 64)),  # one sure cell: its corner
        ({(20, 30): 30.0, (20, 31): 30.0}, (30.5 / 64, 20 / 64)),
        ({(22, 30): 30.0, (19, 29): 30.0}, (29.5 / 64, 20.5 / 64)),
        ({(20, 30): -1.0}, None),  # too unsure to say anything
        ({(20, 34): 30.0}, None),  # four cells away
        ({(20, 33): 30.0}, (33 / 64, 20 / 64)),  # three
    ],
)
def test_a_point_moves_to_the_middle_of_its_heat(
    cells: dict[tuple[int, int], float], right: tuple[float, float] | None
) -> None:
    points = at(30.4 / 64, 20.9 / 64)
    refined = landmarks.refine(points, heat(cells))
    assert refined[4, :2].tolist() == pytest.approx(list(right or points[4, :2]))
    others = np.arange(39) != 4
    assert np.array_equal(refined[others], points[others])


def test_points_beyond_the_square_stay() -> None:
    for x, y in ((-0.01, 0.5), (0.5, 1.0), (1.2, 0.5), (0.5, -3.0)):
        maps = heat({(min(max(int(y * 64), 0), 63), min(max(int(x * 64), 0), 63)): 30.0})
        assert landmarks.refine(at(x, y), maps)[4, :2].tolist() == [x, y]


def test_the_border_cuts_the_cells_short() -> None:
    refined = landmarks.refine(at(0.5 / 64, 63.5 / 64), heat({(63, 0): 30.0, (61, 2): 30.0}))
    assert refined[4, :2].tolist() == pytest.approx([1 / 64, 62 / 64])


def test_the_five_numbers_of_a_point() -> None:
    raw = np.zeros((39, 5), np.float32)
    raw[7] = 128, 64, 9, 0, 2
    x, y, visibility, presence = landmarks.decode(raw.ravel(), heat({}))[7]
    assert (x, y, visibility) == (0.5, 0.25, 0.5) and presence == pytest.approx(1 / (1 + np.exp(-2)))
