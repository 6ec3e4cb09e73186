"""Losses against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from recompose.training import losses


def test_picture_loss_of_one_wrong_pixel_counts_colour_and_edges() -> None:
    true = torch.zeros(1, 1, 2, 3)
    wrong = true.clone()
    wrong[0, 0, 0, 1] = 0.5
    # 6 pixels: 0.5/6 + 0.25/6; 4 edges to the right: 2 wrong by 0.5; 3 edges down: 1 wrong by 0.5.
    assert float(losses.picture(wrong, true, 2.0)) == pytest.approx(0.75 / 6 + 2 * (1.0 / 4 + 0.5 / 3))
    assert float(losses.picture(true, true)) == 0


def test_velocity_loss_weighs_clean_steps_and_given_cells_less() -> None:
    ratio = torch.tensor([0.01, 5.0, 20.0])
    torch.testing.assert_close(losses.min_snr_weight(ratio), torch.tensor([1.0, 1.0, 0.25]))
    true = torch.zeros(3, 1, 1, 2)
    predicted = torch.tensor([1.0, 2.0, 4.0]).reshape(3, 1, 1, 1).expand(3, 1, 1, 2)
    cells = torch.tensor([1.0, 0.5]).reshape(1, 1, 1, 2).expand(3, 1, 1, 2)
    expected = (0.75 * 1 + 0.75 * 4 + 0.25 * 0.75 * 16) / 3
    assert float(losses.velocity(predicted, true, ratio, cells)) == pytest.approx(expected)


def test_unit_statistics_is_zero_only_for_mean_0_and_deviation_1() -> None:
    unit = torch.tensor([-1.0, 1.0, -1.0, 1.0]).reshape(1, 1, 1, 4)
    unit = unit / unit.std()
    assert float(losses.unit_statistics(unit)) == pytest.approx(0, abs=1e-6)
    assert float(losses.unit_statistics(3 * unit + 2)) == pytest.approx(4 + 4)


def test_words_loss_passes_over_what_is_ignored() -> None:
    scores = torch.log(torch.tensor([[[0.25, 0.75], [0.5, 0.5], [0.1, 0.9]]]))
    assert float(losses.token_cross_entropy(scores, torch.tensor([[1, -100, 0]]))) == pytest.approx(
        -(math.log(0.75) + math.log(0.1)) / 2
    )


def test_decibel_of_a_tenth() -> None:
    true = torch.rand(2, 3, 5, 7)
    assert float(losses.psnr(true + 0.1, true)) == pytest.approx(20, abs=1e-3)
