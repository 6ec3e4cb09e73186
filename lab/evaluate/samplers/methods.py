"""The samplers of the contest, each on any of its worlds; all step down with Euler's step but ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from ....core.sampling import lagrange, repaint, schedules
from ....core.sampling.noise_schedule import Kind, NoiseLevel, NoiseSchedule
from .gaussian import VE, World, sampled, sd_sigmas

LOWEST, HIGHEST = float(sd_sigmas(1000)[-2]), float(sd_sigmas(1000)[0])


def even(path: NoiseSchedule, steps: int) -> list[float]:
    """Sigmas at every (1000 / steps)-th of Stable Diffusion's timesteps; a flow's have the same ratios."""
    ratios = sd_sigmas(steps).tolist()
    if path.kind is Kind.FLOW:
        return [ratio / (1 + ratio) for ratio in ratios]
    return ratios


def karras(path: NoiseSchedule, steps: int) -> list[float]:
    """Sigmas even in the 7th root of noise per signal; a flow begins with noise alone."""
    return schedules.karras(path, steps, LOWEST, HIGHEST)


def inpaint(path: NoiseSchedule, steps: int) -> list[float]:
    """Ours, as Inpaint Scheduler gives it."""
    return schedules.inpaint(path, steps, LOWEST, 1.0 if path.kind is Kind.FLOW else HIGHEST)


SCHEDULES = {"even": even, "karras": karras, "inpaint": inpaint}


def euler(x: Tensor, denoised: Tensor, here: NoiseLevel, there: NoiseLevel) -> Tensor:
    """DDIM's step on any path."""
    keep = there.noise / here.noise
    return keep * x + (there.signal - keep * here.signal) * denoised


def replaced(world: World, schedule: str, steps: int, fresh: bool = False, release: bool = False) -> Tensor:
    """ComfyUI's noise mask; `fresh`: blended diffusion; `release`: differential, which ends free."""
    sigmas = SCHEDULES[schedule](world.path, steps)
    x, own, rows = world.start(sigmas[0]), world.normal(), torch.ones(len(world.mask)).double()
    for index, (above, below) in enumerate(pairwise(sigmas)):
        mask = torch.ones_like(world.mask) if release and index == steps - 1 else world.mask
        if fresh and index:
            own = world.normal()
        x = torch.where(mask > 0, x, world.noised(above * rows, own).to(x))
        denoised = torch.where(mask > 0, world.model(x, above * rows), world.latent)
        x = euler(x, denoised, world.path.level(above), world.path.level(below))
        if not fresh:
            x, own = rested(world, x, own)
    return x


def rested(world: World, x: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """`x` and the known cells' own noise in few rows; of each only the cells that it still matters for."""
    unknown = world.mask > 0
    joint = world.settled(torch.where(unknown, x, own))
    return torch.where(unknown, joint, x), torch.where(unknown, own, joint)


@dataclass(frozen=True)
class Langevin:
    """LanPaint's settings: inner steps, their width, the pull of what is known, if the count is fixed.

    LanPaint takes the second half of an inner step with the old force as well, as the new one went into a
    kick between the halves; `improved`, our form, takes it with the new one.
    """

    inner: int
    width: float
    pull: float
    constant: bool
    improved: bool = True

    def count(self, noise: float, left: int) -> int:
        """Inner steps at a share of noise (1 - alpha bar) with so many outer steps left."""
        if left <= 1:
            return 0
        return self.inner if self.constant else max(0, round(self.inner * noise))


def langevin(world: World, schedule: str, steps: int, settings: Langevin) -> Tensor:
    """LanPaint 2.1 (Zheng et al. 2025): Langevin steps with the bidirectional score before each step down."""
    sigmas = SCHEDULES[schedule](world.path, steps)
    x, own, rows = world.start(sigmas[0]), world.normal(), torch.ones(len(world.mask)).double()
    unknown = world.mask > 0
    for index, (above, below) in enumerate(pairwise(sigmas)):
        level = world.path.level(above)
        x = torch.where(unknown, x, world.noised(above * rows, own).to(x))
        count = settings.count(noise_share(level), steps - index)
        x = equilibrated(world, x, above, count, settings)
        denoised = torch.where(unknown, world.model(x, above * rows), world.latent)
        x = euler(x, denoised, level, world.path.level(below))
        x, own = rested(world, x, own)
    return x


def noise_share(level: NoiseLevel) -> float:
    """1 - alpha bar."""
    return level.noise**2 / (level.noise**2 + level.signal**2)


def equilibrated(world: World, x: Tensor, sigma: float, count: int, settings: Langevin) -> Tensor:
    """`x` after `count` inner steps at `sigma`; all but the first take the force anew in their middle."""
    level, rows, unknown = world.path.level(sigma), torch.ones(len(world.mask)).double(), world.mask > 0
    size, noise = math.hypot(level.signal, level.noise), noise_share(level)
    signal = level.signal / size
    rate = torch.where(unknown, 1.0, 1 + settings.pull).to(x) / noise
    width = settings.width * (noise if settings.constant else 1.0)

    def force(x: Tensor) -> Tensor:
        denoised = world.model(x * size, sigma * rows)
        aim = (1 + settings.pull) * world.latent - settings.pull * denoised
        return torch.where(unknown, signal * denoised, signal * aim + settings.pull * x) / noise

    def drift(x: Tensor, force: Tensor, width: float) -> Tensor:
        decay = torch.exp(-rate * width)
        deviation = ((1 - decay**2) / rate).sqrt()
        return decay * x + (1 - decay) / rate * force + deviation * world.normal()

    x, pushed = x / size, None
    for _ in range(count):
        if pushed is None:
            pushed = force(x)
            x = drift(x, pushed, width)
            continue
        x = drift(x, pushed, width / 2)
        after = force(x)
        x = drift(x + (after - pushed) * width, after if settings.improved else pushed, width / 2)
        pushed = after
    return x * size


def langevin_calls(schedule: str, steps: int, settings: Langevin) -> int:
    """How often the model is asked."""
    sigmas = SCHEDULES[schedule](VE, steps)[:-1]
    shares = [noise_share(VE.level(sigma)) for sigma in sigmas]
    return steps + sum(settings.count(share, steps - index) for index, share in enumerate(shares))


def repainted(world: World, schedule: str, steps: int, settings: repaint.Settings) -> Tensor:
    """RePaint, ours."""
    return sampled(repaint.sample, world, levels(world, schedule, steps), settings)


def lagrangian(world: World, schedule: str, steps: int, settings: lagrange.Settings) -> Tensor:
    """The Lagrange sampler, judged as the settings say where there is guidance."""
    sample = partial(lagrange.sample, unguided=world.unguided)
    return sampled(sample, world, levels(world, schedule, steps), settings)


def levels(world: World, schedule: str, steps: int) -> Tensor:
    """The sigmas as `core`'s samplers take them."""
    return torch.tensor(SCHEDULES[schedule](world.path, steps), dtype=torch.float64)
