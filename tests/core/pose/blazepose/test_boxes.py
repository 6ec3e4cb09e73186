"""The detector's numbers by hand: cells, boxes, and guesses merged into people."""

from __future__ import annotations

import math

import numpy as np
import pytest
from recompose.core.pose.blazepose import boxes

SIDE = boxes.SIDE


def test_the_cells_of_the_guesses() -> None:
    cells = boxes.anchors()
    assert cells.shape == (2254, 2)
    assert cells[0].tolist() == cells[1].tolist() == [0.5 / 28, 0.5 / 28]
    assert cells[2].tolist() == [1.5 / 28, 0.5 / 28]  # along the row first
    assert cells[56].tolist() == [0.5 / 28, 1.5 / 28]
    assert cells[1568].tolist() == [0.5 / 14, 0.5 / 14]
    assert cells[1960].tolist() == [0.5 / 7, 0.5 / 7] and cells[1965].tolist() == cells[1960].tolist()
    assert cells[-1].tolist() == [6.5 / 7, 6.5 / 7]


def raw(guesses: dict[int, tuple[list[float], float]]) -> tuple[np.ndarray, np.ndarray]:
    """The detector's answer with nobody but these guesses: twelve numbers in pixels, logit."""
    rows, logits = np.zeros((2254, 12), np.float32), np.full(2254, -20, np.float32)
    for number, (row, logit) in guesses.items():
        rows[number], logits[number] = row, logit
    return rows, logits


GUESS = [-100, -60, 40, 80, -98, -20, -98, -90, 0, 0, 0, 0]


def test_a_guess_is_counted_from_its_cell() -> None:
    found, scores = boxes.decode(*raw({1565: (GUESS, 3.0), 7: (GUESS, -0.1)}))
    assert scores.tolist() == [pytest.approx(1 / (1 + math.exp(-3)))], "below one half is nobody"
    x, y = float(boxes.anchors()[1565][0]), float(boxes.anchors()[1565][1])
    box = [x - 100 / SIDE - 20 / SIDE, y - 60 / SIDE - 40 / SIDE]
    box += [x - 100 / SIDE + 20 / SIDE, y - 60 / SIDE + 40 / SIDE]
    assert found[0, :4].tolist() == pytest.approx(box)
    assert found[0, 4:8].tolist() == pytest.approx(
        [x - 98 / SIDE, y - 20 / SIDE, x - 98 / SIDE, y - 90 / SIDE]
    )


def test_numbers_that_are_none_are_nobody() -> None:
    broken = [*GUESS[:5], math.nan, *GUESS[6:]]
    assert boxes.circles(*raw({100: (broken, 9.0)})) == []
    assert boxes.circles(*raw({100: ([*GUESS[:6], GUESS[4], GUESS[5], *GUESS[8:]], 9.0)})) == [], "no circle"
    assert boxes.circles(*raw({100: (GUESS, math.inf)}))[0].score == 1


def test_overlaps_by_hand() -> None:
    one = np.array([0.0, 0.0, 2.0, 2.0])
    others = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [2, 0, 4, 2], [5, 5, 4, 4], [0, 0, 1, 2]], float)
    assert boxes.overlaps(one, others).tolist() == pytest.approx([1, 1 / 7, 0, 0, 1 / 2])


def test_guesses_of_one_person_are_their_weighted_mean() -> None:
    def row(left: float, point: float) -> list[float]:
        return [left, 0, left + 1, 1, *[point] * 8]

    rows = np.array([row(0, 10), row(0.2, 40), row(5, 7), row(0.45, 90)])
    scores = np.array([0.6, 0.9, 0.8, 0.5])
    first, second = boxes.merge(rows, scores)
    # The best is the second; the first overlaps it by 2/3, the last by 3/5; the third is somebody else.
    assert first[0].tolist() == pytest.approx(
        ((0.6 * rows[0] + 0.9 * rows[1] + 0.5 * rows[3]) / 2.0).tolist()
    )
    assert first[1] == 0.9 and second[1] == 0.8 and second[0].tolist() == pytest.approx(rows[2].tolist())
