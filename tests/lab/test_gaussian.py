"""RePaint on problems with a known answer: the exact moments of what it samples."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from recompose.core.sampling.noise_schedule import NoiseSchedule
from recompose.core.sampling.repaint import Settings
from recompose.lab.evaluate.samplers import gaussian
from recompose.lab.evaluate.samplers.gaussian import FLOW, VE, A, B, C, Problem

ROWS = [
    # path, steps, jump_length, resamplings, eta: mean, variance, KL
    (VE, 20, 10, 1, 1, 0.875622, 0.257757, 0.618007),
    (VE, 50, 10, 1, 1, 0.914910, 0.277203, 0.538786),
    (VE, 20, 5, 3, 1, 1.112196, 0.205019, 0.150303),
    (VE, 20, 1, 5, 1, 1.232949, 0.122825, 0.077411),
    (VE, 50, 5, 5, 1, 1.246749, 0.173720, 0.030002),
    (VE, 50, 5, 5, 0, 1.189198, 0.199803, 0.068689),
    (VE, 50, 10, 10, 1, 1.208340, 0.211256, 0.055723),
    (VE, 50, 10, 10, 0, 1.204231, 0.232027, 0.066600),
    (VE, 250, 10, 10, 1, 1.310230, 0.177685, 0.005260),
    (VE, 250, 10, 10, 0, 1.280032, 0.195409, 0.013082),
    (FLOW, 20, 10, 1, 0, 0.655630, 0.392299, 1.438680),
    (FLOW, 50, 10, 1, 0, 0.664553, 0.417661, 1.441700),
    (FLOW, 20, 5, 3, 0, 1.025891, 0.252834, 0.298936),
    (FLOW, 20, 1, 5, 0, 1.177798, 0.195304, 0.078227),
    (FLOW, 20, 2, 5, 0, 1.172673, 0.199125, 0.083309),
    (FLOW, 50, 5, 5, 0, 1.184687, 0.215773, 0.076139),
    (FLOW, 50, 10, 10, 0, 1.254500, 0.205037, 0.025489),
]


def sigmas(path: NoiseSchedule, steps: int) -> torch.Tensor:
    return gaussian.sd_sigmas(steps) if path is VE else gaussian.flow_sigmas(steps)


@pytest.mark.parametrize(("path", "steps", "jump", "times", "eta", "mean", "variance", "off"), ROWS)
def test_the_moments_are_the_published_ones(
    path: NoiseSchedule,
    steps: int,
    jump: int,
    times: int,
    eta: float,
    mean: float,
    variance: float,
    off: float,
) -> None:
    found = gaussian.repaint_moments(A, path, sigmas(path, steps), Settings(jump, times, eta))
    numbers = [found.mean.item(), found.covariance.item(), found.divergence(A.posterior())]
    assert numbers == pytest.approx([mean, variance, off], abs=1e-6)


def test_the_true_answer_is_the_textbook_s() -> None:
    truth = A.posterior()
    assert (truth.mean.item(), truth.covariance.item()) == pytest.approx((1.35, 0.19), abs=1e-12)
    # The row is a chain: what lies right of the known half depends on its last number alone.
    chain = B.posterior()
    assert chain.mean.tolist() == pytest.approx([1.5 * 0.9**step for step in (1, 2, 3, 4)], abs=1e-12)
    assert truth.divergence(truth) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("name", "problem"), [("B", B), ("C", C)])
def test_more_resampling_comes_closer(name: str, problem: Problem) -> None:
    """Monte Carlo runs published 0.954 and 0.803 for the middle one, 0.393 and 0.392 for the last."""
    published = {"B": (1.66, 0.954, 0.393), "C": (1.84, 0.803, 0.392)}[name]
    runs = [(20, Settings(10, 1)), (20, Settings(5, 3)), (50, Settings(10, 10))]
    found = [
        gaussian.repaint_moments(problem, VE, gaussian.sd_sigmas(steps), settings).divergence(
            problem.posterior()
        )
        for steps, settings in runs
    ]
    assert found == pytest.approx(published, rel=0.05)


def soft(problem: Problem, mask: float) -> Problem:
    return replace(problem, mask=torch.where(problem.mask < 1, mask, 1.0).double())


@pytest.mark.parametrize("mask", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("path", [VE, FLOW])
def test_seeing_everything_through_noise_is_answered_exactly(mask: float, path: NoiseSchedule) -> None:
    """Without unknown cells nothing is inconsistent: only the width of the steps is left as an error."""
    everything = gaussian.observed(B.covariance, list(range(8)), [1.0, -0.5, 0.5, 1.5, 1, 0, 0.3, -1], mask)
    off = [
        gaussian.repaint_moments(everything, path, sigmas(path, steps), Settings(1, 1)).divergence(
            everything.posterior()
        )
        for steps in (20, 100, 500)
    ]
    assert off[2] < off[1] < off[0]
    assert off[2] < 0.01


@pytest.mark.parametrize("mask", [0.25, 0.5, 0.75])
def test_a_half_seen_through_noise_is_found_the_better_the_finer_the_steps(mask: float) -> None:
    runs = [(20, Settings(5, 3)), (50, Settings(5, 5)), (100, Settings(10, 10))]
    problem = soft(B, mask)
    off, hard = (
        [
            gaussian.repaint_moments(world, VE, gaussian.sd_sigmas(steps), settings).divergence(
                world.posterior()
            )
            for steps, settings in runs
        ]
        for world in (problem, B)
    )
    assert off[2] < off[1] / 2 < off[0] / 4
    assert off[2] < 0.12
    assert all(through_noise < plain for through_noise, plain in zip(off, hard, strict=True))


def test_the_mask_s_value_is_strength() -> None:
    """From 0 to 1 the first number's mean goes from the observed value to the unconditional mean."""
    means, values = [], [0.0, 1e-4, 0.05, 0.25, 0.5, 0.75, 0.95, 1 - 1e-4, 1.0]
    for mask in values:
        problem = gaussian.observed(A.covariance, [0], [1.5], mask)
        found = gaussian.repaint_moments(problem, VE, gaussian.sd_sigmas(50), Settings(5, 5))
        means.append(found.mean[0].item() if mask else 1.5)
    assert means == sorted(means, reverse=True)
    assert means[1] == pytest.approx(1.5, abs=0.03)
    assert means[-1] == pytest.approx(0, abs=1e-12)
