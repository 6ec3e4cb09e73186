"""How settings become a run of a method, and what a run scores on random problems, not the judged ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ....core.sampling import lagrange, repaint
from . import methods
from .gaussian import VE, Gaussians, random_problems

BUDGETS = (20, 50, 100, 200)
SEED, COUNT = 1, 20
SCHEDULES = ("even", "karras")
WIDTHS, PULLS, INNERS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.4, 2.0), (1, 2, 5, 10, 20, 30), (2, 3, 5, 8)
LANPAINT = "LanPaint"
CONSTANT = {"schedule": SCHEDULES, "inner": (*INNERS, 12, 20), "width": WIDTHS, "pull": PULLS}
# What LanPaint's own nodes cannot be set to: more pull than 50, wider steps than 1, a constant count.
REACH = {"width": 1.0, "pull": 50}
GRIDS: dict[str, dict[str, tuple]] = {
    "noise mask": {"schedule": SCHEDULES},
    "differential": {"schedule": SCHEDULES},
    "blended": {"schedule": SCHEDULES},
    "RePaint": {"schedule": SCHEDULES, "jump_length": (1, 2, 4, 8, 16), "resamplings": (2, 3, 5, 8)},
    LANPAINT: {
        "schedule": SCHEDULES,
        "inner": INNERS,
        "width": (0.1, 0.2, 0.4, 0.7, 1.0),
        "pull": (5, 10, 20, 50),
    },
    f"{LANPAINT}, constant count": {
        "schedule": SCHEDULES,
        "inner": INNERS,
        "width": (0.2, 0.4, 0.7, 1.0, 1.4),
        "pull": (5, 10, 20, 50),
    },
    "improved LanPaint": {"schedule": SCHEDULES, "inner": INNERS, "width": WIDTHS, "pull": PULLS},
    "improved LanPaint, constant count": CONSTANT,
    "Lagrange": {"schedule": ("inpaint",)},
}

Settings = dict[str, Any]
Run = Callable[[Any], Any]


def method(name: str, settings: Settings, calls: int) -> tuple[Run, int, int] | None:
    """What runs the method at a budget, its steps, draws of noise between rests; None where none fits."""
    schedule = settings["schedule"]
    if name in ("noise mask", "differential", "blended"):
        fresh, release = name == "blended", name == "differential"
        draws = calls + 2 if fresh else 3
        return lambda world: methods.replaced(world, schedule, calls, fresh, release), calls, draws
    if name == "Lagrange":
        return lambda world: methods.lagrangian(world, schedule, calls, lagrange.Settings()), calls, calls + 3
    if name == "RePaint":
        again = repaint.Settings(settings["jump_length"], settings["resamplings"])
        steps = largest(calls, lambda steps: repaint_calls(steps, again))
        if not steps:
            return None
        moves = len(repaint.plan(list(map(float, range(steps, -1, -1))), again))
        return lambda world: methods.repainted(world, schedule, steps, again), steps, moves + 2
    if name == LANPAINT and any(settings[axis] > most for axis, most in REACH.items()):
        return None
    own = (settings["inner"], settings["width"], settings["pull"])
    walk = methods.Langevin(*own, constant=name.endswith("count"), improved=name.startswith("improved"))
    steps = largest(calls, lambda steps: methods.langevin_calls(schedule, steps, walk), least=2)
    if not steps:
        return None
    return lambda world: methods.langevin(world, schedule, steps, walk), steps, 2 * walk.inner + 3


def repaint_calls(steps: int, settings: repaint.Settings) -> int:
    """RePaint's calls in so many steps; 0 where no jump fits."""
    try:
        return repaint.model_calls(repaint.plan(list(map(float, range(steps, -1, -1))), settings))
    except ValueError:
        return 0


def largest(budget: int, calls: Callable[[int], int], least: int = 1) -> int:
    """The most steps that the budget pays for; 0 if none."""
    return max((steps for steps in range(least, budget + 1) if 0 < calls(steps) <= budget), default=0)


def score(run: Run, draws: int) -> float:
    """The geometric mean of the KL divergences on the random problems; infinite where one is not finite."""
    problems = random_problems(COUNT, SEED)
    world = Gaussians(problems, VE, draws)
    found = [
        moments.divergence(problem.posterior())
        for moments, problem in zip(world.moments(run(world)), problems, strict=True)
    ]
    if not all(map(math.isfinite, found)):
        return math.inf
    return math.exp(sum(math.log(max(each, 1e-12)) for each in found) / len(found))
