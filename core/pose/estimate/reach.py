"""Joints that were not seen do not lie in plain sight: the ways to them lead out of the picture."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...shapes import Size
from . import proportions
from .body import Body, Leg, angle_from, turned

# A leg is at most this much longer than the table says; what still ends inside is hidden by something.
_STRETCH = 1.3
_TURNS, _SIDE_VIEW = 33, 0.5


def is_inside(point: np.ndarray, size: Size) -> bool:
    """Whether a point (x, y) lies in the picture or on its border."""
    return bool(((point >= 0) & (point <= size)).all())


def _to_border(start: np.ndarray, way: np.ndarray, size: Size) -> float:
    """How many times `way` leads from a point inside the picture to its border; infinite where it is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(way > 0, (size - start) / way, -start / way)
    return float(np.min(times, where=way != 0, initial=np.inf))


def _is_covered(body: Body, point: np.ndarray, other: Leg) -> bool:
    """Whether the other leg, as far as it was seen, lies before the point in a side view."""
    if body.in_profile < _SIDE_VIEW:
        return False
    for first, second in pairwise(other):
        if body.measured[first] and body.measured[second]:
            a, b = body.points[first], body.points[second]
            share = np.clip((point - a) @ (b - a) / max((b - a) @ (b - a), 1e-9), 0, 1)
            if np.linalg.norm(a + share * (b - a) - point) < proportions.LEG_BREADTH * body.q:
                return True
    return False


def leading_out(
    body: Body, start: int, guess: np.ndarray, straight: np.ndarray, other: Leg, size: Size
) -> np.ndarray:
    """`guess`, the way from a joint to a hidden one, or where that ends in plain sight one that leads out.

    It is turned towards `straight`, the way of a whole straight limb: halfway between the first turn that
    leads out and straight. Where even a longer limb would end inside, something hides it: `guess` stays.
    """
    begin, end = body.points[start], body.points[start] + guess
    if not is_inside(begin, size) or not is_inside(end, size) or _is_covered(body, end, other):
        return guess
    times = _to_border(begin, straight, size)
    if times > _STRETCH:
        return guess
    if times >= 1:
        return times * straight
    length = float(np.linalg.norm(straight))
    reach = max(float(np.linalg.norm(guess)) / length, (times + 1) / 2) * straight
    turns = np.linspace(angle_from(guess, straight / length), 0.0, _TURNS)
    first = next((turn for turn in turns if not is_inside(begin + turned(reach, turn), size)), 0.0)
    return turned(reach, first / 2)
