"""The operators' less usual settings, by hand or beside the plainest loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recompose.core.pose.blazepose import network
from recompose.core.pose.blazepose.tflite import Settings


@pytest.mark.parametrize(
    ("side", "window", "stride", "dilation", "before", "behind"),
    [
        (4, 3, 1, 1, 1, 1),
        (4, 3, 2, 1, 0, 1),  # the odd pixel comes behind
        (5, 3, 2, 1, 1, 1),
        (6, 5, 2, 1, 1, 2),
        (4, 2, 2, 1, 0, 0),
        (3, 2, 2, 1, 0, 1),
        (7, 3, 1, 2, 2, 2),
        (4, 1, 3, 1, 0, 0),  # never less than nothing
    ],
)
def test_same_padding(side: int, window: int, stride: int, dilation: int, before: int, behind: int) -> None:
    settings = Settings(stride=(stride, 1), dilation=(dilation, 1))
    assert network.same_padding((side, 9), (window, 1), settings) == (0, 0, before, behind)
    settings = Settings(stride=(1, stride), dilation=(1, dilation))
    assert network.same_padding((9, side), (1, window), settings) == (before, behind, 0, 0)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize(("stride", "dilation"), [((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (2, 3))])
def test_convolution_beside_a_loop(same: bool, stride: tuple[int, int], dilation: tuple[int, int]) -> None:
    random = np.random.default_rng(3)
    x, weight = random.normal(size=(1, 2, 9, 8)), random.normal(size=(3, 2, 3, 2))
    settings = Settings(same=same, stride=stride, dilation=dilation, activation="relu")
    made = network.convolve(torch.tensor(x), torch.tensor(weight), None, settings, 1)
    left, right, top, bottom = network.same_padding((9, 8), (3, 2), settings) if same else (0,) * 4
    wide = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    for row in range(made.shape[2]):
        for column in range(made.shape[3]):
            part = wide[
                0,
                :,
                row * stride[0] : row * stride[0] + 3 * dilation[0] : dilation[0],
                column * stride[1] : column * stride[1] + 2 * dilation[1] : dilation[1],
            ][:, :3, :2]
            right_values = np.maximum((weight * part).sum(axis=(1, 2, 3)), 0)
            assert np.allclose(made[0, :, row, column], right_values)


def test_pooling_ignores_what_is_beyond_the_border() -> None:
    x = -torch.arange(1.0, 10.0).view(1, 1, 3, 3)
    assert network.pool(x, Settings(window=(2, 2), stride=(2, 2))).tolist() == [[[[-1, -3], [-7, -9]]]]
    valid = network.pool(x, Settings(same=False, window=(2, 2), stride=(1, 1)))
    assert valid.tolist() == [[[[-1, -2], [-4, -5]]]]


@pytest.mark.parametrize(
    ("settings", "right"),
    [
        (Settings(), [0, 1.5, 3, 3]),  # from the left edge on, the last pixel repeated
        (Settings(align_corners=True), [0, 1, 2, 3]),
        (Settings(half_pixel_centers=True), [0, 0.75, 2.25, 3]),
    ],
)
def test_the_three_ways_to_resize(settings: Settings, right: list[float]) -> None:
    row = torch.tensor([[[[0.0, 3.0]]]])
    assert network.resize(row, (1, 4), settings).flatten().tolist() == pytest.approx(right)
    assert network.resize(row.mT, (4, 1), settings).flatten().tolist() == pytest.approx(right)


def test_depth_to_space_puts_channels_innermost() -> None:
    x = torch.arange(8.0).view(1, 8, 1, 1)  # two channels in a block of two by two
    made = network.depth_to_space(x, 2)
    assert made[0, 0].tolist() == [[0, 2], [4, 6]] and made[0, 1].tolist() == [[1, 3], [5, 7]]


def test_reshape_goes_by_rows_columns_channels() -> None:
    x = torch.arange(12.0).view(1, 2, 3, 2).permute(0, 3, 1, 2)
    assert network.reshape(x, [1, 6, 2]).tolist() == torch.arange(12.0).view(1, 6, 2).tolist()


def test_padding_by_the_file_s_axes() -> None:
    x = torch.ones(1, 2, 1, 1)
    made = network.pad(x, np.array([[0, 0], [1, 0], [0, 2], [0, 1]]))
    assert made.shape == (1, 3, 2, 3) and made.sum() == 2
    assert made[0, 0, 1, 0] == 1 and made[0, 2].sum() == 0
