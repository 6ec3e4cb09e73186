"""Connected pieces of masks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def largest(mask: Tensor) -> Tensor:
    """A mask (B,1,H,W) with only the piece of the most pixels above 0 of each picture.

    Pixels that touch at a side or a corner are of one piece. Of pieces of one size the first from the top is
    kept.
    """
    kept = [_largest_of(one[0].cpu().numpy() > 0) for one in mask]
    return mask * torch.from_numpy(np.stack(kept))[:, None].to(mask.device)


def _largest_of(inside: np.ndarray) -> np.ndarray:
    """The largest piece of one mask (bool H,W)."""
    rows, starts, stops = _runs(inside)
    piece = _joined(rows, starts, stops)
    if not len(piece):
        return inside
    sizes = np.bincount(piece, weights=stops - starts)
    best = sizes.argmax()
    result = np.zeros_like(inside)
    for run in np.flatnonzero(piece == best):
        result[rows[run], starts[run] : stops[run]] = True
    return result


def _runs(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, start and end of each stretch of a mask's rows, from the top."""
    edges = np.diff(np.pad(inside, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    return rows, starts, np.nonzero(edges == -1)[1]


def _joined(rows: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """For each stretch the number of the first one of its piece."""
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    above = 0
    for run in range(len(rows)):
        while above < run and (rows[above] < rows[run] - 1 or _ends_before(above, run, rows, starts, stops)):
            above += 1
        other = above
        while other < run and rows[other] == rows[run] - 1 and starts[other] <= stops[run]:
            first, second = sorted((root(other), root(run)))
            parent[second] = first
            other += 1
    return np.array([root(run) for run in range(len(rows))], dtype=np.int64)


def _ends_before(above: int, run: int, rows: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> bool:
    """Whether a stretch of the row above ends before another begins, a corner apart."""
    return bool(rows[above] == rows[run] - 1 and stops[above] < starts[run])


def touching(inside: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The pieces of a mask (bool H,W) that hold a pixel of `seeds` (bool H,W)."""
    rows, starts, stops = _runs(inside)
    piece = _joined(rows, starts, stops)
    before = np.pad(np.cumsum(seeds & inside, axis=1), ((0, 0), (1, 0)))
    held = np.bincount(piece, before[rows, stops] - before[rows, starts], minlength=len(piece)) > 0
    result = np.zeros_like(inside)
    for run in np.flatnonzero(held[piece]) if len(piece) else ():
        result[rows[run], starts[run] : stops[run]] = True
    return result
