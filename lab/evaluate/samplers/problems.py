"""The contest's own worlds: one with two modes, sampled by drawing, and Gaussian pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from ....core.sampling.noise_schedule import NoiseSchedule
from .gaussian import Moments, Problem, World, ar1, observed

SIDE = 8  # of the picture whose neighbours are correlated


class TwoModes(World):
    """Four numbers near one of two opposite corners; the first two are known, which corner is to be told.

    Each mode is normal with neighbours correlated by a half; all variances are 1. The weights follow from
    Bayes' rule.
    """

    def __init__(
        self, path: NoiseSchedule, draws: int, corner: float, seen: tuple[float, float], seed: int
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
