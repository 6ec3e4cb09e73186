"""Inpaint in one model call per step, by a Lagrange multiplier on the known cells.

For a normal prior, the mean given a noisy latent *and* exactly known cells equals the model's prediction for
a shifted input. The shift is sigma² times the Lagrange multiplier of the constraint "the clean known cells
equal the observation". The multiplier hardly changes from level to level, so one step of heavy-ball descent
(Polyak 1964) per model call follows it. The same call serves the step of an exponential integrator (Lu et al.
2022, their stochastic form). Which prediction has to agree with the known cells, the guided one or the one
before guidance, is a setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor

from .checks import check_descent, check_finite
from .known import Observation
from .noise_schedule import NoiseLevel, NoiseSchedule

Noise = Callable[[float, int], Tensor]
# The guided prediction is exact for normal priors, but a network's changes too much with its input.
POSITIVE, GUIDED, BLEND = "positive", "guided", "blend"
JUDGES = (POSITIVE, GUIDED, BLEND)


@dataclass(frozen=True)
class Settings:
    """How hard known cells are pushed, and how much fresh noise each step takes.

    Chosen on random Gaussian problems (demo.gaussian.random_problems) at 50 and 100 calls alike, but for the
    gain: up to 0.95 the more the better there, where no answer is steeper than its input. A network's can be
    twice as steep, and is then pushed out of what it knows.
    """

    gain: float = 0.5  # share of the largest push that is stable for answers as steep as their input
    momentum: float = 0.9  # share of the last push that goes on
    eta: float = 1.0  # fresh noise in each step: 0 none … 1 as much as the reverse diffusion
    known_noise: float = 1.0  # share of the level's noise on known cells; networks never saw them without
    judged_by: str = POSITIVE  # the prediction that has to agree with the known cells

    @property
    def push(self) -> float:
        """The step of the descent; below (1 + √momentum)² it converges for every answer flatter than 1."""
        return self.gain * (1 + math.sqrt(self.momentum)) ** 2


class Step(NamedTuple):
    """One step in closed form: x' = keep · x + clean · D + ahead · (D - D before) + fresh · normal."""

    keep: float
    clean: float
    ahead: float
    fresh: float


def step(here: NoiseLevel, there: NoiseLevel, before: NoiseLevel | None, eta: float) -> Step:
    """The exponential integrator's step with D linear in the noise per signal.

    Lu et al. have it linear in that one's logarithm, which goes too far ahead in wide steps: with 20 calls
    the random problems' variances are then 1.2 times the true ones.
    """
    if not there.noise:
        return Step(0.0, there.signal, 0.0, 0.0)
    if not here.signal:  # noise alone says nothing of the clean picture, so any of it may be drawn anew
        fresh = there.noise if eta else 0.0
        return Step(0.0 if eta else there.noise / here.noise, there.signal, 0.0, fresh)
    width, order = math.log(here.noise_to_signal / there.noise_to_signal), 1 + eta
    covered = -math.expm1(-order * width)
    ahead = 0.0
    if before is not None and before.signal:
        gone = covered - order * math.exp(-width) * (-math.expm1(-eta * width) / eta if eta else width)
        ahead = there.signal * gone * here.noise_to_signal / (before.noise_to_signal - here.noise_to_signal)
    fresh = there.noise * math.sqrt(-math.expm1(-2 * eta * width))
    return Step(there.noise / here.noise * math.exp(-eta * width), there.signal * covered, ahead, fresh)


@dataclass
class HeavyBall:
    """The multiplier of "what the model sees is what is known", and its pace; in cells of the latent."""

    known: Observation
    settings: Settings
    multiplier: Tensor
    velocity: Tensor

    def model_input(self, x: Tensor, sigma: Tensor, level: NoiseLevel, normal: Tensor) -> Tensor:
        """What the model is shown: exactly known cells for themselves, and all seen ones pushed.

        A model that takes known cells without noise heeds them as they are, so nothing is pushed.
        """
        if self.known.clean:
            return self.known.renoise_known(x, sigma, level, normal)
        x = self.known.noised(sigma, normal).where(self.known.mask(sigma) <= 0, x)
        return x + level.noise**2 / level.signal * self.multiplier if level.signal else x

    def update(self, denoised: Tensor, sigma: Tensor, level: NoiseLevel) -> None:
        """Move the multiplier by what the model's clean picture still lacks; noise alone teaches nothing."""
        if not level.signal or self.known.clean:
            return
        mask = self.known.mask(sigma)
        error = mask / (1 - mask).clamp(min=1e-6)  # of what was seen, in units of the latent's variance
        lacking = self.known.latent - denoised - error * self.multiplier
        lacking = lacking / (level.noise_to_signal**2 + error)
        lacking = lacking.where(mask < 1, lacking.new_zeros(()))
        self.velocity.mul_(self.settings.momentum).add_(lacking.mul_(self.settings.push))
        self.multiplier.add_(self.velocity)


def judged(by: str, guided: Tensor, positive: Tensor) -> Tensor:
    """The prediction that has to agree with the known cells; a blend is the mean of both."""
    if by == BLEND:
        return (guided + positive) / 2
    return positive if by == POSITIVE else guided


def sample(
    model: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    sigmas: Tensor,
    noise: Noise,
    report: Callable[[int, Tensor, Tensor], None],
    *,
    known: Observation,
    path: NoiseSchedule,
    settings: Settings,
    unguided: Callable[[], Tensor] | None = None,
) -> Tensor:
    """Sample `x` (B,C,… at the first sigma) with what is known of it and return it at the last sigma.

    One model call per step. `model(x, a sigma per row)` gives the clean latent, `noise(sigma, visit)` normal
    noise of its shape, `report(call, denoised, x)` hears of each call, `unguided()` is the latest call's
    clean latent before guidance. Raises ValueError for sigmas that do not descend and for NaN.
    """
    values, rows = sigmas.tolist(), x.new_ones(len(x))
    check_descent(values, "Lagrange")
    levels = [path.level(sigma) for sigma in values]
    push = HeavyBall(known, settings, x.new_zeros(x.shape), x.new_zeros(x.shape))
    own = noise(values[0], 1).mul_(settings.known_noise) if settings.known_noise else x.new_zeros(x.shape)
    last: tuple[Tensor, NoiseLevel] | None = None
    for call, (here, there) in enumerate(pairwise(levels)):
        sigma = sigmas[call] * rows
        denoised = model(push.model_input(x, sigma, here, own), sigma)
        positive = unguided() if unguided else denoised
        push.update(judged(settings.judged_by, denoised, positive), sigma, here)
        denoised = known.replace_known(denoised, sigma)
        report(call, denoised, x)
        keep, clean, ahead, fresh = step(here, there, last[1] if last else None, settings.eta)
        x = (keep * x).add_(clean * denoised)  # in place, for latents may be large
        if ahead and last:
            x.add_((denoised - last[0]).mul_(ahead))
        last = (denoised, here)
        if fresh:
            x.add_(fresh * noise(values[call + 1], 0))
    check_finite(x)
    return x
