from __future__ import annotations

import pytest
import torch
from recompose.core import batch


def test_batches_of_one_fit_any_and_others_must_be_equal() -> None:
    one, three = torch.zeros(1, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    assert batch.common_batch({"a": one, "b": three, "c": None}) == 3
    assert batch.broadcast(one, 3, "a").shape[0] == 3
    assert batch.repeated("x", 3, "a") == ["x"] * 3 and batch.repeated([1, 2], 2, "a") == [1, 2]
    with pytest.raises(ValueError, match="a has a batch of 2 but 3"):
        batch.repeated([1, 2], 3, "a")
    with pytest.raises(ValueError, match="a 2, b 3"):
        batch.common_batch({"a": torch.zeros(2, 1, 2, 2), "b": three})
    with pytest.raises(ValueError, match="batch of 3"):
        batch.broadcast(three, 2, "The mask")
