"""The chosen settings on the judged worlds: KL on A, B, C, weights of two modes, distances on pictures.

A, B and C also under guidance and with a model that is shown known numbers clean.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ....core.sampling import lagrange
from ....core.sampling.noise_schedule import NoiseSchedule
from . import methods, sweep
from .gaussian import FLOW, VE, A, B, C, CleanKnown, Gaussians, Guided, Problem
from .problems import TwoModes, picture_problems, sliced
from .sweep import Run

OURS = "Lagrange"

PATHS = {"eps": VE, "flow": FLOW}
# How far the corner is from the middle, and what was seen of the first two numbers.
MODES = ((0.9, (0.1, 0.05)), (0.7, (0.3, 0.1)), (0.8, (0.2, 0.0)))
DRAWS = 40_000
LARGEST_PICTURE_CALLS = 100  # the exact moments of 64 numbers take room


PROBLEMS = {"A": A, "B": B, "C": C}
SCALES = (2.0, 5.0)  # of guidance


def gaussians(run: Run, draws: int, path: NoiseSchedule) -> dict[str, float]:
    """KL(sampled || true) in nats."""
    return divergences(run, Gaussians(list(PROBLEMS.values()), path, draws))


def clean(run: Run, draws: int, path: NoiseSchedule) -> dict[str, float]:
    """The same with a model that is shown known numbers without noise."""
    return divergences(run, CleanKnown(list(PROBLEMS.values()), path, draws))


def guided(run: Run, draws: int, path: NoiseSchedule) -> dict[str, dict[str, float]]:
    """The same under guidance, by its scale."""
    worlds = {f"{cfg:g}": Guided(list(PROBLEMS.values()), path, draws, cfg) for cfg in SCALES}
    return {cfg: divergences(run, world) for cfg, world in worlds.items()}


def judged(calls: int, path: NoiseSchedule) -> dict[str, dict[str, dict[str, float]]]:
    """Lagrange under guidance, by what judges and by the scale."""
    return {
        judge: guided(partial(_lagrange, calls, lagrange.Settings(judged_by=judge)), calls + 3, path)
        for judge in lagrange.JUDGES
    }


def _lagrange(calls: int, settings: lagrange.Settings, world: Gaussians) -> Any:
    return methods.lagrangian(world, "inpaint", calls, settings)


def divergences(run: Run, world: Gaussians) -> dict[str, float]:
    """KL(sampled || true) in nats on the problems of a world."""
    moments = world.moments(run(world))
    truths = map(world.truth if isinstance(world, Guided) else Problem.posterior, PROBLEMS.values())
    return {name: each.divergence(truth) for name, each, truth in zip(PROBLEMS, moments, truths, strict=True)}


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


def measured(name: str, settings: dict[str, Any], calls: int) -> dict[str, Any]:
    """All that is measured of one method at one budget that it fits into."""
    found = sweep.method(name, settings, calls)
    assert found is not None
    return row(name, settings, calls, found[0], found[2])


def row(name: str, settings: dict[str, Any], calls: int, run: Run, draws: int) -> dict[str, Any]:
    """All that is measured of one method at one budget."""
    measured: dict[str, Any] = {"method": name, "calls": calls, "settings": settings}
    for label, path in PATHS.items():
        measured[label] = {
            "kl": gaussians(run, draws, path),
            "guided": guided(run, draws, path),
            "clean": clean(run, draws, path),
            "modes": modes(run, path),
        }
        if name == OURS:
            measured[label]["judged"] = judged(calls, path)
        if calls <= LARGEST_PICTURE_CALLS:
            measured[label]["pictures"] = pictures(run, draws, path)
    return measured
