"""Turned squares: where their pixels come from, and where the points in them lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from recompose.core.pose.blazepose import landmarks, region
from recompose.core.pose.blazepose.region import Region


@pytest.mark.parametrize(
    ("edge", "angle"),
    [
        ((100, 20), 0),  # the head above the hips
        ((140, 60), math.pi / 2),  # to the right
        ((60, 60), -math.pi / 2),
        ((100, 100), math.pi),  # upside down
        ((100 + 28.284271, 60 - 28.284271), math.pi / 4),
    ],
)
def test_the_square_around_a_circle(edge: tuple[float, float], angle: float) -> None:
    square = region.around((100, 60), edge)
    assert square[:3] == pytest.approx((100, 60, 2 * 40 * 1.25))
    assert math.cos(square.angle - angle) == pytest.approx(1)


def picture() -> torch.Tensor:
    """Two channels that say where a pixel lies: x and y of its centre, as parts of 100 pixels."""
    y, x = torch.meshgrid(torch.arange(90) + 0.5, torch.arange(140) + 0.5, indexing="ij")
    return torch.stack([x, y])[None] / 100


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 2, 2.0, math.pi, -1.1])
@pytest.mark.parametrize(("side", "size"), [(32, 64), (40, 40), (60, 16)])
def test_pixels_and_points_agree(angle: float, side: float, size: int) -> None:
    """What a pixel of the square shows lies where the point at its centre is brought to."""
    square = Region(71.3, 44.1, side, angle)
    seen = region.cut(picture(), square, size)
    assert seen.shape == (1, 2, size, size)
    for row, column in ((0, 0), (size // 2, 3), (size - 1, size - 2), (1, size - 1)):
        part = np.array([[(column + 0.5) / size, (row + 0.5) / size, 1, 1]])
        x, y = landmarks.to_picture(part, square)[0, :2]
        # Where the picture is reduced first its pixels' centres are rounded to a fraction of a pixel.
        assert (100 * seen[0, :, row, column]).tolist() == pytest.approx(
            [x, y], abs=0.5 * max(side / size, 0.05)
        )


def test_the_border_is_repeated_beyond_the_picture() -> None:
    seen = region.cut(picture(), Region(140, 45, 60, 0), 60)
    assert (100 * seen[0, 0, :, 31:]).unique().tolist() == pytest.approx([139.5], abs=1e-3)
    far = region.cut(picture(), Region(-900, 4000, 50, 0.3), 8)
    assert (100 * far[0, 0]).unique().tolist() == pytest.approx([0.5], abs=1e-3)
    assert (100 * far[0, 1]).unique().tolist() == pytest.approx([89.5], abs=1e-3)


def test_a_huge_square_and_a_tiny_picture() -> None:
    assert region.cut(torch.rand(1, 3, 1, 1), Region(0.5, 0.5, 1e5, 1.0), 16).isfinite().all()
    assert region.cut(torch.rand(1, 3, 40, 1), Region(0.5, 20, 39, 0.0), 16).isfinite().all()
