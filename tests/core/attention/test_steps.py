"""The step of a model call, from the run's own sigmas."""

from __future__ import annotations

import pytest
import torch
from recompose.core.attention.steps import kept_from, step_of

SIGMAS = [14.6, 7.0, 3.0, 1.0, 0.3, 0.0]
CALLS = {14.6: 0, 13.0: 0, 7.0: 1, 6.9: 1, 3.0: 2, 2.0: 2, 1.0: 3, 0.3: 4, 0.1: 4, 0.0: 4, 20.0: 0}


@pytest.mark.parametrize(("sigma", "step"), CALLS.items())
def test_a_call_belongs_to_the_step_that_runs(sigma: float, step: int) -> None:
    assert step_of(sigma, SIGMAS) == step


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_level_is_found_after_rounding(dtype: torch.dtype) -> None:
    sigmas = torch.linspace(14.6, 0, 21).to(dtype).tolist()
    assert [step_of(float(torch.tensor(sigma)), sigmas) for sigma in sigmas[:-1]] == [*range(20)]


def test_keeping_a_share_leaves_out_the_first_steps() -> None:
    assert kept_from(0.92, 50) == 4  # the published start
    assert kept_from(1, 50) == 0
    assert kept_from(0, 50) == 50
    assert [kept_from(0.92, count) for count in (4, 8, 20, 30)] == [1, 1, 2, 3]
    starts = [kept_from(keep / 100, 50) for keep in range(101)]
    assert starts == sorted(starts, reverse=True)
