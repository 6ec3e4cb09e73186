"""Who of one pose is who of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .person import Person

# Pixels within which a point counts as not moved.
UNMOVED = 0.5
Pair = tuple[Person | None, Person | None]


def _likeness(people: Sequence[Person], others: Sequence[Person]) -> tuple[np.ndarray, np.ndarray]:
    """How many points every person shares with every other one unmoved, and the mean distance of the points
    both have (infinite where there is none); len(people), len(others) each."""
    a, b = (np.stack([person.points for person in group]) for group in (people, others))
    here, there = (np.stack([person.present for person in group]) for group in (people, others))
    unmoved, distances = np.zeros((2, len(people), len(others)))
    for index, (points, present) in enumerate(zip(a, here, strict=True)):
        both = present & there
        apart = np.linalg.norm(points - b, axis=2)
        unmoved[index] = (both & (apart <= UNMOVED)).sum(axis=1)
        count = both.sum(axis=1)
        total = np.where(both, apart, 0).sum(axis=1)
        distances[index] = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    return unmoved, distances


def paired(people: Sequence[Person], others: Sequence[Person]) -> list[Pair]:
    """Everybody of both with their counterpart in the other, the likest first; None where one has none.

    Likest are those with the most unmoved points, then those whose common points are nearest, then those at
    the same place in the list.
    """
    pairs: list[Pair] = []
    left, right = set(range(len(people))), set(range(len(others)))
    if left and right:
        unmoved, distances = _likeness(people, others)
        i, j = np.indices(unmoved.shape)
        # The last key sorts first.
        order = np.lexsort((i.ravel(), abs(i - j).ravel(), distances.ravel(), -unmoved.ravel()))
        for a, b in np.column_stack(np.unravel_index(order, unmoved.shape)).tolist():
            if a in left and b in right:
                left.remove(a)
                right.remove(b)
                pairs.append((people[a], others[b]))
    pairs += [(people[index], None) for index in sorted(left)]
    return pairs + [(None, others[index]) for index in sorted(right)]
