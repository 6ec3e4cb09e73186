"""Which points of a person were seen: not those that a detector pinned to the border or made up beyond it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...shapes import Size
from ..person import Person
from ..skeleton import L_ANKLE, L_HIP, L_KNEE, R_ANKLE, R_HIP, R_KNEE
from . import proportions

# On the border counts what lies at most this many statures inside; detectors that are not sure of a joint put
# it there, and further in.
_ON_BORDER, _NEAR_BORDER, _SURE = 0.003, 0.02, 0.9
# A limb that leads to the border is too short below this share of its length.
_DWARF = 0.8
_FEET = ((L_ANKLE, slice(18, 21)), (R_ANKLE, slice(21, 24)))


def by_detector(person: Person) -> np.ndarray:
    """Which of the 24 points are a detector's guesses: estimated with a score, not by an earlier estimate."""
    if person.scores is None:
        return np.zeros(len(person.present), dtype=bool)
    found = person.present & person.estimated & (person.scores > 0)
    return found if person.uncertainty is None else found & (person.uncertainty == 0)


def _depth(points: np.ndarray, size: Size) -> np.ndarray:
    """How far each point lies inside the picture, in pixels; below 0 outside."""
    return np.concatenate([points, np.array(size) - points], axis=1).min(axis=1)


def cut_off(person: Person, size: Size, q: float) -> np.ndarray:
    """Which of the 24 measured points are hips, knees, ankles or feet pinned to the picture's border.

    A joint on or beyond the border counts when the limb that leads to it is far too short, or when its
    detector was not sure of it; what hangs on such a joint counts, too. `q` is the stature in pixels.
    """
    points, found, table = person.points, np.zeros(len(person.present), dtype=bool), proportions.BODY
    depth, measured = _depth(points, size) / q, person.measured
    # Thighs of people who sit are short in the picture, and so is a trunk.
    dwarf = _DWARF * (1 - proportions.foreshortened(points, measured))

    def pinned(joint: int, start: np.ndarray | None, length: float) -> bool:
        if not measured[joint] or start is None:
            return False
        unsure = person.scores is not None and 0 < person.scores[joint] < _SURE
        share = float(np.linalg.norm(points[joint] - start)) / (length * q)
        return bool(
            (depth[joint] <= _ON_BORDER and share < dwarf) or (unsure and 0 <= depth[joint] <= _NEAR_BORDER)
        )

    shoulders = proportions.shoulders_middle(points, measured)
    for hip, knee, ankle in ((R_HIP, R_KNEE, R_ANKLE), (L_HIP, L_KNEE, L_ANKLE)):
        found[hip] = pinned(hip, shoulders, table.trunk)
        above = points[hip] if measured[hip] else None
        found[knee] = measured[knee] and (found[hip] or pinned(knee, above, table.thigh))
        above = points[knee] if measured[knee] else None
        found[ankle] = measured[ankle] and (found[knee] or pinned(ankle, above, table.shank))
    for ankle, foot in _FEET:
        found[foot] |= measured[foot] & (found[ankle] | (depth[foot] <= _ON_BORDER) & ~measured[ankle])
    return found


def without(person: Person, points: np.ndarray) -> Person:
    """The person as if some of the 24 points had not been found."""
    if not points.any():
        return person
    return replace(person, present=person.present & ~points, estimated=person.estimated & ~points)


def pinned_left_out(person: Person, size: Size) -> Person:
    """The person without the joints pinned to the border; their stature may show others to be pinned, too."""
    while (q := proportions.stature(person)) is not None and (found := cut_off(person, size, q)).any():
        person = without(person, found)
    return person
