"""The 33 points of one person, from the landmarks network's numbers to the picture's pixels."""

from __future__ import annotations

import numpy as np

from .region import Region

SIDE = 256  # pixels: the square picture that the network sees
POINTS = 33
MIDDLE, EDGE = 33, 34  # the points behind them: the middle of the hips, and one on the circle around the body
_LISTED = 39
_REACH = 3  # cells of the heat map on each side that count in the refinement
_SURE = 0.5  # a heat map whose best cell is below it refines nothing


def _logistic(raw: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(raw.astype(np.float64), -100, 100)))


def decode(raw: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """39,4: x, y (parts of the square's side), visibility and presence, refined by the heat maps.

    `raw` is 195 numbers, five a point; `heat` cells,cells,39.
    """
    rows = raw.reshape(_LISTED, 5).astype(np.float64)
    found = np.column_stack([rows[:, :2] / SIDE, _logistic(rows[:, 3]), _logistic(rows[:, 4])])
    return refine(found, heat)


def refine(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The points with x, y at the centre of gravity of their heat map's seven by seven cells around them.

    As in MediaPipe's pipeline a cell counts at its left upper corner. `heat` holds logits.
    """
    rows, columns = heat.shape[:2]
    result = points.copy()
    for index, (x, y) in enumerate(points[:, :2]):
        column, row = int(x * columns), int(y * rows)
        if not (0 <= x * columns < columns and 0 <= y * rows < rows):
            continue
        left, top = max(column - _REACH, 0), max(row - _REACH, 0)
        weights = _logistic(heat[top : row + _REACH + 1, left : column + _REACH + 1, index])
        if weights.max() < _SURE:
            continue
        down, across = np.indices(weights.shape)
        result[index, 0] = ((across + left) * weights).sum() / weights.sum() / columns
        result[index, 1] = ((down + top) * weights).sum() / weights.sum() / rows
    return result


def to_picture(points: np.ndarray, region: Region) -> np.ndarray:
    """The points with x, y in the picture's pixels, counted from its corner."""
    across, down = ((points[:, axis] - 0.5) * region.side for axis in (0, 1))
    result = points.copy()
    result[:, 0], result[:, 1] = region.place(across, down)
    return result
