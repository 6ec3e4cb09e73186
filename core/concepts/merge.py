"""Several concepts in one model, in closed form (Kumari et al. 2023, §3.2, eq. 4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

RIDGE = 1e-9  # of the mean of the regularisation features' squares, for directions that none of them has


def closed_form(base: Tensor, constrained: Tensor, values: Tensor, regular: Tensor) -> Tensor:
    """The weight (out,in) nearest to `base` on the regularisation features that maps features to values.

    Minimises ‖(W − W₀) C_regᵀ‖ subject to W Cᵀ = Vᵀ, in fp64. `constrained` is C (s,in), `values` V (s,out),
    `regular` C_reg (n,in). ValueError for shapes that do not fit.
    """
    if constrained.shape[1] != base.shape[1] or values.shape != (len(constrained), base.shape[0]):
        raise ValueError(
            f"Expected features of {base.shape[1]} and values of {base.shape[0]} numbers, "
            f"got {tuple(constrained.shape)} and {tuple(values.shape)}; give those of this layer."
        )
    base, c, v, regular = (each.double() for each in (base, constrained, values, regular))
    if not len(c):
        return base
    gram = regular.T @ regular
    gram += RIDGE * gram.diagonal().mean().clamp(min=1e-12) * torch.eye(len(gram), dtype=gram.dtype)
    spread = torch.linalg.solve(gram, c.T)  # G⁻¹ Cᵀ: in,s
    missing = v.T - base @ c.T  # out,s
    # Features that are nearly the same leave C G⁻¹ Cᵀ near singular: the smallest solution.
    multipliers = torch.linalg.lstsq(c @ spread, missing.T, driver="gelsd").solution
    return base + (spread @ multipliers).T


def average(base: Tensor, several: Sequence[Tensor]) -> Tensor:
    """The mean of the weights of several concepts, in fp64; the base's without any."""
    if not several:
        return base.double()
    return torch.stack([each.double() for each in several]).mean(0)


def distinct(features: Tensor, tolerance: float = 1e-5) -> Tensor:
    """Which rows (s,in) are not the same as one before, to a share of the largest number; bool s."""
    scale = features.abs().max().clamp(min=1e-12) * tolerance
    near = (
        torch.cdist(features.double(), features.double(), compute_mode="donot_use_mm_for_euclid_dist")
        <= scale
    )
    return ~near.tril(-1).any(1)
