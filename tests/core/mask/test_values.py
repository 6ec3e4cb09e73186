"""Masks without their traces, and copies, against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from recompose.core.mask import values


@pytest.mark.parametrize("shape", [(40, 30), (2, 40, 30), (3, 1, 40, 30), (2, 1, 3, 40, 30)])
def test_traces_of_any_shape_are_left_out(shape: tuple[int, ...]) -> None:
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 1.2 - 0.2
    mask[..., 12:20, :] *= 0.02  # a good part of it are traces
    mask[..., :9, :] = -mask[..., :9, :].abs()
    for given in (mask, mask.mT, mask[..., 3:, 5:9], mask.clamp(min=0), -mask.abs(), torch.zeros(shape)):
        before = given.clone()
        found = values.without_traces(given)
        assert torch.equal(found, F.threshold(given, values.LEAST, 0.0)) and found.is_contiguous()
        found += 1
        assert torch.equal(given, before)


def test_a_number_that_is_none_is_not_hidden() -> None:
    mask = torch.zeros(2, 8, 6)
    mask[1, 3, 2] = torch.nan
    assert values.without_traces(mask).isnan().nonzero().tolist() == [[1, 3, 2]]
    assert values.copied(mask).isnan().sum() == 1


def test_a_copy_is_the_same_and_shares_nothing() -> None:
    mask = torch.zeros(2, 1, 30, 20)
    mask[1, 0, 7:9, 3] = 0.001
    copy = values.copied(mask)
    assert torch.equal(copy, mask)
    copy += 1
    assert mask.max() < 0.01
