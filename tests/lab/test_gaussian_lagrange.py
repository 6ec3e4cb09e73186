"""The Lagrange sampler on problems with a known answer: the exact moments of what it samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
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


def levels(path: NoiseSchedule, calls: int) -> torch.Tensor:
    noisiest = 1.0 if path is FLOW else HIGHEST
    return torch.tensor(schedules.inpaint(path, calls, LOWEST, noisiest), dtype=torch.float64)


def divergence(problem: Problem, path: NoiseSchedule, calls: int, settings: Settings = DEFAULT) -> float:
    sigmas = levels(path, calls)
    return gaussian.lagrange_moments(problem, path, sigmas, settings).divergence(problem.posterior())


@pytest.mark.parametrize("path", [VE, FLOW])
@pytest.mark.parametrize(
    ("calls", "bounds"),
    [
        (20, (2e-3, 0.09, 4e-3)),
        (50, (2e-4, 6e-3, 4e-4)),
        (100, (5e-5, 2e-3, 1e-4)),
        (200, (5e-5, 1e-3, 1e-4)),
    ],
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


@pytest.mark.parametrize("path", [VE, FLOW])
@pytest.mark.parametrize("cfg", [2.0, 5.0])
def test_under_guidance_the_guided_prediction_is_the_one_to_judge_by(cfg: float, path: NoiseSchedule) -> None:
    """Of exact denoisers; judged before guidance the mean is off, and more steps do not help."""
    found = {judge: guided_divergences(judge, cfg, path, 50) for judge in lagrange.JUDGES}
    assert max(found["guided"]) < 0.01
    assert max(found["positive"]) > 3 * max(found["blend"]) > 3 * 1e-3
    assert max(guided_divergences("positive", cfg, path, 200)) > 0.5 * max(found["positive"])
    assert max(guided_divergences("guided", cfg, path, 20)) < 0.07


def guided_divergences(judge: str, cfg: float, path: NoiseSchedule, calls: int) -> list[float]:
    world = gaussian.Guided([A, B, C], path, calls + 4, cfg)
    settings = Settings(judged_by=judge)
    run = partial(lagrange.sample, unguided=world.unguided)
    moments = world.moments(gaussian.sampled(run, world, levels(path, calls), settings))
    return [each.divergence(world.truth(problem)) for each, problem in zip(moments, (A, B, C), strict=True)]


def test_guidance_on_known_cells_changes_nothing_where_the_answer_before_it_is_told() -> None:
    world = gaussian.Gaussians([B], VE, 60)
    sigmas = levels(VE, 50)
    exact, answer = world.model, torch.empty(0)

    def overdone(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        nonlocal answer
        answer = exact(x, sigma)
        return torch.where(world.mask < 1, 2 * answer, answer)

    def run(model: Callable, **more: Any) -> torch.Tensor:
        world.__init__([B], VE, 60)
        world.model = model
        settings = Settings(judged_by="positive")
        return gaussian.sampled(partial(lagrange.sample, **more), world, sigmas, settings)

    plain = run(exact)
    assert torch.equal(run(overdone, unguided=lambda: answer), plain)
    assert not torch.allclose(run(overdone), plain)


def test_levels_far_apart_in_noise_cost_what_the_push_gains() -> None:
    sigmas = gaussian.sd_sigmas(50)
    off = gaussian.lagrange_moments(C, VE, sigmas, DEFAULT).divergence(C.posterior())
    assert off > 50 * divergence(C, VE, 50)


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
    means, sigmas = [], levels(VE, 50)
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


@pytest.mark.parametrize("noisiest", [14.6, 80.0, 120.0, 4518.0])
def test_a_model_that_begins_with_more_noise_is_sampled_as_well(noisiest: float) -> None:
    sigmas = torch.tensor(schedules.inpaint(VE, 50, LOWEST, noisiest), dtype=torch.float64)
    off = gaussian.lagrange_moments(B, VE, sigmas, DEFAULT).divergence(B.posterior())
    assert off < 6e-3 and sigmas[0] == noisiest and len(sigmas) == 51


def test_inpaint_is_a_wide_step_and_then_even_in_the_4th_root() -> None:
    plain, flow = (schedules.inpaint(path, 40, 0.03, most) for path, most in ((VE, 12.0), (FLOW, 1.0)))
    roots = [sigma**0.25 for sigma in plain[1:-1]]
    steps = [above - below for above, below in pairwise(roots)]
    assert steps == pytest.approx([steps[0]] * 38)
    assert (plain[0], plain[1], plain[-2], plain[-1]) == pytest.approx((12, 12 * math.exp(-0.5), 0.03, 0))
    ratios = [sigma / (1 - sigma) for sigma in flow[1:]]
    assert flow[0] == 1 and ratios[0] == pytest.approx(15 * math.exp(-0.5)) and ratios[-1] == 0
    for count in (1, 2, 3, 20):
        assert len(schedules.inpaint(VE, count, 0.03, 12.0)) == count + 1
    narrow = schedules.inpaint(VE, 5, 0.9, 1.0)
    assert narrow == sorted(narrow, reverse=True) and len(set(narrow)) == 6


def test_levels_far_apart_are_found_where_they_matter() -> None:
    assert schedules.widest_step(VE, [80.0, 5.0, 4.0, 1.0, 0.6, 0.0]) == pytest.approx(4)
    assert schedules.widest_step(FLOW, [1.0, 0.75, 0.5, 0.2, 0.0]) == pytest.approx(4)
    for path in (VE, FLOW):
        assert schedules.widest_step(path, levels(path, 16).tolist()) < schedules.FAR_APART
        assert schedules.widest_step(path, levels(path, 8).tolist()) > schedules.FAR_APART


def test_sigmas_that_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="must descend"):
        gaussian.lagrange_moments(A, VE, torch.tensor([1.0, 2.0, 0.0]).double(), Settings())
