"""Gaussian worlds whose inpaintings are known exactly, and the exact moments of a sampler's."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from ....core.sampling import lagrange
from ....core.sampling.known import Observation
from ....core.sampling.noise_schedule import Kind, NoiseLevel, NoiseSchedule
from ....core.sampling.repaint import Settings, plan, sample

VE, FLOW = NoiseSchedule(Kind.VE), NoiseSchedule(Kind.FLOW)


class Moments(NamedTuple):
    """A normal distribution: mean (n) and covariance (n,n), float64."""

    mean: Tensor
    covariance: Tensor

    def divergence(self, truth: Moments) -> float:
        """The Kullback-Leibler divergence KL(self || truth) in nats."""
        precision = torch.linalg.inv(truth.covariance)
        off = truth.mean - self.mean
        spread = torch.trace(precision @ self.covariance) + off @ precision @ off - len(off)
        return float(spread + torch.logdet(truth.covariance) - torch.logdet(self.covariance)) / 2


@dataclass(frozen=True)
class Problem:
    """A clean "picture" of n numbers, normal with mean 0, observed through a mask (n; 1 = unknown)."""

    covariance: Tensor  # n,n float64
    mask: Tensor  # n float64: m means an error of variance m / (1 - m); the prior's variances are 1
    values: Tensor  # n float64: what was observed, 0 where nothing was

    @property
    def wanted(self) -> Tensor:
        """Which numbers are to be found (bool n): all that are not known exactly."""
        return self.mask > 0

    def posterior(self) -> Moments:
        """What is to be sampled: the wanted numbers given what was observed."""
        seen = self.mask < 1
        error = torch.diag(self.mask[seen] / (1 - self.mask[seen]))
        gain = self.covariance[:, seen] @ torch.linalg.inv(self.covariance[seen][:, seen] + error)
        rest = self.covariance - gain @ self.covariance[seen]
        return Moments((gain @ self.values[seen])[self.wanted], rest[self.wanted][:, self.wanted])


def ar1(size: int, correlation: float) -> Tensor:
    """The covariance (size,size) of neighbours in a row that are correlated by `correlation`."""
    places = torch.arange(size).double()
    return correlation ** (places[:, None] - places).abs()


def observed(covariance: Tensor, known: list[int], values: list[float], mask: float = 0.0) -> Problem:
    """The problem in which the numbers at `known` were seen, with an error if `mask` is above 0."""
    unknown, seen = torch.ones(len(covariance)).double(), torch.zeros(len(covariance)).double()
    unknown[known], seen[known] = mask, torch.tensor(values).double()
    return Problem(covariance, unknown, seen)


def random_problems(count: int, seed: int) -> list[Problem]:
    """Problems of 4 to 16 numbers, correlated at random, of which 1 to all but two were seen exactly."""
    generator, problems = torch.Generator().manual_seed(seed), []
    for _ in range(count):
        size = int(torch.randint(4, 17, (1,), generator=generator))
        factors = torch.randn(size, size, generator=generator, dtype=torch.float64)
        covariance = factors @ factors.mT + 0.03 * size * torch.eye(size).double()
        spread = covariance.diagonal().sqrt()
        covariance = covariance / spread[:, None] / spread
        known = int(torch.randint(1, size - 1, (1,), generator=generator))
        places = torch.randperm(size, generator=generator)[:known]
        normal = torch.randn(size, generator=generator, dtype=torch.float64)
        values = (torch.linalg.cholesky(covariance) @ normal)[places]
        problems.append(observed(covariance, places.tolist(), values.tolist()))
    return problems


A = observed(ar1(2, 0.9), [0], [1.5])
B = observed(ar1(8, 0.9), [0, 1, 2, 3], [1.0, -0.5, 0.5, 1.5])
C = observed(ar1(8, 0.9), [0, 2, 4, 6], [1.0, -0.5, 0.5, 1.5])


def sd_sigmas(steps: int, training_steps: int = 1000) -> Tensor:
    """Stable Diffusion's sigmas (steps + 1, float64) at every `training_steps` // steps-th step, then 0."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, training_steps, dtype=torch.float64) ** 2
    kept = (1 - betas).cumprod(0)[torch.arange(steps) * (training_steps // steps)]
    return torch.cat([((1 - kept) / kept).sqrt().flip(0), torch.zeros(1, dtype=torch.float64)])


def flow_sigmas(steps: int) -> Tensor:
    """A flow's sigmas (steps + 1, float64) from 1 to 0 in equal steps."""
    return torch.linspace(1, 0, steps + 1, dtype=torch.float64)


class World(ABC):
    """What a sampler may ask, for several problems at once; all shapes are P,R,n: problem, row, number."""

    path: NoiseSchedule
    mask: Tensor  # P,1,n; 1 = unknown
    latent: Tensor  # what was observed, 0 where nothing was
    unguided: Callable[[], Tensor] | None = None  # the latest answer before guidance, where there is any
    clean = False  # whether known numbers are shown without noise

    @abstractmethod
    def normal(self, *_where: object) -> Tensor:
        """Normal noise, independent of all before."""

    @abstractmethod
    def model(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The exact denoiser at the rows' common sigma."""

    @abstractmethod
    def settled(self, x: Tensor) -> Tensor:
        """`x` in as few rows as show the same distribution; what else holds noise is no longer valid."""

    def start(self, sigma: float) -> Tensor:
        """What ComfyUI starts from: noise, for exploding models of variance 1 + sigma²."""
        level = self.path.level(sigma)
        if self.path.kind is Kind.VE:
            return math.sqrt(1 + level.noise**2) * self.normal()
        return level.signal * self.latent + level.noise * self.normal()

    def noised(self, sigma: Tensor, normal: Tensor) -> Tensor:
        """The observed values at the rows' common sigma with this noise."""
        level = self.path.level(float(sigma[0]))
        return level.signal * self.latent + level.noise * normal


class Gaussians(World):
    """Rows that show an affine method whole: the observed values alone, then each normal number given.

    A method that is affine in its start and its noise makes the mean of the first row and, of all others
    together, a root of the covariance. Problems of fewer numbers than the largest get known zeros that
    nothing depends on. `draws` is how often noise is asked for before `settled` makes the rows few again.
    """

    def __init__(self, problems: list[Problem], path: NoiseSchedule, draws: int) -> None:
        self.problems, self.path = problems, path
        self.size = max(len(problem.mask) for problem in problems)
        count = len(problems)
        self.rows, self.given, self.calls = 1 + self.size * (1 + draws), 0, 0
        self.covariance = torch.eye(self.size).double().repeat(count, 1, 1)
        self.mask = torch.zeros(count, 1, self.size).double()
        self.latent = torch.zeros(count, self.rows, self.size).double()
        for index, problem in enumerate(problems):
            size = len(problem.mask)
            self.covariance[index, :size, :size] = problem.covariance
            self.mask[index, 0, :size] = problem.mask
            self.latent[index, 0, :size] = problem.values
        self.matrices: dict[float, Tensor] = {}

    def normal(self, *_where: object) -> Tensor:
        """Independent normal noise, the next rows of unit length."""
        rows = torch.zeros_like(self.latent)
        begin = 1 + self.size * self.given
        if begin + self.size > self.rows:
            raise RuntimeError(f"More noise is asked for than the {self.rows} rows were made for.")
        rows[:, begin : begin + self.size] = torch.eye(self.size)
        self.given += 1
        return rows

    def model(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The exact denoiser at the rows' common sigma."""
        at = float(sigma[0])
        if at not in self.matrices:
            level = self.path.level(at)
            noisy = level.signal**2 * self.covariance + level.noise**2 * torch.eye(self.size).double()
            self.matrices[at] = level.signal * torch.linalg.solve(noisy, self.covariance)
        self.calls += 1
        return x @ self.matrices[at].mT

    def settled(self, x: Tensor) -> Tensor:
        """`x` in as few rows as show the same distribution; what else holds noise is no longer valid."""
        rows = torch.zeros_like(x)
        rows[:, 0] = x[:, 0]
        root = torch.linalg.qr(x[:, 1:], mode="r").R
        rows[:, 1 : 1 + root.shape[1]] = root
        self.given = 1
        return rows

    def moments(self, x: Tensor) -> list[Moments]:
        """The wanted numbers' distribution in each problem."""
        found = []
        for problem, rows in zip(self.problems, x, strict=True):
            wanted = rows[:, : len(problem.mask)][:, problem.wanted]
            found.append(Moments(wanted[0], wanted[1:].mT @ wanted[1:]))
        return found


class CleanKnown(Gaussians):
    """A model trained with clean known numbers, as some video models are: it answers for the others alone.

    Its exact denoiser is that of the posterior, whatever noise the known numbers are shown with.
    """

    clean = True

    def noised(self, sigma: Tensor, normal: Tensor) -> Tensor:
        """The observed values as they are."""
        return self.latent

    def model(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The exact denoiser of the unknown numbers given the known ones of `x`, taken as clean."""
        at = float(sigma[0])
        if at not in self.matrices:
            level = self.path.level(at)
            self.matrices[at] = torch.stack([self._matrix(index, level) for index in range(len(self.mask))])
        self.calls += 1
        return x @ self.matrices[at].mT

    def _matrix(self, index: int, level: NoiseLevel) -> Tensor:
        covariance, unknown = self.covariance[index], self.mask[index, 0] > 0
        known = ~unknown
        gain = covariance[unknown][:, known] @ torch.linalg.inv(covariance[known][:, known])
        rest = covariance[unknown][:, unknown] - gain @ covariance[known][:, unknown]
        noisy = level.signal**2 * rest + level.noise**2 * torch.eye(len(rest)).double()
        heed = level.signal * torch.linalg.solve(noisy, rest)
        whole = torch.eye(self.size).double()
        whole[unknown] = 0.0
        whole[unknown.nonzero(), unknown.nonzero().mT] = heed.mT
        whole[unknown.nonzero(), known.nonzero().mT] = gain - level.signal * heed.mT @ gain
        return whole


class Guided(Gaussians):
    """Guidance between two normal priors that differ in their mean: exact denoisers, as the guided one is.

    The guided model is that of the same prior with the mean negative + cfg · (positive - negative).
    """

    POSITIVE, NEGATIVE = 0.3, 0.0

    def __init__(self, problems: list[Problem], path: NoiseSchedule, draws: int, cfg: float) -> None:
        super().__init__(problems, path, draws)
        self.cfg, self.mean = cfg, self.NEGATIVE + cfg * (self.POSITIVE - self.NEGATIVE)
        self.positive = torch.empty(0)
        self.unguided = lambda: self.positive

    def model(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The guided answer; that of the positive prior is kept."""
        signal = self.path.level(float(sigma[0])).signal
        centred = super().model(x, sigma)
        # Of a shift of the mean the denoiser takes what it does not heed of its input; rows hold it once.
        once = torch.zeros_like(x)
        once[:, 0] = 1
        shift = once - signal * super().model(once, sigma)
        self.calls -= 1
        self.positive = centred + self.POSITIVE * shift
        return centred + self.mean * shift

    def truth(self, problem: Problem) -> Moments:
        """What is to be sampled of a problem."""
        seen = torch.where(problem.mask < 1, problem.values - self.mean, 0.0)
        mean, covariance = replace(problem, values=seen).posterior()
        return Moments(mean + self.mean, covariance)


def sampled(sample: Callable[..., Tensor], world: World, sigmas: Tensor, settings: object) -> Tensor:
    """What one of `core`'s samplers makes of a world."""
    return sample(
        world.model,
        world.start(float(sigmas[0])),
        sigmas,
        world.normal,
        lambda *_: None,
        known=Observation(world.latent, lambda _sigma: world.mask, world.noised, clean=world.clean),
        path=world.path,
        settings=settings,
    )


def repaint_moments(problem: Problem, path: NoiseSchedule, sigmas: Tensor, settings: Settings) -> Moments:
    """The exact distribution of what RePaint makes of a problem."""
    world = Gaussians([problem], path, draws=1 + len(plan(sigmas.tolist(), settings)))
    return world.moments(sampled(sample, world, sigmas, settings))[0]


def lagrange_moments(
    problem: Problem, path: NoiseSchedule, sigmas: Tensor, settings: lagrange.Settings
) -> Moments:
    """The exact distribution of what the Lagrange sampler makes of a problem."""
    world = Gaussians([problem], path, draws=2 + len(sigmas))
    return world.moments(sampled(lagrange.sample, world, sigmas, settings))[0]
