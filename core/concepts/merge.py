"""Several concepts in one model, in closed form (Kumari et al. 2023, §3.2, eq. 4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

NEAR, SAME = 0.02, 1e-5  # shares of the rows' mean length
RIDGE = 1e-9  # of the mean of the regularisation features' squares, for directions that none of them has


def closed_form(
    bases: Sequence[Tensor], constrained: Tensor, values: Sequence[Tensor], regular: Tensor
) -> list[Tensor]:
    """The weights (out,in) nearest to `bases` on the regularisation features that map features to values.

    Each minimises ‖(W − W₀) C_regᵀ‖ subject to W Cᵀ = Vᵀ, in fp64. `constrained` is C (s,in), `values` V
    (s,out) of each layer, `regular` C_reg (n,in). ValueError for shapes that do not fit.
    """
    for base, v in zip(bases, values, strict=True):
        if constrained.shape[1] != base.shape[1] or v.shape != (len(constrained), base.shape[0]):
            raise ValueError(
                f"Expected features of {base.shape[1]} and values of {base.shape[0]} numbers, "
                f"got {tuple(constrained.shape)} and {tuple(v.shape)}; give those of this layer."
            )
    c, regular = constrained.double(), regular.double()
    if not len(c):
        return [base.double() for base in bases]
    gram = regular.T @ regular
    gram += RIDGE * gram.diagonal().mean().clamp(min=1e-12) * torch.eye(len(gram), dtype=gram.dtype)
    spread = torch.linalg.solve(gram, c.T)  # G⁻¹ Cᵀ: in,s
    found = []
    for base, v in zip(bases, values, strict=True):
        missing = v.double() - c @ base.double().T  # s,out
        # Features that are nearly the same leave C G⁻¹ Cᵀ near singular: the smallest solution.
        multipliers = torch.linalg.lstsq(c @ spread, missing, driver="gelsd").solution
        found.append(base.double() + (spread @ multipliers).T)
    return found


def average(base: Tensor, several: Sequence[Tensor]) -> Tensor:
    """The mean of the weights of several concepts, in fp64; the base's without any."""
    if not several:
        return base.double()
    return torch.stack([each.double() for each in several]).mean(0)


def grouped(features: Tensor, owners: Tensor) -> Tensor:
    """For each row (s,in) the number of its group: rows count as one that are the same, or of several owners
    (int64 s) and nearly the same.

    A weight cannot map two such rows to different values without mapping what lies between to huge ones.
    """
    near, same = clusters(features, NEAR), clusters(features, SAME)
    several = torch.zeros(len(near), dtype=torch.bool)
    for number in near.unique():
        rows = near == number
        several[rows] = len(owners[rows].unique()) > 1
    return torch.where(several, near, len(near) + same).unique(return_inverse=True)[1]


def clusters(features: Tensor, tolerance: float) -> Tensor:
    """For each row (s,in) the number of the first one nearer to it than a share of the rows' mean length."""
    features = features.double()
    scale = features.norm(dim=1).mean() * tolerance
    near = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist") <= scale
    found: list[int] = []
    for row in range(len(features)):
        first = next((other for other in dict.fromkeys(found) if near[row, other]), row)
        found.append(first)
    return torch.tensor(found, dtype=torch.int64)


def of_groups(rows: Tensor, groups: Tensor) -> Tensor:
    """The mean of the rows (s,n) of each group, in fp64."""
    count = int(groups.max()) + 1 if len(groups) else 0
    total = torch.zeros(count, rows.shape[1], dtype=torch.float64).index_add(0, groups, rows.double())
    return total / torch.bincount(groups, minlength=count)[:, None].clamp(min=1)
