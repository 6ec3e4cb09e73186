"""DICE by hand, the error in the mask alone, and the gradient of the predicted mask."""

from __future__ import annotations

import pytest
import torch
from recompose.core.smartbrush.loss import LAMBDA, dice, in_mask, loss
from torch import Tensor

FAR = 40.0  # a logit whose sigmoid is 0 or 1


def mask(*cells: tuple[int, int]) -> Tensor:
    found = torch.zeros(1, 1, 4, 4)
    for row, column in cells:
        found[0, 0, row, column] = 1
    return found


@pytest.mark.parametrize(
    ("found", "wanted", "value"),
    [
        (mask((0, 0), (0, 1)), mask((0, 0), (0, 1)), 0.0),
        (mask((0, 0), (0, 1)), mask((2, 2), (3, 3)), 1.0),
        (mask((0, 0), (0, 1)), mask((0, 1), (0, 2)), 0.5),
        (mask((0, 0)), mask((0, 0), (0, 1), (0, 2)), 0.5),
        (mask(), mask((1, 1)), 1.0),
        (mask(), mask(), 0.0),
    ],
    ids=["the same", "disjoint", "half", "one of three", "nothing found", "both empty"],
)
def test_dice_by_hand(found: Tensor, wanted: Tensor, value: float) -> None:
    assert dice(FAR * (2 * found - 1), wanted).item() == pytest.approx(value, abs=2e-5)


def test_dice_is_soft_and_of_each_picture() -> None:
    # All of 16 cells at one half against 4: 2 · 2 / (8 + 4).
    logits, wanted = torch.zeros(2, 1, 4, 4), torch.cat([mask((0, 0), (1, 1), (2, 2), (3, 3)), mask((0, 0))])
    torch.testing.assert_close(dice(logits, wanted), torch.tensor([1 - 4 / 12, 1 - 1 / 9]), rtol=0, atol=1e-5)


def test_only_errors_in_the_mask_count() -> None:
    wrong = torch.zeros(1, 2, 4, 4)
    wrong[0, :, 0, 0] = torch.tensor([3.0, 1.0])
    wrong[0, :, 3, 3] = 100
    assert in_mask(wrong, mask((0, 0), (1, 1))).item() == pytest.approx((9 + 1) / 2 / 2)
    assert in_mask(wrong, mask()).item() == 0


def test_pictures_without_an_object_have_no_dice() -> None:
    wrong, logit = torch.zeros(2, 4, 4, 4), -FAR * torch.ones(2, 1, 4, 4)
    exact = torch.cat([mask((1, 1)), torch.ones(1, 1, 4, 4)])
    whole = torch.ones(2, 1, 4, 4)
    assert loss(wrong, whole, logit, exact, torch.tensor([1.0, 0.0])).item() == pytest.approx(
        LAMBDA, rel=2e-5
    )
    assert loss(wrong, whole, logit, exact, torch.zeros(2)).item() == 0


def test_the_gradient_of_the_predicted_mask_is_that_of_dice() -> None:
    logit = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(2), dtype=torch.double)
    logit.requires_grad_(True)
    exact = torch.cat([mask((0, 0), (0, 1)), mask((2, 3))]).double()

    def total(values: Tensor) -> Tensor:
        found = values.sigmoid().flatten(1)
        wanted = exact.flatten(1)
        return LAMBDA * (1 - 2 * (found * wanted).sum(1) / (found.sum(1) + wanted.sum(1))).mean()

    ours = loss(torch.zeros(2, 4, 4, 4), exact, logit, exact, torch.ones(2))
    (gradient,) = torch.autograd.grad(ours, logit)
    (wanted,) = torch.autograd.grad(total(logit), logit)
    torch.testing.assert_close(gradient, wanted, rtol=1e-3, atol=1e-8)
    # It pulls the mask up where the thing is, and down where it is not.
    assert (gradient[exact > 0] < 0).all() and (gradient[exact == 0] > 0).all()
