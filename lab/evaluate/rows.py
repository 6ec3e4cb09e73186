"""What a measurement gives, and the sums that several share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.pose import skeleton
from ..toy.world.labels import MATERIAL
from ..toy.world.visible import PERSON

LIMBS = (
    skeleton.R_ELBOW, skeleton.R_WRIST, skeleton.L_ELBOW, skeleton.L_WRIST,
    skeleton.R_KNEE, skeleton.R_ANKLE, skeleton.L_KNEE, skeleton.L_ANKLE,
)  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """Plain JSON values: one row per picture, and the figures made of the rows."""

    rows: list[dict[str, Any]]
    summary: dict[str, Any]


def longer_side(material: np.ndarray) -> int:
    """The longer side, in pixels, of the box around the person in a whole picture's materials (H,W)."""
    rows, columns = np.nonzero(np.isin(material, PERSON))
    return int(max(np.ptp(rows), np.ptp(columns))) + 1


def distances(found: np.ndarray, truth: np.ndarray, length: float) -> list[float | None]:
    """For every true point of N,3 how far off the found one is, in shares of `length`; None if not found."""
    rows = []
    for (x, y, score), (tx, ty, there) in zip(found, truth, strict=True):
        if there:
            rows.append(round(float(np.hypot(x - tx, y - ty)) / length, 4) if score >= 0.5 else None)
    return rows


def pck(rows: Iterable[list[float | None]], share: float) -> float:
    """The share of the points of all rows that were found within `share` of the length."""
    flat = [distance for row in rows for distance in row]
    return round(sum(distance is not None and distance <= share for distance in flat) / max(len(flat), 1), 4)


def overlap(found: np.ndarray, material: np.ndarray, name: str) -> float | None:
    """Intersection over union of a found mask and the true one (H,W); None where there is no such pixel."""
    true = material == MATERIAL[name]
    return round(float((found & true).sum() / (found | true).sum()), 4) if true.any() else None


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the values that are there."""
    there = [value for value in values if value is not None]
    return round(sum(there) / len(there), 4) if there else None


def inside(pose: np.ndarray, hole: np.ndarray | None) -> np.ndarray:
    """The limbs' joints, those outside of the hole marked as not there."""
    limbs = pose[list(LIMBS)].copy()
    if hole is not None:
        rows = np.clip(limbs[:, 1].astype(int), 0, hole.shape[0] - 1)
        columns = np.clip(limbs[:, 0].astype(int), 0, hole.shape[1] - 1)
        limbs[:, 2] *= hole[rows, columns]
    return limbs
