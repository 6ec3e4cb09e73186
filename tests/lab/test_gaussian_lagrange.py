"""The Lagrange sampler on problems with a known answer: the exact moments of what it samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from recompose.core.sampling import lagrange, schedules
from recompose.core.sampling.lagrange import Settings
from recompose.core.sampling.noise_schedule import NoiseSchedule
from recompose.core.sampling.repaint import PRESETS
from recompose.lab.evaluate.samplers import gaussian
from recompose.lab.evaluate.samplers.gaussian import FLOW, VE, A, B, C, Problem

LOWEST, HIGHEST, DEFAULT = 0.0291675, 14.6146, Settings()


def divergence(problem: Problem, path: NoiseSchedule, calls: int, settings: Settings = DEFAULT) -> float:
    sigmas = torch.tensor(schedules.karras(path, calls, LOWEST, HIGHEST), dtype=torch.float64)
    return gaussian.lagrange_moments(problem, path, sigmas, settings).divergence(problem.posterior())


@pytest.mark.parametrize("path", [VE, FLOW])
@pytest.mark.parametrize(
    ("calls", "bounds"), [(50, (4e-4, 9e-3, 1e-3)), (100, (5e-5, 2e-3, 1e-4)), (200, (5e-5, 1e-3, 1e-4))]
)
def test_the_answer_is_nearly_exact(path: NoiseSchedule, calls: int, bounds: tuple[float, ...]) -> None:
    found = [divergence(problem, path, calls) for problem in (A, B, C)]
    assert all(off < bound for off, bound in zip(found, bounds, strict=True)), found


@pytest.mark.parametrize("path", [VE, FLOW])
def test_fifty_calls_come_fifty_times_closer_on_average_than_repaint_s_two_hundred(
    path: NoiseSchedule,
) -> None:
    steps, settings = PRESETS["best"]
    sigmas = gaussian.flow_sigmas(steps) if path is FLOW else gaussian.sd_sigmas(steps)
    times = []
    for problem in gaussian.random_problems(4, seed=1):
        other = gaussian.repaint_moments(problem, path, sigmas, settings).divergence(problem.posterior())
        times.append(other / divergence(problem, path, 50))
    assert min(times) > 10 and math.prod(times) > 50 ** len(times), times


def test_guidance_on_known_cells_changes_nothing_where_the_answer_before_it_is_told() -> None:
    world = gaussian.Gaussians([B], VE, 60)
    sigmas = torch.tensor(schedules.karras(VE, 50, LOWEST, HIGHEST), dtype=torch.float64)
    exact, answer = world.model, torch.empty(0)

    def overdone(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        nonlocal answer
        answer = exact(x, sigma)
        return torch.where(world.mask < 1, 2 * answer, answer)

    def run(model: Callable, **more: Any) -> torch.Tensor:
        world.__init__([B], VE, 60)
        world.model = model
        return gaussian.sampled(partial(lagrange.sample, **more), world, sigmas, DEFAULT)

    plain = run(exact)
    assert torch.equal(run(overdone, unguided=lambda: answer), plain)
    assert not torch.allclose(run(overdone), plain)


def test_levels_far_apart_in_noise_cost_what_the_push_gains() -> None:
    sigmas = gaussian.sd_sigmas(50)
    off = gaussian.lagrange_moments(B, VE, sigmas, DEFAULT).divergence(B.posterior())
    assert off > 50 * divergence(B, VE, 50)


def test_a_push_is_what_brings_the_known_cells_in() -> None:
    assert divergence(B, VE, 50, Settings(gain=0.0)) > 1


def test_noise_on_known_cells_costs_next_to_nothing() -> None:
    clean, noisy = (divergence(B, VE, 50, Settings(known_noise=share)) for share in (0.0, 1.0))
    assert noisy == pytest.approx(clean, rel=0.02)


@pytest.mark.parametrize("mask", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("path", [VE, FLOW])
def test_what_was_seen_through_noise_is_weighed_exactly(mask: float, path: NoiseSchedule) -> None:
    soft = replace(B, mask=torch.where(B.mask < 1, mask, 1.0).double())
    off = [divergence(soft, path, calls) for calls in (25, 50, 100)]
    assert off[2] < off[1] < off[0]
    assert off[2] < 1e-3


def test_the_mask_s_value_is_strength() -> None:
    """From 0 to 1 the first number's mean goes from the observed value to the unconditional mean."""
    means, sigmas = [], torch.tensor(schedules.karras(VE, 50, LOWEST, HIGHEST)).double()
    for mask in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 1 - 1e-4, 1.0):
        problem = gaussian.observed(A.covariance, [0], [1.5], mask)
        means.append(gaussian.lagrange_moments(problem, VE, sigmas, DEFAULT).mean[0].item())
        assert means[-1] == pytest.approx(1.5 * (1 - mask), abs=0.01), mask
    assert means == sorted(means, reverse=True)


def test_everything_unknown_is_the_prior() -> None:
    free = Problem(B.covariance, torch.ones(8).double(), torch.zeros(8).double())
    assert divergence(free, VE, 100) < 1e-3


def test_the_sigmas_are_karras_s_and_a_flow_s_begin_with_noise_alone() -> None:
    plain, flow = (schedules.karras(path, 5, 0.1, 10.0) for path in (VE, FLOW))
    assert len(plain) == len(flow) == 6
    assert (plain[0], plain[4], plain[5]) == pytest.approx((10, 0.1, 0))
    assert (flow[0], flow[1], flow[4], flow[5]) == pytest.approx((1, 10 / 11, 0.1 / 1.1, 0))


def test_sigmas_that_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="must descend"):
        gaussian.lagrange_moments(A, VE, torch.tensor([1.0, 2.0, 0.0]).double(), Settings())
