"""Polygons, discs and lines on whole pixels, bit for bit as OpenCV rasterises them.

Every function returns the flat indices (row · width + column) of the pixels covered on a canvas of a given
size, so the caller paints with one assignment. Fixed-point numbers have 16 fractional bits, as in OpenCV.
"""

from __future__ import annotations

import numpy as np

from ..shapes import Size

_ONE = 1 << 16
_HALF = _ONE >> 1

# Sines of whole degrees with seven decimals in single precision: the precision OpenCV's table has.
_SINE = np.round(np.sin(np.deg2rad(np.arange(451))), 7).astype(np.float32).astype(np.float64)


def ellipse_polygon(center: tuple[int, int], axes: tuple[int, int], angle: int) -> np.ndarray:
    """The ellipse's outline in steps of one degree as whole points N,2 (x, y); `angle` in degrees."""
    turn = angle % 360
    cosine, sine = _SINE[450 - turn], _SINE[turn]
    degrees = np.arange(361)
    along, across = axes[0] * _SINE[450 - degrees], axes[1] * _SINE[degrees]
    x = np.rint(center[0] + along * cosine - across * sine).astype(np.int64)
    y = np.rint(center[1] + along * sine + across * cosine).astype(np.int64)
    fresh = np.append(True, (x[1:] != x[:-1]) | (y[1:] != y[:-1]))
    if fresh.sum() == 1:
        return np.array([center, center], dtype=np.int64)
    return np.stack([x[fresh], y[fresh]], axis=1)


def _expand_runs(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For runs starting at `first` with `count` members each: which run a member belongs to, and its
    value."""
    run = np.repeat(np.arange(len(count)), count)
    start = np.cumsum(count) - count
    return run, np.arange(len(run)) - start[run] + first[run]


def _rows(left: np.ndarray, right: np.ndarray, rows: np.ndarray, size: Size) -> np.ndarray:
    """The pixels from `left` to `right` (inclusive) of every row inside the canvas."""
    left, right = np.maximum(left, 0), np.minimum(right, size.width - 1)
    count = np.where((rows >= 0) & (rows < size.height), np.maximum(right - left + 1, 0), 0)
    run, column = _expand_runs(left, count)
    return rows[run] * size.width + column


def _truncated(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Integer division towards zero."""
    return np.sign(numerator) * (np.abs(numerator) // denominator)


def _edge(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Fixed-point x on the given rows of a chain of points (x fixed-point, y whole and not falling)."""
    start = np.searchsorted(y, rows, side="right") - 1
    height = y[start + 1] - y[start]
    slope = _truncated((x[start + 1] - x[start]) * 2 + height, 2 * height)
    return x[start] + slope * (rows - y[start])


def _inside(x: np.ndarray, y: np.ndarray, first: int, size: Size) -> np.ndarray:
    """Pixels between the two edges of a convex polygon that starts at its highest point `first`; not the
    last row."""
    rows = np.arange(max(int(y.min()), 0), min(int(y.max()), size.height))
    if not len(rows) or len(x) < 3:
        return np.zeros(0, dtype=np.int64)
    edges = []
    for order in (np.arange(len(x)), -np.arange(len(x))):
        chain = (first + order) % len(x)
        bottom = int(np.argmax(y[chain] == y.max()))
        edges.append(_edge(x[chain[: bottom + 1]], y[chain[: bottom + 1]], rows))
    left, right = np.minimum(*edges), np.maximum(*edges)
    return _rows((left + _HALF) >> 16, (right + _HALF) >> 16, rows, size)


def _clip(ends: np.ndarray, size: Size) -> np.ndarray:
    """Lines N,4 (x1, y1, x2, y2) cut to the canvas, those outside left out; cuts are rounded towards zero."""
    low, high = np.minimum(ends[:, :2], ends[:, 2:]), np.maximum(ends[:, :2], ends[:, 2:])
    touching = ((high >= 0) & (low < size)).all(axis=1)
    inside = ((low >= 0) & (high < size)).all(axis=1)
    corner = size.width - 1, size.height - 1
    cut = [_clip_one(x1, y1, x2, y2, *corner) for x1, y1, x2, y2 in ends[touching & ~inside].tolist()]
    kept = [line for line in cut if line is not None]
    return np.concatenate([ends[inside], np.array(kept, dtype=np.int64).reshape(-1, 4)])


def _clip_one(
    x1: int, y1: int, x2: int, y2: int, right: int, bottom: int
) -> tuple[int, int, int, int] | None:
    if max(y1, y2) < 0 or min(y1, y2) > bottom or max(x1, x2) < 0 or min(x1, x2) > right:
        return None
    if not 0 <= y1 <= bottom:
        edge = 0 if y1 < 0 else bottom
        x1, y1 = x1 + int(float(edge - y1) * (x2 - x1) / (y2 - y1)), edge
    if not 0 <= y2 <= bottom:
        edge = 0 if y2 < 0 else bottom
        x2, y2 = x2 + int(float(edge - y2) * (x2 - x1) / (y2 - y1)), edge
    if max(x1, x2) < 0 or min(x1, x2) > right:
        return None
    if not 0 <= x1 <= right:
        edge = 0 if x1 < 0 else right
        x1, y1 = edge, y1 + int(float(edge - x1) * (y2 - y1) / (x2 - x1))
    if not 0 <= x2 <= right:
        edge = 0 if x2 < 0 else right
        x2, y2 = edge, y2 + int(float(edge - x2) * (y2 - y1) / (x2 - x1))
    return x1, y1, x2, y2


def lines(ends: np.ndarray, size: Size) -> np.ndarray:
    """Lines N,4 (x1, y1, x2, y2; whole points) one pixel wide, by Bresenham (1965), always from left to
    right."""
    ends = _clip(ends, size)
    swap = ends[:, 2] < ends[:, 0]
    ends = np.where(swap[:, None], ends[:, [2, 3, 0, 1]], ends)
    start, delta = ends[:, :2], ends[:, 2:] - ends[:, :2]
    steep = np.abs(delta[:, 1]) > delta[:, 0]
    major = np.where(steep, np.abs(delta[:, 1]), delta[:, 0])
    minor = np.where(steep, delta[:, 0], np.abs(delta[:, 1]))
    down = np.where(delta[:, 1] < 0, -1, 1)
    run, step = _expand_runs(np.zeros(len(ends), dtype=np.int64), major + 1)
    length = np.maximum(major, 1)[run]
    # The minor step rounds to the nearest, halves down.
    side = -((length - 2 * minor[run] * step) // (2 * length))
    x = start[run, 0] + np.where(steep[run], side, step)
    y = start[run, 1] + np.where(steep[run], step, side) * down[run]
    return y * size.width + x


def convex_polygon(points: np.ndarray, size: Size) -> np.ndarray:
    """A filled convex polygon with whole corners N,2 and its outline, as OpenCV's fillConvexPoly."""
    low, high = points.min(axis=0), points.max(axis=0)
    if high.min() < 0 or low[0] >= size.width or low[1] >= size.height:
        return np.zeros(0, dtype=np.int64)
    outline = lines(np.concatenate([np.roll(points, 1, axis=0), points], axis=1), size)
    x, y = points[:, 0] << 16, points[:, 1]
    return np.concatenate([outline, _inside(x, y, int(y.argmin()), size)])


def disc(center: tuple[int, int], radius: int, size: Size) -> np.ndarray:
    """A filled circle by the midpoint method, as OpenCV's circle draws it."""
    half = np.zeros(radius + 1, dtype=np.int64)
    x, y, error = radius, 0, 0
    while x >= y:
        half[y], half[x] = max(half[y], x), max(half[x], y)
        y += 1
        error += 2 * y - 1
        if error > 0:
            error -= 2 * x - 1
            x -= 1
    offset = np.arange(-radius, radius + 1)
    reach = half[np.abs(offset)]
    return _rows(center[0] - reach, center[0] + reach, center[1] + offset, size)


def _fixed_line(x1: int, y1: int, x2: int, y2: int, size: Size) -> np.ndarray:
    """A line between fixed-point ends, one pixel per column or row, whichever are more."""
    cut = _clip_one(x1, y1, x2, y2, size.width * _ONE - 1, size.height * _ONE - 1)
    if cut is None:
        return np.zeros(0, dtype=np.int64)
    x1, y1, x2, y2 = cut
    flat = abs(x2 - x1) > abs(y2 - y1)
    if (x2 < x1) if flat else (y2 < y1):
        x1, y1, x2, y2 = x2, y2, x1, y1
    a1, b1, a2, b2 = (x1, y1, x2, y2) if flat else (y1, x1, y2, x2)
    rise = (b2 - b1) * _ONE
    slope = abs(rise) // ((a2 - a1) | 1) * (1 if rise >= 0 else -1)
    step = np.arange(((a2 - a1) >> 16) + 1)
    a = np.append(((a1 + _HALF) >> 16) + step, (a2 + _HALF) >> 16)
    b = np.append((b1 + _HALF + slope * step) >> 16, (b2 + _HALF) >> 16)
    x, y = (a, b) if flat else (b, a)
    kept = (x >= 0) & (x < size.width) & (y >= 0) & (y < size.height)
    return y[kept] * size.width + x[kept]


def thick_line(start: tuple[int, int], end: tuple[int, int], thickness: int, size: Size) -> np.ndarray:
    """A line between whole points, at least two pixels thick, with round ends, as OpenCV's line."""
    parts = [disc(point, (thickness + 1) // 2, size) for point in (start, end)]
    dx, dy = float(start[0] - end[0]), float(end[1] - start[1])
    if dx or dy:
        half = (thickness * _HALF + thickness % 2 * _HALF) / np.sqrt(dx * dx + dy * dy)
        across = np.array([np.rint(dy * half), np.rint(dx * half)], dtype=np.int64)
        first, last = (np.array(point, dtype=np.int64) << 16 for point in (start, end))
        corners = np.stack([first + across, first - across, last - across, last + across])
        sides = np.concatenate([np.roll(corners, 1, axis=0), corners], axis=1).tolist()
        parts += [_fixed_line(x1, y1, x2, y2, size) for x1, y1, x2, y2 in sides]
        y = (corners[:, 1] + _HALF) >> 16
        parts.append(_inside(corners[:, 0], y, int(corners[:, 1].argmin()), size))
    return np.concatenate(parts)
