"""The pixels that a stroke covers, in whole numbers, so that every language finds the same ones.

Lengths are in steps, sixteenths of a pixel; the centre of the pixel in column i and
row j is (16i + 8, 16j + 8). Divisions round down.

- The pen's diameter at a point of pressure p is max(24, (width · p + 31) // 63): no line has gaps.
- From a point A to the next, B, the pen makes n = max(1, ⌈max(|dx|, |dy|) / s⌉) equal steps, where s is the
  larger of 8 and a sixteenth of the smaller diameter. At step k = 0 … n − 1 its coordinates and its
  diameter are a + (2k(b − a) + n) // 2n; the last point closes the stroke.
- A disc of diameter d covers the pixels whose centres have 4((x − cx)² + (y − cy)²) ≤ d².
- A filled stroke also covers each pixel with an odd number of edges of its closed polygon at or left of its
  centre on its row. An edge from (x1, y1) to (x2, y2), y1 < y2, crosses a row at y if y1 ≤ y < y2.
- A stroke of width 0 has no pen and covers its area alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..shapes import Box, Size
from .strokes import FULL, STEPS, Stroke

HALF = STEPS // 2
THINNEST = 24  # steps: below it a disc between four pixels covers none
LEAST_STEP, FINENESS = 8, 4  # s = max(LEAST_STEP, diameter >> FINENESS)
SPANS = 1 << 20  # rows of discs at a time


def diameters(width: int, pressure: np.ndarray) -> np.ndarray:
    """The pen's diameter at points of such pressure, in steps."""
    return np.maximum(THINNEST, (width * pressure + FULL // 2) // FULL)


def _repeat(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For runs with `count` members each: which run a member belongs to, and its number in it."""
    run = np.repeat(np.arange(len(count)), count)
    return run, np.arange(len(run)) - (np.cumsum(count) - count)[run]


def _touching(a: np.ndarray, b: np.ndarray, size: Size) -> np.ndarray:
    """Which segments of the pen (rows x, y, diameter) may reach the canvas."""
    wide = np.maximum(a[:, 2], b[:, 2])[:, None]
    low, high = np.minimum(a, b)[:, :2] - wide, np.maximum(a, b)[:, :2] + wide
    return np.asarray(((high >= 0) & (low <= STEPS * np.array(size))).all(axis=1))


def discs(stroke: Stroke, size: Size) -> np.ndarray:
    """The pen's places N,3 (x, y, diameter) that may reach the canvas."""
    pen = stroke.points.copy()
    pen[:, 2] = diameters(stroke.width, pen[:, 2])
    kept = _touching(pen[:-1], pen[1:], size)
    a, b = pen[:-1][kept], pen[1:][kept]
    step = np.maximum(LEAST_STEP, np.minimum(a[:, 2], b[:, 2]) >> FINENESS)
    far = np.abs(b - a)[:, :2].max(axis=1)
    count = np.maximum(1, -(-far // step))
    run, k = _repeat(count)
    n = count[run, None]
    between = a[run] + (2 * k[:, None] * (b - a)[run] + n) // (2 * n)
    return np.concatenate([between, pen[-1:]])


def _marked(change: np.ndarray, row: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Open a span before column `left` and close it after `right` in the rows of `change` (H,W+1)."""
    flat, width = change.reshape(-1), change.shape[1]
    flat += np.bincount(row * width + left, minlength=len(flat))
    flat -= np.bincount(row * width + right + 1, minlength=len(flat))


def _mark_discs(change: np.ndarray, pen: np.ndarray) -> None:
    height, width = change.shape[0], change.shape[1] - 1
    x, y, d = pen.T
    top = np.maximum(-((d + STEPS - 2 * y) // (2 * STEPS)), 0)
    bottom = np.minimum((2 * y + d - STEPS) // (2 * STEPS), height - 1)
    run, k = _repeat(np.maximum(bottom - top + 1, 0))
    row = top[run] + k
    off = STEPS * row + HALF - y[run]
    # The root of a whole number below 2^52 is rounded correctly, so its floor is exact.
    half = np.sqrt(np.maximum(d[run] ** 2 - 4 * off**2, 0)).astype(np.int64) >> 1
    left = np.maximum(-((half + HALF - x[run]) // STEPS), 0)
    right = np.minimum((x[run] + half - HALF) // STEPS, width - 1)
    seen = left <= right
    _marked(change, row[seen], left[seen], right[seen])


def _inside(points: np.ndarray, size: Size) -> np.ndarray:
    """The pixels (bool H,W) inside a closed polygon, by the even-odd rule."""
    a, b = points, np.roll(points, -1, axis=0)
    down = a[:, 1] <= b[:, 1]
    (x1, y1), (x2, y2) = np.where(down[:, None], a, b).T, np.where(down[:, None], b, a).T
    first = np.maximum(-((HALF - y1) // STEPS), 0)
    last = np.minimum(-((HALF - y2) // STEPS), size.height)
    run, k = _repeat(np.maximum(last - first, 0))
    row, dy = first[run] + k, (y2 - y1)[run]
    crossing = (STEPS * row + HALF - y1[run]) * (x2 - x1)[run] + (x1[run] - HALF) * dy
    column = np.clip(-(-crossing // (STEPS * dy)), 0, size.width)
    wide = size.width + 1
    edges = np.bincount(row * wide + column, minlength=size.height * wide).reshape(size.height, wide)
    return (np.cumsum(edges, axis=1) & 1).astype(bool)[:, : size.width]


def covered(stroke: Stroke, size: Size) -> tuple[Box, np.ndarray]:
    """The pixels that a stroke covers: a box within the canvas and which of its pixels (bool h,w)."""
    box = _around(stroke, size)
    if not box.size.area:
        return box, np.zeros((box.height, box.width), dtype=bool)
    moved = replace(stroke, points=stroke.points - np.array([STEPS * box.x, STEPS * box.y, 0]))
    change = np.zeros((box.height, box.width + 1), dtype=np.int64)
    if moved.width:
        pen = discs(moved, box.size)
        part = np.cumsum(pen[:, 2] // STEPS + 2) // SPANS
        for each in np.unique(part):
            _mark_discs(change, pen[part == each])
    found = np.cumsum(change, axis=1)[:, : box.width] > 0
    return box, found | _inside(moved.points[:, :2], box.size) if moved.fill else found


def _around(stroke: Stroke, size: Size) -> Box:
    """A box of the canvas that holds all pixels of a stroke."""
    reach = int(diameters(stroke.width, stroke.points[:, 2]).max()) // 2 + STEPS
    low = (stroke.points[:, :2].min(axis=0) - reach) // STEPS
    high = (stroke.points[:, :2].max(axis=0) + reach) // STEPS + 1
    left, top = (int(value) for value in np.clip(low, 0, size))
    right, bottom = (int(value) for value in np.clip(high, 0, size))
    return Box(left, top, right - left, bottom - top)
