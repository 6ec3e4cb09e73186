"""Many small worlds sampled at once: Gaussian ones by exact moments, one with two modes by drawing."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

from ...core.noise_path import Kind, NoisePath
from ...core.repaint import Known
from ..gaussian import Moments, Problem, ar1, observed

SIDE = 8  # of the picture whose neighbours are correlated


class World(Protocol):
    """What a method may ask: the model, noise, and what is known; all shapes are P,R,n."""

    path: NoisePath
    mask: Tensor  # P,1,n; 1 = unknown
    latent: Tensor

    def model(self, x: Tensor, sigma: Tensor) -> Tensor: ...
    def normal(self, *where: object) -> Tensor: ...
    def start(self, sigma: float) -> Tensor: ...
    def noised(self, sigma: Tensor, normal: Tensor) -> Tensor: ...
    def settled(self, x: Tensor) -> Tensor: ...


def known(world: World) -> Known:
    """What is known, as the samplers of `core` ask for it."""
    return Known(world.latent, lambda _sigma: world.mask, world.noised)


class Gaussians:
    """Rows that show an affine method whole, for many problems: see `demo.gaussian.Probes`.

    Problems of fewer numbers than the largest get known zeros that nothing depends on. `draws` is how often
    noise is asked for before `settled` makes the rows few again.
    """

    def __init__(self, problems: list[Problem], path: NoisePath, draws: int) -> None:
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


class TwoModes:
    """Four numbers near one of two opposite corners; the first two are known, which corner is to be told.

    Each mode is normal with neighbours correlated by a half; all variances are 1. The weights follow from
    Bayes' rule.
    """

    def __init__(
        self, path: NoisePath, draws: int, corner: float, seen: tuple[float, float], seed: int
    ) -> None:
        self.path, self.calls, self.generator = path, 0, torch.Generator().manual_seed(seed)
        self.covariance = (1 - corner**2) * ar1(4, 0.5).float()
        self.corners = corner * torch.tensor([[1.0], [-1.0]]).expand(2, 4)
        self.mask = torch.tensor([[[0.0, 0.0, 1.0, 1.0]]])
        self.latent = torch.zeros(1, draws, 4)
        self.latent[..., :2] = torch.tensor(seen)
        off = torch.tensor(seen) - self.corners[:, :2]
        square = ((off @ torch.linalg.inv(self.covariance[:2, :2])) * off).sum(1)
        self.weight = float(torch.softmax(-square / 2, 0)[0])

    def normal(self, *_where: object) -> Tensor:
        """Normal noise."""
        return torch.randn(self.latent.shape, generator=self.generator)

    def model(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The exact denoiser."""
        level, self.calls = self.path.level(float(sigma[0])), self.calls + 1
        noisy = level.signal**2 * self.covariance + level.noise**2 * torch.eye(4)
        inverse = torch.linalg.inv(noisy)
        off = x[..., None, :] - level.signal * self.corners
        share = torch.softmax(-((off @ inverse) * off).sum(-1) / 2, -1)
        each = self.corners + level.signal * off @ inverse @ self.covariance
        return (share[..., None] * each).sum(-2)

    def start(self, sigma: float) -> Tensor:
        """As Gaussians'."""
        level = self.path.level(sigma)
        if self.path.kind is Kind.EXPLODING:
            return math.sqrt(1 + level.noise**2) * self.normal()
        return level.signal * self.latent + level.noise * self.normal()

    def noised(self, sigma: Tensor, normal: Tensor) -> Tensor:
        """As Gaussians'."""
        level = self.path.level(float(sigma[0]))
        return level.signal * self.latent + level.noise * normal

    def settled(self, x: Tensor) -> Tensor:
        """Draws stay as they are."""
        return x

    def found(self, x: Tensor) -> float:
        """The share of draws at the first corner."""
        return float((x[..., 2:].mean(-1) > 0).float().mean())


def picture_problems() -> dict[str, Problem]:
    """Pictures of 8x8 numbers, neighbours correlated by 0.9 both ways, with four masks."""
    covariance = torch.kron(ar1(SIDE, 0.9), ar1(SIDE, 0.9))
    generator = torch.Generator().manual_seed(3)
    normal = torch.randn(SIDE**2, generator=generator, dtype=torch.float64)
    values = torch.linalg.cholesky(covariance) @ normal
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    middle = slice(SIDE // 4, 3 * SIDE // 4)
    columns, box = torch.zeros(SIDE, SIDE).bool(), torch.ones(SIDE, SIDE).bool()
    columns[:, middle] = True
    box[middle, middle] = False
    masks = {
        "outpaint": columns,
        "box": box,
        "half": x < SIDE // 2,
        "checkerboard": (x // 2 + y // 2) % 2 == 0,
    }
    return {
        name: observed(covariance, seen.flatten().nonzero()[:, 0].tolist(), values[seen.flatten()].tolist())
        for name, seen in masks.items()
    }


def sliced(found: Moments, truth: Moments, directions: int = 256) -> float:
    """Sliced 2-Wasserstein distance of two normal distributions over fixed random directions."""
    generator = torch.Generator().manual_seed(5)
    ways = torch.randn(directions, len(truth.mean), generator=generator, dtype=torch.float64)
    ways = ways / ways.norm(dim=1, keepdim=True)
    centre = (ways @ (found.mean - truth.mean)) ** 2
    widths = [((ways @ each.covariance) * ways).sum(1).clamp(min=0).sqrt() for each in (found, truth)]
    return float((centre + (widths[0] - widths[1]) ** 2).mean().sqrt())
