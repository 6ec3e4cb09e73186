"""People to plant: 1 to 6 figures with crossing limbs and hidden points, at whole pixels of what is seen."""

from __future__ import annotations

import itertools

import numpy as np
from recompose.core.pose import skeleton as s

# Standing, in heads: x to the right, y down, the neck at the origin; their right is the picture's left.
STANDING = {
    s.NOSE: (0, -0.55),
    s.NECK: (0, 0),
    s.R_SHOULDER: (-0.75, 0.1),
    s.R_ELBOW: (-1.0, 1.3),
    s.R_WRIST: (-1.05, 2.4),
    s.L_SHOULDER: (0.75, 0.1),
    s.L_ELBOW: (1.0, 1.3),
    s.L_WRIST: (1.05, 2.4),
    s.R_HIP: (-0.5, 2.3),
    s.R_KNEE: (-0.5, 3.9),
    s.R_ANKLE: (-0.5, 5.5),
    s.L_HIP: (0.5, 2.3),
    s.L_KNEE: (0.5, 3.9),
    s.L_ANKLE: (0.5, 5.5),
    s.R_EYE: (-0.16, -0.7),
    s.L_EYE: (0.16, -0.7),
    s.R_EAR: (-0.36, -0.62),
    s.L_EAR: (0.36, -0.62),
    s.L_BIG_TOE: (0.65, 5.9),
    s.L_SMALL_TOE: (0.85, 5.85),
    s.L_HEEL: (0.45, 5.7),
    s.R_BIG_TOE: (-0.65, 5.9),
    s.R_SMALL_TOE: (-0.85, 5.85),
    s.R_HEEL: (-0.45, 5.7),
}
ARMS = ((s.R_SHOULDER, s.R_ELBOW, s.R_WRIST), (s.L_SHOULDER, s.L_ELBOW, s.L_WRIST))
LEGS = ((s.R_HIP, s.R_KNEE, s.R_ANKLE), (s.L_HIP, s.L_KNEE, s.L_ANKLE))
# What a thing in front hides: the end of a limb, and with the ankle the foot.
HIDDEN = (
    (s.R_WRIST,),
    (s.L_ELBOW, s.L_WRIST),
    (s.R_EAR,),
    (s.L_EYE, s.L_EAR),
    (s.R_ANKLE, 21, 22, 23),
    (s.L_KNEE, s.L_ANKLE, 18, 19, 20),
    (s.R_KNEE, s.R_ANKLE, s.L_ANKLE, 18, 19, 20, 21, 22, 23),
)


def turned(points: np.ndarray, chain: tuple[int, ...], degrees: tuple[float, float]) -> None:
    """Turn the first and the second bone of a limb, what hangs on them with them."""
    first, middle, last = (points[index].copy() for index in chain)
    upper = rotation(degrees[0]) @ (middle - first)
    lower = rotation(degrees[0] + degrees[1]) @ (last - middle)
    points[chain[1]] = first + upper
    points[chain[2]] = first + upper + lower


def rotation(degrees: float) -> np.ndarray:
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def figure(chance: np.random.Generator) -> np.ndarray:
    """24,2 in heads: arms anywhere, also across the body; legs apart or crossed."""
    points = np.array([STANDING[index] for index in range(s.POINTS)], float)
    for side, chain in zip((1, -1), ARMS, strict=True):
        turned(points, chain, (side * chance.uniform(-60, 75), side * chance.uniform(-100, 30)))
    for side, chain, foot in zip((1, -1), LEGS, ((21, 22, 23), (18, 19, 20)), strict=True):
        before = points[chain[2]].copy()
        turned(points, chain, (side * chance.uniform(-22, 25), side * chance.uniform(-10, 15)))
        points[list(foot)] += points[chain[2]] - before
    return points @ rotation(chance.uniform(-12, 12)).T


def crowd(seed: int, width: int, height: int, apart: float) -> list[np.ndarray]:
    """24,3 per person: whole pixels of a picture of this size and scores; hidden points are zero.

    One point of two people, or a point and the border, are at least `apart` pixels from each other: what
    a map shows nearer than that is one thing.
    """
    chance = np.random.default_rng(seed)
    count = 1 + seed % 6
    people: list[np.ndarray] = []
    for number in range(count):
        person = standing_apart(people, number, count, (width, height), apart, chance)
        hidden = person[:, 2] == 0
        for ends in chance.permutation(len(HIDDEN))[: chance.integers(0, 3)]:
            hidden[list(HIDDEN[ends])] = True
        person[hidden_with(hidden)] = 0
        people.append(person)
    return people


def standing_apart(
    others: list[np.ndarray],
    number: int,
    count: int,
    size: tuple[int, int],
    apart: float,
    chance: np.random.Generator,
) -> np.ndarray:
    """The next person, tried until it keeps its distance; a foot may stand outside the picture."""
    width, height = size
    for _ in range(500):
        head = chance.uniform(0.92, 1.0) * (height - 2 * apart) / 7.2
        middle = width * (number + 0.5) / count + chance.uniform(-0.3, 0.3) * head, apart + 0.85 * head
        at = np.round(figure(chance) * head + middle)
        person = np.insert(at, 2, np.round(chance.uniform(0.55, 0.95, s.POINTS), 3), axis=1)
        inside = ((at >= apart) & (at <= np.array(size) - 1 - apart)).all(axis=1)
        near = [np.hypot(*(at - other[:, :2]).T)[(other[:, 2] > 0)] for other in others]
        if inside[[0, 1, 2, 5, 8, 11]].all() and all((one >= apart).all() for one in near):
            person[~inside] = 0
            return person
    raise AssertionError(f"person {number + 1} of {count} does not fit into {size}")


def hidden_with(hidden: np.ndarray) -> np.ndarray:
    """Whoever loses a point loses what hangs on it: detectors that go along limbs cannot reach it."""
    chains = [*ARMS, *LEGS, (s.R_EYE, s.R_EAR), (s.L_EYE, s.L_EAR)]
    for chain in chains:
        for first, second in itertools.pairwise(chain):
            hidden[second] |= hidden[first]
    return hidden
