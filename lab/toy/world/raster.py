"""Anti-aliased shapes with soft light, by their distance functions; pixel centres lie at halves, y down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, hypot, pi, sin
from typing import NamedTuple

import numpy as np

Colour = tuple[float, float, float]
Point = tuple[float, float]


class Shape(NamedTuple):
    """The box (left, top, right, bottom) a shape fills, and its field: signed distance and normal."""

    box: tuple[float, float, float, float]
    field: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@lru_cache(maxsize=4)
def centres(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32) + np.float32(0.5)


def capsule(a: Point, b: Point, ra: float, rb: float) -> Shape:
    """A limb from a to b whose radius goes from ra to rb."""
    (ax, ay), (bx, by) = a, b
    dx, dy = bx - ax, by - ay
    square = max(dx * dx + dy * dy, 1e-6)

    def field(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        along = np.clip(((x - ax) * (dx / square)) + ((y - ay) * (dy / square)), 0, 1)
        px, py, radius = x - ax - along * dx, y - ay - along * dy, ra + along * (rb - ra)
        return np.sqrt(px * px + py * py) - radius, px / radius, py / radius

    box = (min(ax - ra, bx - rb), min(ay - ra, by - rb), max(ax + ra, bx + rb), max(ay + ra, by + rb))
    return Shape(box, field)


def ellipse(centre: Point, rx: float, ry: float) -> Shape:
    cx, cy = centre

    def field(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        nx, ny = (x - cx) / rx, (y - cy) / ry
        return (np.sqrt(nx * nx + ny * ny) - 1) * min(rx, ry), nx + 0 * ny, ny + 0 * nx

    return Shape((cx - rx, cy - ry, cx + rx, cy + ry), field)


def disc(centre: Point, radius: float) -> Shape:
    return ellipse(centre, radius, radius)


def convex(points: Sequence[Point]) -> Shape:
    """The convex hull of points, as the intersection of its half-planes."""
    corners = hull_of(points)
    xs, ys = [p[0] for p in corners], [p[1] for p in corners]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    edges = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = hypot(bx - ax, by - ay)
        if length > 1e-6:
            nx, ny = (by - ay) / length, -(bx - ax) / length
            edges.append((nx, ny, nx * ax + ny * ay))
    table = np.array(edges, dtype=np.float32)[:, :, None, None]

    def field(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        distance = (table[:, 0] * x + (table[:, 1] * y - table[:, 2])).max(axis=0)
        nx = (x - (left + right) / 2) * (2 / max(right - left, 1e-3)) + 0 * y
        ny = (y - (top + bottom) / 2) * (2 / max(bottom - top, 1e-3)) + 0 * x
        return distance, nx, ny

    return Shape((left, top, right, bottom), field)


def rounded(circles: Sequence[tuple[float, float, float]], corners: int = 10) -> Shape:
    """The convex hull of circles (x, y, radius)."""
    turns = [2 * pi * (k + 0.5) / corners for k in range(corners)]
    return convex([(x + r * cos(t), y + r * sin(t)) for x, y, r in circles for t in turns])


def hull_of(points: Sequence[Point]) -> list[Point]:
    """Corners of the convex hull in the order that puts outer normals at (dy, -dx)."""
    ordered = sorted(set(points))

    def half(sequence: Sequence[Point]) -> list[Point]:
        chain: list[Point] = []
        for p in sequence:
            while len(chain) > 1 and turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return half(ordered) + half(ordered[::-1])


def turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@dataclass
class Canvas:
    """A picture being drawn: colours 0…255 (H,W,3), what each pixel is made of and which limb it shows.

    Whatever is drawn has coordinates in units, of which each takes `zoom` pixels.
    """

    image: np.ndarray
    material: np.ndarray
    segment: np.ndarray
    light: Point
    zoom: float = 1.0

    @classmethod
    def blank(cls, height: int, width: int, light: Point, zoom: float = 1.0) -> Canvas:
        """An empty canvas; height and width in units."""
        flat = np.zeros((round(height * zoom), round(width * zoom)), np.uint8)
        return cls(np.zeros((*flat.shape, 3), np.float32), flat, flat.copy(), light, zoom)

    @property
    def height(self) -> int:
        """Rows in units."""
        return round(self.material.shape[0] / self.zoom)

    @property
    def width(self) -> int:
        """Columns in units."""
        return round(self.material.shape[1] / self.zoom)

    def window(self, box: Sequence[float]) -> tuple[slice, slice] | None:
        """The pixels of a box in units, or None where it lies outside."""
        height, width = self.material.shape
        box = [side * self.zoom for side in box]
        left, right = max(int(box[0]) - 1, 0), min(int(box[2]) + 2, width)
        top, bottom = max(int(box[1]) - 1, 0), min(int(box[3]) + 2, height)
        if left >= right or top >= bottom:
            return None
        return slice(top, bottom), slice(left, right)

    def paint(
        self,
        shapes: Shape | Sequence[Shape],
        colour: Colour,
        material: int = 0,
        segments: Sequence[int] = (0,),
        relief: float = 0.13,
        edge: float = 0.22,
    ) -> None:
        """Paint the union of shapes in one colour, lit by `relief`, its rim darkened by `edge`."""
        shapes = [shapes] if isinstance(shapes, Shape) else list(shapes)
        boxes = np.array([shape.box for shape in shapes])
        window = self.window((*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
        if window is None:
            return
        distance, nx, ny, owner = self.union(shapes, window, segments)
        distance = distance * self.zoom
        shade = 1 + relief * np.clip(nx * self.light[0] + ny * self.light[1], -1, 1)
        shade *= 1 - edge * np.clip(1 + distance / 1.4, 0, 1)
        part = self.image[window]
        lit = shade[..., None] * np.array(colour, np.float32)
        part += np.clip(0.5 - distance, 0, 1)[..., None] * (lit - part)
        inside = distance < 0
        self.material[window][inside] = material
        self.segment[window][inside] = owner[inside]

    def union(
        self, shapes: Sequence[Shape], window: tuple[slice, slice], segments: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Distance, normal and limb of the nearest shape; `segments` holds one for all or one each."""
        x, y = self.grid(window)
        distance, nx, ny = shapes[0].field(x, y)
        owner = np.full(distance.shape, segments[0], np.uint8)
        for k, shape in enumerate(shapes[1:], 1):
            other, ox, oy = shape.field(x, y)
            nearer = other < distance
            distance, nx, ny = np.minimum(distance, other), np.where(nearer, ox, nx), np.where(nearer, oy, ny)
            owner[nearer] = segments[k % len(segments)]
        return distance, nx, ny, owner

    def grid(self, window: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
        height, width = self.material.shape
        x, y = centres(width)[None, window[1]], centres(height)[window[0], None]
        return (x, y) if self.zoom == 1 else (x / np.float32(self.zoom), y / np.float32(self.zoom))

    def darken(self, centre: Point, rx: float, ry: float, strength: float) -> None:
        """A soft shadow on the ground."""
        window = self.window((centre[0] - rx, centre[1] - ry, centre[0] + rx, centre[1] + ry))
        if window is None:
            return
        x, y = self.grid(window)
        reach = np.clip(1 - ((x - centre[0]) / rx) ** 2 - ((y - centre[1]) / ry) ** 2, 0, 1)
        self.image[window] *= (1 - strength * np.minimum(1.6 * reach, 1))[..., None]

    def gradient(self, top: int, bottom: int, upper: Colour, lower: Colour) -> None:
        """Fill the rows from top to bottom with a vertical gradient."""
        top, bottom = round(top * self.zoom), round(bottom * self.zoom)
        t = np.linspace(0, 1, max(bottom - top, 1), dtype=np.float32)[:, None, None]
        rows = np.asarray(upper, np.float32) * (1 - t) + np.asarray(lower, np.float32) * t
        self.image[top:bottom] = rows[: bottom - top]
