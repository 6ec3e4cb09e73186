"""Gaussian worlds whose inpaintings are known exactly, and the exact moments of a sampler's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..core import lagrange
from ..core.noise_path import Kind, Level, NoisePath
from ..core.repaint import Known, Settings, plan, sample

EXPLODING, FLOW = NoisePath(Kind.EXPLODING), NoisePath(Kind.FLOW)


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

    def denoiser(self, level: Level) -> Tensor:
        """The matrix of the exact denoiser: E[clean | x] = matrix · x."""
        noisy = level.signal**2 * self.covariance + level.noise**2 * torch.eye(len(self.mask)).double()
        return level.signal * torch.linalg.solve(noisy, self.covariance)


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


class Probes:
    """Rows that show an affine sampler whole: the observed values alone, then each normal number given.

    A method that is affine in its start and its noise makes the mean of the first row and, of all others
    together, a root of the covariance.
    """

    def __init__(self, problem: Problem, path: NoisePath, draws: int) -> None:
        self.problem, self.path, self.size = problem, path, len(problem.mask)
        self.rows, self.given = 1 + self.size * (1 + draws), 0
        self.latent = torch.zeros(self.rows, self.size).double()
        self.latent[0] = problem.values
        self.matrices: dict[float, Tensor] = {}

    def normal(self, *_where: object) -> Tensor:
        """Independent normal noise, the next `size` rows of unit length."""
        rows = torch.zeros(self.rows, self.size).double()
        begin = 1 + self.size * self.given
        rows[begin : begin + self.size] = torch.eye(self.size)
        self.given += 1
        return rows

    def model(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The exact denoiser at the rows' common sigma."""
        at = float(sigma[0])
        if at not in self.matrices:
            self.matrices[at] = self.problem.denoiser(self.path.level(at))
        return x @ self.matrices[at].mT

    def start(self, sigma: float) -> Tensor:
        """What ComfyUI starts from: noise, for exploding models of variance 1 + sigma²."""
        level = self.path.level(sigma)
        if self.path.kind is Kind.EXPLODING:
            return math.sqrt(1 + level.noise**2) * self.normal()
        return level.signal * self.latent + level.noise * self.normal()

    def noised(self, sigma: Tensor, normal: Tensor) -> Tensor:
        """The observed values at the rows' common sigma with this noise."""
        level = self.path.level(float(sigma[0]))
        return level.signal * self.latent + level.noise * normal

    def moments(self, x: Tensor) -> Moments:
        """The wanted numbers' distribution, from the rows as the sampler left them."""
        rows = x[:, self.problem.wanted]
        return Moments(rows[0], rows[1:].mT @ rows[1:])


def repaint_moments(problem: Problem, path: NoisePath, sigmas: Tensor, settings: Settings) -> Moments:
    """The exact distribution of what RePaint makes of a problem."""
    probes = Probes(problem, path, draws=1 + len(plan(sigmas.tolist(), settings)))
    known = Known(probes.latent, lambda _sigma: problem.mask, probes.noised)
    x = sample(
        probes.model,
        probes.start(float(sigmas[0])),
        sigmas,
        probes.normal,
        lambda *_: None,
        known=known,
        path=path,
        settings=settings,
    )
    return probes.moments(x)


def lagrange_moments(
    problem: Problem, path: NoisePath, sigmas: Tensor, settings: lagrange.Settings
) -> Moments:
    """The exact distribution of what the Lagrange sampler makes of a problem."""
    probes = Probes(problem, path, draws=2 + len(sigmas))
    known = Known(probes.latent, lambda _sigma: problem.mask, probes.noised)
    x = lagrange.sample(
        probes.model,
        probes.start(float(sigmas[0])),
        sigmas,
        probes.normal,
        lambda *_: None,
        known=known,
        path=path,
        settings=settings,
    )
    return probes.moments(x)
