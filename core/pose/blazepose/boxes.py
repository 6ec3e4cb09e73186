"""Where people are: the detector's raw numbers brought to circles around them, one per person.

BlazePose's detector (Bazarevsky et al. 2020, arXiv:2006.10204) tells of each cell of three grids whether a
person's face is there, its box, and four points of the person; two of them are used here: the middle of the
hips, and a point on the circle around the whole body, in the direction of its head.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

SIDE = 224  # pixels: the square picture that the detector sees
# Cells per row, and how many guesses each cell makes: the strides 8 and 16, and three times 32.
GRIDS = ((28, 2), (14, 2), (7, 6))
LEAST_SCORE = 0.5
SAME_PERSON = 0.3  # intersection over union of two boxes of one person
_CLIPPED = 100.0  # raw scores beyond it say nothing more
_MIDDLE, _EDGE = 4, 6  # columns of the two points in a guess
_COLUMNS = 12


class Circle(NamedTuple):
    """A person: the middle of the hips, a point on the circle around the body (x, y), and the score."""

    middle: tuple[float, float]
    edge: tuple[float, float]
    score: float


def anchors() -> np.ndarray:
    """The centres of the cells of all guesses, 2254,2 (x, y), as parts of the picture's side."""
    rows = []
    for cells, guesses in GRIDS:
        y, x = np.divmod(np.arange(cells * cells), cells)
        rows.append(np.repeat((np.column_stack([x, y]) + 0.5) / cells, guesses, axis=0))
    return np.concatenate(rows)


def decode(raw: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each guess that may be a person its row of 12 numbers and its score; all parts of the side.

    A row holds the box (left, top, right, bottom) and four points (x, y). `raw` is 2254,12, `logits` 2254.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -_CLIPPED, _CLIPPED)))
    chosen = scores >= LEAST_SCORE
    rows = raw[chosen].astype(np.float64) / SIDE
    centres = anchors()[chosen]
    middle, half = rows[:, :2] + centres, rows[:, 2:4] / 2
    points = rows[:, 4:] + np.tile(centres, 4)
    found = np.concatenate([middle - half, middle + half, points], axis=1)
    whole = np.isfinite(found).all(axis=1)
    return found[whole], scores[chosen][whole]


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with others N,4."""
    sides = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    shared = sides.prod(axis=1)
    areas = [np.clip(each[..., 2:4] - each[..., :2], 0, None).prod(axis=-1) for each in (box, others)]
    return shared / np.maximum(areas[0] + areas[1] - shared, np.finfo(float).tiny)


def merge(rows: np.ndarray, scores: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Weighted suppression: guesses of one person become their mean by score, under the best one's score.

    Blaze face (Bazarevsky et al. 2019, arXiv:1907.05047), section 3.4.
    """
    left = list(np.argsort(-scores, kind="stable"))
    found = []
    while left:
        best = left[0]
        same = overlaps(rows[best, :4], rows[left, :4]) > SAME_PERSON
        same[0] = True
        group = [index for index, one in zip(left, same, strict=True) if one]
        found.append((np.average(rows[group], axis=0, weights=scores[group]), float(scores[best])))
        left = [index for index, one in zip(left, same, strict=True) if not one]
    return found


def circles(raw: np.ndarray, logits: np.ndarray) -> list[Circle]:
    """The people in the square picture, best score first, in parts of its side."""
    found = []
    for row, score in merge(*decode(raw.reshape(-1, _COLUMNS), logits.reshape(-1))):
        numbers = row.tolist()
        middle, edge = (numbers[_MIDDLE], numbers[_MIDDLE + 1]), (numbers[_EDGE], numbers[_EDGE + 1])
        if math.dist(middle, edge) > 0:
            found.append(Circle(middle, edge, score))
    return found
