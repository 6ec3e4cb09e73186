"""Exact Euclidean distances on a pixel grid, only as far as they are needed.

Separable as in Felzenszwalb and Huttenlocher (2012): distances along columns first, then along rows the
minimum over all shifts d of (column distance)² + d². Here the second step runs on bands of rows that fit the
cache, stops as soon as no larger shift can help, and leaves out bands that are covered or out of reach.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

# Tall enough that the threads spend their time in numpy and not waiting for the interpreter.
BAND = 64
# Shifts between two looks at whether a band is finished.
PATIENCE = 4
# The largest reach whose sums of two squares fit 16 bits, which are twice as fast as 32.
SHORT_REACH = 180


def to_nearest(seeds: np.ndarray, reach: float) -> np.ndarray:
    """The distance (float32 H,W, px) from every pixel's centre to the nearest seed's (bool H,W).

    Exact up to `reach`; everything farther becomes a number above it.
    """
    limit = int(np.ceil(reach)) + 1
    columns = np.where(seeds, 0, limit).astype(np.uint16 if limit <= SHORT_REACH else np.uint32)
    _propagate_along_columns(columns, limit)
    return np.sqrt(_minimum_along_rows(columns * columns, limit), dtype=np.float32)


def to_level(values: np.ndarray, reach: float, level: float = 0.5) -> np.ndarray:
    """The distance (float32 H,W, px) from every pixel's centre to where `values` (float H,W) cross `level`.

    The crossings are found between neighbours in rows and in columns by linear interpolation; the distance to
    these points is exact up to `reach`.
    """
    limit = int(np.ceil(reach)) + 1
    down = _minimum_along_rows(_to_crossings(values, level, limit) ** 2, limit)
    across = _minimum_along_rows(_to_crossings(values.T, level, limit) ** 2, limit).T
    return np.sqrt(np.minimum(down, across))


def _to_crossings(values: np.ndarray, level: float, limit: int) -> np.ndarray:
    """Along columns the distance to the nearest crossing of the same column, at most `limit`."""
    result = np.full(values.shape, limit, dtype=np.float32)
    first, second = values[:-1], values[1:]
    crossing = (first > level) != (second > level)
    share = np.divide(level - first, second - first, out=np.zeros_like(first), where=crossing)
    result[:-1][crossing] = share[crossing]
    result[1:][crossing] = np.minimum(result[1:][crossing], 1 - share[crossing])
    _propagate_along_columns(result, limit)
    return result


def _propagate_along_columns(distance: np.ndarray, limit: int) -> None:
    """Turn distances at the seeds into distances everywhere along the columns, capped, in place."""
    for y in range(1, len(distance)):
        np.minimum(distance[y], distance[y - 1] + distance.dtype.type(1), out=distance[y])
    for y in range(len(distance) - 2, -1, -1):
        np.minimum(distance[y], distance[y + 1] + distance.dtype.type(1), out=distance[y])
    np.minimum(distance, distance.dtype.type(limit), out=distance)


def _minimum_along_rows(squares: np.ndarray, limit: int) -> np.ndarray:
    """The minimum over shifts d within ±limit of squares(x + d) + d² in every row."""
    height, width = squares.shape
    wide = np.full((height, width + 2 * limit), limit * limit, dtype=squares.dtype)
    wide[:, limit : limit + width] = squares
    result = squares.copy()
    with ThreadPoolExecutor(max(1, torch.get_num_threads())) as pool:
        list(pool.map(lambda row: _finish_band(wide, result, row, limit), range(0, height, BAND)))
    return result


def _finish_band(wide: np.ndarray, result: np.ndarray, row: int, limit: int) -> None:
    best, around = result[row : row + BAND], wide[row : row + BAND]
    width = best.shape[1]
    if best.max() == 0 or best.min() >= limit * limit:
        return
    candidate = np.empty_like(best)
    for shift in range(1, limit + 1):
        left = around[:, limit - shift : limit - shift + width]
        right = around[:, limit + shift : limit + shift + width]
        np.minimum(left, right, out=candidate)
        np.add(candidate, best.dtype.type(shift * shift), out=candidate)
        np.minimum(best, candidate, out=best)
        if shift % PATIENCE == 0 and shift * shift >= best.max():
            return
