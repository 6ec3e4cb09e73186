"""The value of Draw Sketch: written, read, damaged, scaled."""

from __future__ import annotations

import json

import numpy as np
import pytest
from recompose.core.shapes import Size
from recompose.core.sketch import strokes, vlq
from recompose.core.sketch.strokes import Drawing, Stroke

SIZE = Size(640, 480)


def scribble(chance: np.random.Generator, count: int, layer: str = "sketch") -> Stroke:
    """A pen's way: some pixels from point to point, the pressure slowly changing."""
    steps = np.column_stack([chance.normal(0, 60, (count, 2)), chance.normal(0, 2, count)])
    start = np.array([*(16 * chance.uniform(50, 400, 2)), 40])
    points = np.rint(start + np.cumsum(steps, axis=0)).astype(np.int64)
    points[:, 2] = points[:, 2].clip(0, 63)
    return Stroke(layer, 64, points)


def test_vlq_is_that_of_source_maps() -> None:
    # By hand: 1000 is 2000 with its sign, 1 11110 10000 in groups of five bits.
    assert vlq.encode([0, 1, -1, 15, -15, 16, -16, 511, 1000]) == "ACDefgBhB+fw+B"
    chance = np.random.default_rng(3)
    numbers = (chance.integers(-(2**20), 2**20, 500) // 2 ** chance.integers(0, 20, 500)).tolist()
    assert vlq.decode(vlq.encode(numbers)) == numbers


@pytest.mark.parametrize("text", ["=", "g", "A g", "éA", "ggggggA"])
def test_other_texts_are_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match=r"the text"):
        vlq.decode(text)


def test_what_is_written_is_read() -> None:
    chance = np.random.default_rng(5)
    some = [
        scribble(chance, 40),
        Stroke("mask", 0, scribble(chance, 5).points, fill=True),
        Stroke("colour", 320, scribble(chance, 3).points, colour=(18, 52, 255)),
        Stroke("sketch", 90, scribble(chance, 1).points, erase=True),
    ]
    found = strokes.parse(strokes.written(SIZE, some))
    assert found.size == SIZE and not found.notices
    for one, other in zip(found.strokes, some, strict=True):
        np.testing.assert_array_equal(one.points, other.points)
        assert (one.layer, one.width, one.erase, one.fill, one.colour) == (
            *(other.layer, other.width, other.erase, other.fill, other.colour),
        )


def test_a_busy_drawing_is_at_most_200_kb() -> None:
    chance = np.random.default_rng(9)
    busy = strokes.written(SIZE, [scribble(chance, 100) for _ in range(300)])
    assert 100_000 < len(busy.encode()) <= 200_000


GOOD = {"layer": "sketch", "width": 64, "points": vlq.encode([320, 320, 63, 5, -5, 0])}
WRONG = {
    "no stroke": 5,
    "other layer": {**GOOD, "layer": "photo"},
    "width below 0": {**GOOD, "width": -1},
    "width of truth": {**GOOD, "width": True},
    "too wide": {**GOOD, "width": 16385},
    "half a point": {**GOOD, "points": vlq.encode([1, 2])},
    "no points": {**GOOD, "points": ""},
    "points as list": {**GOOD, "points": [1, 2, 3]},
    "pressed too hard": {**GOOD, "points": vlq.encode([1, 2, 64])},
    "too far": {**GOOD, "points": vlq.encode([600_000, 2, 3])},
    "colour in words": {**GOOD, "colour": "red"},
    "erase as number": {**GOOD, "erase": 1},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_whole_strokes_of_a_damaged_drawing_are_kept(wrong: object) -> None:
    text = json.dumps({"version": 1, "size": [640, 480], "strokes": [GOOD, wrong, GOOD]})
    found = strokes.parse(text)
    assert len(found.strokes) == 2 and found.notices == [strokes.PARTS_LOST.format(1)]


@pytest.mark.parametrize(
    "text",
    [
        *("{", "5", "[]", "[" * 100_000, 7, None),
        '{"version": 1, "strokes": []}',
        '{"version": 1, "size": [0, 9], "strokes": []}',
        '{"version": 1, "size": [NaN, 9], "strokes": []}',
    ],
)
def test_what_is_no_drawing_gives_one_notice(text: object) -> None:
    assert strokes.parse(text) == Drawing(notices=[strokes.DAMAGED])


def test_another_version_is_named() -> None:
    assert strokes.parse('{"version": 2, "size": [9, 9], "strokes": []}').notices == [strokes.OTHER_VERSION]


def test_endless_ways_are_left_out() -> None:
    points = np.array([[0, 0, 63], [400_000, 0, 63]] * 75, dtype=np.int64)
    found = strokes.parse(strokes.written(SIZE, [Stroke("sketch", 64, points)] * 3))
    assert len(found.strokes) == 1 and found.notices == [strokes.PARTS_LOST.format(2)]


def test_a_drawing_is_scaled_by_the_smaller_ratio_into_the_middle() -> None:
    points = np.array([[0, 0, 63], [640 * 16, 480 * 16, 10]], dtype=np.int64)
    drawing = Drawing(SIZE, (Stroke("sketch", 64, points),))
    (found,) = strokes.rescaled(drawing, Size(1280, 1200))
    assert found.points.tolist() == [[0, 120 * 16, 63], [1280 * 16, 1080 * 16, 10]] and found.width == 128
    assert strokes.rescaled(drawing, SIZE) is drawing.strokes
