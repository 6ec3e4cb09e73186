"""The page draws the strokes of Draw Sketch as Python does, to the pixel."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
from recompose.core.shapes import Size
from recompose.core.sketch import strokes
from recompose.core.sketch.draw import draw
from recompose.core.sketch.strokes import Stroke

DRAWINGS = 200
Ask = Callable[..., list[Any]]
DAMAGE = {"all": strokes.DAMAGED, "version": strokes.OTHER_VERSION}


def random_stroke(chance: np.random.Generator, size: Size) -> Stroke:
    """A pen's way with changing pressure, partly off the canvas, now and then erasing or filled."""
    count = int(chance.choice([1, 2, 5, 40]))
    steps = np.column_stack(
        [chance.normal(0, chance.choice([3, 60, 900]), (count, 2)), chance.normal(0, 9, count)]
    )
    start = np.array([*(chance.uniform(-0.2, 1.2, 2) * size * 16), chance.uniform(0, 63)])
    points = np.rint(start + np.cumsum(steps, axis=0)).astype(np.int64)
    points[:, 2] = points[:, 2].clip(0, 63)
    colour = tuple(int(value) for value in chance.integers(0, 256, 3))
    return Stroke(
        str(chance.choice(["sketch", "mask", "colour"])),
        int(chance.choice([0, 1, 24, 64, 65, 400, 3000])),
        points,
        erase=bool(chance.random() < 0.25),
        fill=bool(chance.random() < 0.3),
        colour=(colour[0], colour[1], colour[2]),
    )


def random_drawings() -> list[tuple[str, Size]]:
    chance, found = np.random.default_rng(23), []
    for index in range(DRAWINGS):
        size = Size(*(int(side) for side in chance.integers(20, 200, 2)))
        shown = size if index % 2 else Size(*(int(side) for side in chance.integers(20, 200, 2)))
        some = [random_stroke(chance, size) for _ in range(chance.integers(1, 12))]
        found.append((strokes.written(size, some), shown))
    return found


def pixels(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8)


def questions(drawings: list[tuple[str, Size]]) -> list[dict]:
    return [{"text": text, "width": size.width, "height": size.height} for text, size in drawings]


def test_200_random_drawings_are_the_same_to_the_pixel(ask: Ask) -> None:
    drawings, covered = random_drawings(), 0
    for (text, size), found in zip(drawings, ask("sketch", questions(drawings)), strict=True):
        made = draw(strokes.rescaled(strokes.parse(text), size), size)
        wanted = {"sketch": made.sketch, "mask": made.mask, "colour": made.coloured, "colours": made.colours}
        for name, layer in wanted.items():
            np.testing.assert_array_equal(pixels(found[name]), layer.astype(np.uint8).ravel(), name)
        assert strokes.parse(found["again"]).notices == [] and found["damage"] == ""
        covered += int(made.sketch.sum() > 0)
    assert covered > DRAWINGS / 2


def test_what_the_page_writes_python_reads(ask: Ask) -> None:
    drawings = random_drawings()[:50]
    for (text, _), found in zip(drawings, ask("sketch", questions(drawings)), strict=True):
        mine, theirs = strokes.parse(text), strokes.parse(found["again"])
        assert mine.size == theirs.size
        for one, other in zip(mine.strokes, theirs.strokes, strict=True):
            np.testing.assert_array_equal(one.points, other.points)
            assert (one.layer, one.width, one.erase, one.fill) == (
                other.layer,
                other.width,
                other.erase,
                other.fill,
            )
            assert one.colour == other.colour


def test_damaged_drawings_are_read_the_same(ask: Ask) -> None:
    chance, drawings, damaged = np.random.default_rng(29), [], 0
    for text, size in random_drawings():
        at, end = sorted(chance.integers(0, len(text), 2).tolist())
        planted = str(chance.choice([*'x"{}[],:-9é', "NaN", "null", "true", "-1", "\\u0041"]))
        drawings.append(
            (str(chance.choice([text[:at], text[:at] + text[end:], text[:at] + planted + text[at:]])), size)
        )
    for (text, size), found in zip(drawings, ask("sketch", questions(drawings)), strict=True):
        mine = strokes.parse(text)
        made = draw(strokes.rescaled(mine, size), size)
        np.testing.assert_array_equal(pixels(found["sketch"]), made.sketch.astype(np.uint8).ravel(), text)
        wanted = (
            [DAMAGE[found["damage"]]]
            if found["damage"] in DAMAGE
            else mine.notices
            if found["damage"]
            else []
        )
        assert mine.notices == wanted, text
        damaged += bool(found["damage"])
    assert damaged > DRAWINGS / 2
