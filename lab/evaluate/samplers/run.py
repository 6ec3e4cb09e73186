"""The chosen settings on the judged worlds: KL on A, B, C, weights of two modes, distances on pictures."""

from __future__ import annotations

from typing import Any

from ....core.sampling.noise_schedule import NoiseSchedule
from .gaussian import FLOW, VE, A, B, C, Gaussians
from .problems import TwoModes, picture_problems, sliced
from .sweep import Run

PATHS = {"eps": VE, "flow": FLOW}
# How far the corner is from the middle, and what was seen of the first two numbers.
MODES = ((0.9, (0.1, 0.05)), (0.7, (0.3, 0.1)), (0.8, (0.2, 0.0)))
DRAWS = 40_000
LARGEST_PICTURE_CALLS = 100  # the exact moments of 64 numbers take room


def gaussians(run: Run, draws: int, path: NoiseSchedule) -> dict[str, float]:
    """KL(sampled || true) in nats."""
    problems = {"A": A, "B": B, "C": C}
    world = Gaussians(list(problems.values()), path, draws)
    moments = world.moments(run(world))
    return {
        name: each.divergence(problem.posterior())
        for (name, problem), each in zip(problems.items(), moments, strict=True)
    }


def modes(run: Run, path: NoiseSchedule) -> list[float]:
    """Found minus true weight of the first mode."""
    worlds = [TwoModes(path, DRAWS, corner, seen, seed) for seed, (corner, seen) in enumerate(MODES)]
    return [world.found(run(world)) - world.weight for world in worlds]


def pictures(run: Run, draws: int, path: NoiseSchedule) -> dict[str, dict[str, float]]:
    """Sliced W2 and the errors of mean and covariance, as root mean squares per number, by mask."""
    found = {}
    for name, problem in picture_problems().items():
        world, truth = Gaussians([problem], path, draws), problem.posterior()
        moments = world.moments(run(world))[0]
        found[name] = {
            "sliced": sliced(moments, truth),
            "mean": float((moments.mean - truth.mean).square().mean().sqrt()),
            "covariance": float((moments.covariance - truth.covariance).square().mean().sqrt()),
        }
    return found


def row(name: str, settings: dict[str, Any], calls: int, run: Run, draws: int) -> dict[str, Any]:
    """All that is measured of one method at one budget."""
    measured: dict[str, Any] = {"method": name, "calls": calls, "settings": settings}
    for label, path in PATHS.items():
        measured[label] = {"kl": gaussians(run, draws, path), "modes": modes(run, path)}
        if calls <= LARGEST_PICTURE_CALLS:
            measured[label]["pictures"] = pictures(run, draws, path)
    return measured
