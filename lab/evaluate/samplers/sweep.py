"""Settings for every method at every budget, chosen on random problems that are not the judged ones."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from ....core.sampling import lagrange, repaint
from ...places import ROOT
from . import methods
from .gaussian import EXPLODING, Gaussians, random_problems

BUDGETS = (50, 100, 200, 400)
SEED, COUNT = 1, 20
NEGLIGIBLE = 0.02
SCHEDULES = ("even", "karras")
WIDTHS, PULLS, INNERS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.4, 2.0), (1, 2, 5, 10, 20, 30), (2, 3, 5, 8)
GRIDS: dict[str, dict[str, tuple]] = {
    "noise mask": {"schedule": SCHEDULES},
    "differential": {"schedule": SCHEDULES},
    "blended": {"schedule": SCHEDULES},
    "RePaint": {"schedule": SCHEDULES, "jump_length": (1, 2, 4, 8, 16), "resamplings": (2, 3, 5, 8)},
    "Langevin": {"schedule": SCHEDULES, "inner": INNERS, "width": WIDTHS, "pull": PULLS},
    "Langevin, constant count": {
        "schedule": SCHEDULES,
        "inner": (*INNERS, 12, 20),
        "width": WIDTHS,
        "pull": PULLS,
    },
    "Lagrange": {"schedule": SCHEDULES},
}
OPEN_AXES = ("jump_length", "resamplings", "inner", "width", "pull")  # may be extended beyond the grid

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
    walk = methods.Langevin(settings["inner"], settings["width"], settings["pull"], name.endswith("count"))
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
    world = Gaussians(problems, EXPLODING, draws)
    found = [
        moments.divergence(problem.posterior())
        for moments, problem in zip(world.moments(run(world)), problems, strict=True)
    ]
    if not all(map(math.isfinite, found)):
        return math.inf
    return math.exp(sum(math.log(max(each, 1e-12)) for each in found) / len(found))


def version() -> str:
    """Of everything that a score depends on."""
    files = (
        "lab/evaluate/samplers/gaussian.py",
        "core/sampling/noise_schedule.py",
        "core/sampling/repaint.py",
        "core/sampling/lagrange.py",
    )
    own = (f"lab/evaluate/samplers/{name}.py" for name in ("worlds", "methods", "sweep"))
    code = b"".join((ROOT / name).read_bytes() for name in (*files, *own))
    return hashlib.sha256(code).hexdigest()[:16]


class Scores:
    """What each setting scored, kept in a file so that a broken-off sweep goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, float] = {}
        if path.is_file():
            lines = (json.loads(line) for line in path.read_text().splitlines())
            self.rows = {line["what"]: line["kl"] for line in lines}

    def of(self, name: str, settings: Settings, calls: int) -> float:
        """The score, found if it is not yet known; infinite where the budget is too small."""
        what = json.dumps([name, calls, settings], sort_keys=True)
        if what not in self.rows:
            found = method(name, settings, calls)
            self.rows[what] = 1e9 if found is None else min(1e9, score(found[0], found[2]))
            with self.path.open("a") as file:
                file.write(json.dumps({"what": what, "kl": self.rows[what]}) + "\n")
        return self.rows[what]


def combinations(axes: dict[str, tuple]) -> Iterator[Settings]:
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def best(name: str, calls: int, scores: Scores) -> Settings:
    """The setting of least score on the grid, which is extended where it lies on an edge of it.

    Beyond the grid one axis is moved at a time. An edge beyond which less than `NEGLIGIBLE` is won is none:
    more pull ends in a limit.
    """
    axes, tried = GRIDS[name], list(combinations(GRIDS[name]))
    winner = min(tried, key=lambda settings: scores.of(name, settings, calls))
    while True:
        beyond = [
            {**winner, axis: value}
            for axis in OPEN_AXES
            if axis in axes
            for value in around(winner[axis], sorted({settings[axis] for settings in tried}))
        ]
        tried += beyond
        before, found = winner, min(tried, key=lambda settings: scores.of(name, settings, calls))
        if scores.of(name, found, calls) > (1 - NEGLIGIBLE) * scores.of(name, before, calls):
            return winner
        winner = found


def around(value: float, values: list) -> list:
    """The values on both sides; beyond the ends new ones, whole numbers staying whole and all above 0."""
    at = values.index(value)
    whole = isinstance(value, int)
    below = values[at - 1] if at else (value // 2 if whole else round(value / 1.5, 4))
    last = at + 1 == len(values)
    above = values[at + 1] if not last else value + max(1, value // 2) if whole else round(value * 1.5, 4)
    return [each for each in (below, above) if each > 0]
