"""A jointed figure in the table's proportions, turned, bent and projected: its hidden points are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from recompose.core.pose.person import Frame, Person, from_rows
from recompose.core.shapes import Size


def _direction(forward: float, outward: float = 0.0) -> np.ndarray:
    """Sideways, down, forward for a limb swung forward and outward from hanging; degrees."""
    a, b = np.deg2rad(forward), np.deg2rad(outward)
    return np.array([np.sin(b), np.cos(b) * np.cos(a), np.cos(b) * np.sin(a)])


def build(
    q: float = 800.0,
    hips: tuple[float, float] = (411.0, 523.0),
    yaw: float = 0.0,
    lean: float = 0.0,
    bow: float = 0.0,
    thighs: tuple[float, float] = (0.0, 0.0),
    knees: tuple[float, float] = (0.0, 0.0),
    splay: float = 0.0,
    arms: tuple[float, float] = (0.0, 0.0),
    elbows: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """24,3 points. Angles in degrees, pairs are (right, left); `hips` is the middle of the hips in pixels.

    yaw 0 looks at the camera, 90 to the right of the picture; lean turns the whole figure in the picture, bow
    bends the trunk forward, thighs and arms swing forward, knees bend backward, elbows forward, splay opens
    the legs.
    """
    body = np.zeros((24, 3))
    neck = np.array([0, -0.292, 0])
    body[0], body[1] = neck + np.array([0, -0.108, 0.075]), neck
    for side, first, eye, ear in ((-1, 2, 14, 16), (1, 5, 15, 17)):
        body[eye], body[ear] = (
            neck + np.array([side * 0.018, -0.118, 0.06]),
            neck + np.array([side * 0.045, -0.118, 0]),
        )
        body[first] = neck + np.array([side * 0.09, 0, 0])
        arm, elbow = arms[side > 0], elbows[side > 0]
        body[first + 1] = body[first] + 0.160 * _direction(arm)
        body[first + 2] = body[first + 1] + 0.138 * _direction(arm + elbow)
    bent = np.deg2rad(bow)
    turn = np.array([[1, 0, 0], [0, np.cos(bent), np.sin(bent)], [0, -np.sin(bent), np.cos(bent)]])
    body = body @ turn.T
    for side, first, foot in ((-1, 8, 21), (1, 11, 18)):
        thigh, knee = thighs[side > 0], knees[side > 0]
        swing = np.array([side, 1, 1])
        body[first] = [side * 0.05, 0, 0]
        body[first + 1] = body[first] + 0.216 * _direction(thigh, splay) * swing
        body[first + 2] = body[first + 1] + 0.213 * _direction(thigh - knee, splay) * swing
        sole = body[first + 2] + np.array([0, 0.060, 0])
        body[foot] = sole + np.array([-side * 0.01, 0, 0.114])
        body[foot + 1] = sole + np.array([side * 0.02, 0, 0.09])
        body[foot + 2] = sole + np.array([0, 0, -0.038])
    a, b = np.deg2rad(yaw), np.deg2rad(lean)
    flat = np.stack([body[:, 0] * np.cos(a) + body[:, 2] * np.sin(a), body[:, 1]], axis=1)
    flat = flat @ np.array([[np.cos(b), np.sin(b)], [-np.sin(b), np.cos(b)]])
    return np.concatenate([flat * q + hips, np.ones((24, 1))], axis=1)


def as_person(points: np.ndarray, feet: bool = True) -> Person:
    """One person, every score above 0 a point."""
    return from_rows(points if feet else points[:18])


def as_pose(people: list[Person], size: tuple[int, int]) -> list[Frame]:
    """One frame."""
    return [Frame(Size(*size), tuple(people))]


def without(points: np.ndarray, hidden: Any) -> np.ndarray:
    """The points with some missing: indices or a mask."""
    points = points.copy()
    points[hidden] = 0
    return points


def cut(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What a detector sees of the points in a picture of this size."""
    return without(points, ((points[:, :2] < 0) | (points[:, :2] > size)).any(axis=1))


@pytest.fixture(scope="session")
def figure() -> Callable[..., np.ndarray]:
    return build


@pytest.fixture(scope="session")
def person() -> Callable[..., Person]:
    return as_person


@pytest.fixture(scope="session")
def pose() -> Callable[..., list[Frame]]:
    return as_pose


@pytest.fixture(scope="session")
def hide() -> Callable[..., np.ndarray]:
    return without


@pytest.fixture(scope="session")
def seen() -> Callable[..., np.ndarray]:
    return cut


@pytest.fixture(scope="session")
def tall() -> Size:
    """A picture that holds the whole default figure."""
    return Size(823, 1001)
