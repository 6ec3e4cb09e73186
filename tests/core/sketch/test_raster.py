"""The rasteriser of strokes against distances computed pixel by pixel."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from recompose.core.shapes import Size
from recompose.core.sketch import raster
from recompose.core.sketch.draw import draw
from recompose.core.sketch.strokes import Stroke

SIZE = Size(61, 47)


def pixels(stroke: Stroke, size: Size = SIZE) -> np.ndarray:
    found = np.zeros((size.height, size.width), dtype=bool)
    box, inside = raster.covered(stroke, size)
    found[box.y : box.bottom, box.x : box.right] = inside
    return found


def stroke(points: list[tuple[int, int, int]], width: int = 64, **more) -> Stroke:
    return Stroke("sketch", width, np.array(points, dtype=np.int64), **more)


def centres(size: Size) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(16 * np.arange(size.width) + 8, 16 * np.arange(size.height) + 8)


def by_hand(one: Stroke, size: Size) -> np.ndarray:
    """Every disc of every step over every pixel, in Python's own whole numbers."""
    x, y = centres(size)
    pen = [(px, py, max(24, (one.width * p + 31) // 63)) for px, py, p in one.points.tolist()]
    found = np.zeros(x.shape, dtype=bool)
    places = [pen[-1]]
    for a, b in pairwise(pen):
        step = max(8, min(a[2], b[2]) // 16)
        n = max(1, -(-max(abs(b[0] - a[0]), abs(b[1] - a[1])) // step))
        places += [
            tuple(s + (2 * k * (e - s) + n) // (2 * n) for s, e in zip(a, b, strict=True)) for k in range(n)
        ]
    for cx, cy, d in places:
        found |= 4 * ((x - cx) ** 2 + (y - cy) ** 2) <= d * d
    if one.fill:
        ring = [(px, py) for px, py, _ in one.points.tolist()]
        odd = np.zeros(x.shape, dtype=int)
        for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if y1 > y2:
                x1, y1, x2, y2 = x2, y2, x1, y1
            crosses = (y1 <= y) & (y < y2)
            odd += crosses & ((x - x1) * (y2 - y1) >= (y - y1) * (x2 - x1))
        found |= odd % 2 == 1
    return found


def random_stroke(chance: np.random.Generator) -> Stroke:
    count = int(chance.integers(1, 9))
    points = np.column_stack(
        [
            chance.integers(-300, 1300, count),
            chance.integers(-300, 1100, count),
            chance.integers(0, 64, count),
        ]
    )
    width = int(chance.choice([0, 1, 24, 64, 333, 900]))
    return Stroke("sketch", max(width, 1), points.astype(np.int64), fill=bool(chance.random() < 0.4))


def test_200_random_strokes_cover_what_the_definition_says() -> None:
    chance = np.random.default_rng(7)
    for _ in range(200):
        one = random_stroke(chance)
        np.testing.assert_array_equal(pixels(one), by_hand(one, SIZE))


def test_a_wide_line_is_the_set_of_near_pixels() -> None:
    x, y = centres(SIZE)
    found = pixels(stroke([(160, 400, 63), (800, 400, 63)], 160))
    far = np.hypot(np.maximum(np.maximum(160 - x, x - 800), 0), y - 400)
    assert found[far <= 78].all() and not found[far > 80].any()


def test_the_thinnest_line_has_no_gap_wherever_it_lies() -> None:
    for down in range(16):
        found = pixels(stroke([(80, 320 + down, 0), (880, 327 + down, 0)], 1))
        assert found[:, 6:54].any(axis=0).all() and found.sum(axis=0).max() <= 2


def test_pressure_changes_the_width_along_a_stroke() -> None:
    found = pixels(stroke([(100, 380, 8), (900, 380, 63)], 256))
    high = found.sum(axis=0)
    assert high[8] <= 4 and high[52] >= 13 and (np.diff(high[8:52]) >= 0).mean() > 0.95


def test_a_filled_square_without_a_pen_is_the_square() -> None:
    found = pixels(stroke([(160, 160, 63), (480, 160, 63), (480, 320, 63), (160, 320, 63)], 0, fill=True))
    wanted = np.zeros_like(found)
    wanted[10:20, 10:30] = True
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("at", [(-5000, -5000, 63), (100_000, 30, 63), (30, 500_000, 63)])
def test_a_stroke_outside_the_canvas_covers_nothing(at: tuple[int, int, int]) -> None:
    assert not pixels(stroke([at, (at[0] + 3, at[1], 63)])).any()


def test_layers_are_apart_and_the_later_stroke_wins() -> None:
    dot = np.array([[320, 320, 63]], dtype=np.int64)
    red, blue = (255, 0, 0), (0, 0, 255)
    made = draw(
        [
            Stroke("colour", 320, dot, colour=red),
            Stroke("colour", 160, dot, colour=blue),
            Stroke("mask", 320, dot),
            Stroke("sketch", 320, dot),
            Stroke("sketch", 160, dot, erase=True),
        ],
        SIZE,
    )
    assert tuple(made.colours[20, 20]) == blue and tuple(made.colours[20, 12]) == red
    assert not made.sketch[20, 20] and made.sketch[20, 12] and made.mask[20, 20]
    assert made.coloured.sum() == made.mask.sum() and not made.colours[~made.coloured].any()


def test_a_start_is_under_the_strokes() -> None:
    start = np.zeros((SIZE.height, SIZE.width), dtype=bool)
    start[10:30] = True
    made = draw([stroke([(320, 320, 63)], 160, erase=True)], SIZE, start)
    assert made.sketch[20, 50] and not made.sketch[20, 20] and start[20, 20]
