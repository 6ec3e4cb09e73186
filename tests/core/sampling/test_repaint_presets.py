"""The presets make the model calls they promise, and spend them better than other settings would."""

from __future__ import annotations

import math

import pytest
from recompose.core.sampling.repaint import PRESETS, Settings, model_calls, plan
from recompose.lab.evaluate.samplers import gaussian
from recompose.lab.evaluate.samplers.gaussian import FLOW, VE, Problem

PROBLEMS = gaussian.random_problems(20, seed=1)
CALLS = {"fast": 50, "better": 100, "best": 200}
# steps, jump_length, resamplings that make as many calls
OTHERS = {
    "fast": [(50, 1, 1), (26, 8, 2), (20, 5, 3)],
    "better": [(100, 1, 1), (52, 4, 2), (36, 8, 3), (34, 1, 3), (28, 4, 4)],
    "best": [(200, 1, 1), (104, 8, 2), (68, 3, 3), (56, 8, 4)],
}


def off(problems: list[Problem], steps: int, settings: Settings, flow: bool = False) -> float:
    """The geometric mean of the divergences from the truth."""
    path = FLOW if flow else VE
    sigmas = gaussian.flow_sigmas(steps) if flow else gaussian.sd_sigmas(steps)
    found = [
        gaussian.repaint_moments(problem, path, sigmas, settings).divergence(problem.posterior())
        for problem in problems
    ]
    return math.exp(sum(map(math.log, found)) / len(found))


@pytest.mark.parametrize("name", CALLS)
def test_a_preset_asks_the_model_as_often_as_it_says(name: str) -> None:
    preset = PRESETS[name]
    assert model_calls(plan(gaussian.sd_sigmas(preset.steps).tolist(), preset.settings)) == CALLS[name]


@pytest.mark.parametrize("name", CALLS)
def test_no_neighbour_of_as_many_calls_is_clearly_better(name: str) -> None:
    ours = off(PROBLEMS, *PRESETS[name])
    for steps, jump, times in OTHERS[name]:
        settings = Settings(jump, times)
        assert model_calls(plan(gaussian.sd_sigmas(steps).tolist(), settings)) == CALLS[name]
        assert ours < 1.1 * off(PROBLEMS, steps, settings), (steps, jump, times)


@pytest.mark.parametrize("flow", [False, True])
def test_more_calls_come_closer_and_resampling_closer_than_finer_steps(flow: bool) -> None:
    fast, better = (off(PROBLEMS[::4], *PRESETS[name], flow) for name in ("fast", "better"))
    assert better < fast < off(PROBLEMS[::4], 50, Settings(1, 1), flow)


def test_the_random_problems_are_correlations_partly_seen() -> None:
    for problem in PROBLEMS:
        assert 4 <= len(problem.mask) <= 16
        assert problem.covariance.diagonal().tolist() == pytest.approx([1.0] * len(problem.mask))
        assert 2 <= int(problem.wanted.sum()) < len(problem.mask)
