"""How well the cells of a latent can show masks."""

from __future__ import annotations

import numpy as np

CELL = 8  # px of the picture to a cell of the latent
LARGE = 3  # cells: things are large whose box has so many in both directions


def in_cells(mask: np.ndarray) -> np.ndarray:
    """How much of each cell a mask (bool H,W) fills; cells reach over the border where it cuts them."""
    height, width = (-side % CELL for side in mask.shape)
    whole = np.pad(mask.astype(np.float64), ((0, height), (0, width)))
    rows, columns = (side // CELL for side in whole.shape)
    return whole.reshape(rows, CELL, columns, CELL).mean((1, 3))


def ceiling(mask: np.ndarray) -> float:
    """The largest intersection over union with a mask that any map of 8 px cells has."""
    filled = np.sort(in_cells(mask).ravel())[::-1]
    inside, taken = np.cumsum(filled), np.arange(1, len(filled) + 1)
    return float((inside / (filled.sum() + taken - inside)).max())


def halves(mask: np.ndarray) -> float:
    """Intersection over union of a mask and of the cells that it fills at least by half."""
    filled = in_cells(mask)
    taken = filled >= 0.5
    return float(filled[taken].sum() / (filled.sum() + taken.sum() - filled[taken].sum()))


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union of two masks, 0 where both are empty."""
    return float((found & true).sum() / max((found | true).sum(), 1))


def large(mask: np.ndarray) -> bool:
    """Whether the box around a mask has at least 3 cells in both directions."""
    rows, columns = np.nonzero(mask)
    return bool(min(np.ptp(rows), np.ptp(columns)) + 1 >= LARGE * CELL)
