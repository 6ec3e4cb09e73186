"""Poses as plain data: read the points out of the dictionaries, put them back, move them, measure them.

A pose is core's POSE_KEYPOINT: a list of frames, one per picture. Nothing here changes what it is given, and
keys it does not know survive.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..shapes import Size
from . import skeleton

Person = dict[str, Any]
Frame = dict[str, Any]
Pose = list[Frame]

# Normalised poses may reach beyond the picture (a completed one to 2.2); pixel poses are far larger.
_NORMALISED = 2.5


def triples(person: Person, key: str) -> np.ndarray:
    """The points under `key` as float64 N,3 (x, y, score); 0,3 where the person has none.

    Raises ValueError where the list is not made of whole triples of numbers.
    """
    flat = person.get(key)
    if not flat:
        return np.zeros((0, 3))
    try:
        values = np.array([0.0 if value is None else value for value in flat], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{key} must be a flat list of numbers x, y, score; check the pose file.") from error
    if values.ndim != 1 or len(values) % 3:
        raise ValueError(
            f"{key} must hold whole triples x, y, score, got {values.size} numbers; check the pose file."
        )
    return values.reshape(-1, 3)


def points(person: Person) -> np.ndarray:
    """The 18 body and 6 foot points as float64 24,3 (x, y, score); absent ones are zero.

    Raises ValueError for another number of body points.
    """
    result = np.zeros((skeleton.POINTS, 3))
    body, feet = triples(person, skeleton.BODY_KEY), triples(person, skeleton.FOOT_KEY)
    if len(body) not in (0, skeleton.BODY_POINTS) or len(feet) not in (0, skeleton.FOOT_POINTS):
        raise ValueError(
            f"A person must have 18 body points and 6 or no foot points, got {len(body)} and {len(feet)}; "
            "bring the pose in with Load Pose, which reads the other layouts."
        )
    result[: len(body)] = body
    result[skeleton.BODY_POINTS : skeleton.BODY_POINTS + len(feet)] = feet
    return result


def estimated(person: Person) -> np.ndarray:
    """Which of the 24 body and foot points are guesses, as 24 booleans."""
    marks = (person.get("recompose") or {}).get("estimated") or []
    result = np.zeros(skeleton.POINTS, dtype=bool)
    result[: len(marks)] = np.array(marks[: skeleton.POINTS], dtype=bool)
    return result


def stated_size(frame: Frame) -> Size | None:
    """The picture the frame says it belongs to, None where it does not; ValueError if no numbers."""
    stated = [frame.get("canvas_width") or 0, frame.get("canvas_height") or 0]
    if not all(isinstance(side, int | float) and math.isfinite(side) for side in stated):
        raise ValueError(
            f"canvas_width and canvas_height must be whole numbers, got {stated}; check the pose file."
        )
    width, height = map(int, stated)
    return Size(width, height) if width > 0 and height > 0 else None


def size(frame: Frame) -> Size:
    """The picture the frame belongs to; ValueError where the frame does not say."""
    stated = stated_size(frame)
    if stated is None:
        raise ValueError(
            "The pose does not say how large its picture is; set canvas_width and canvas_height."
        )
    return stated


def common_size(pose: Pose) -> Size:
    """The size of the pictures all frames belong to; ValueError where they differ or there is no frame."""
    sizes = sorted({size(frame) for frame in pose})
    if len(sizes) != 1:
        got = ", ".join(map(str, sizes)) or "no frame at all"
        raise ValueError(
            f"The pose's frames must belong to pictures of one size, got {got}; take one size at a time."
        )
    return sizes[0]


def everybody(pose: Pose) -> Iterator[Person]:
    """All people of all frames."""
    for frame in pose:
        yield from frame.get("people") or []


def is_normalised(frame: Frame) -> bool:
    """Whether every present coordinate of the frame is in fractions of the picture instead of pixels."""
    box = _extremes(frame, 0.0)
    return box is not None and max(abs(side) for side in box) <= _NORMALISED


def _scaled(frame: Frame, scale: tuple[float, float], offset: tuple[float, float]) -> None:
    for person in frame.get("people") or []:
        for key in skeleton.KEYS:
            found = triples(person, key)
            if len(found):
                present = found[:, 2] > 0
                found[present, :2] = found[present, :2] * scale + offset
                person[key] = found.ravel().tolist()


def in_pixels(pose: Pose) -> Pose:
    """A copy in which frames that are normalised as a whole have become pixels of their picture."""
    result = copy.deepcopy(pose)
    for frame in result:
        if is_normalised(frame):
            width, height = size(frame)
            _scaled(frame, (float(width), float(height)), (0.0, 0.0))
    return result


def map_points(pose: Pose, scale: tuple[float, float], offset: tuple[float, float], canvas: Size) -> Pose:
    """A copy with x' = x·scale + offset for every present point (score above 0), on a canvas of that size.

    Frames that are normalised as a whole are brought to pixels of their own canvas first.
    """
    result = in_pixels(pose)
    for frame in result:
        frame["canvas_width"], frame["canvas_height"] = canvas
        _scaled(frame, scale, offset)
    return result


def with_presence(pose: Pose, threshold: float) -> Pose:
    """A copy in pixels in which every score is 1 (above the threshold) or 0, and points scored 0 lie at 0, 0.

    Measured scores of the 24 body and foot points move to recompose.confidence; a person whose scores are
    0 or 1 already comes back equal.
    """
    result = in_pixels(pose)
    for person in everybody(result):
        measured = points(person)[:, 2]
        if np.any((measured != 0) & (measured != 1)):
            person["recompose"] = {"confidence": measured.tolist(), **(person.get("recompose") or {})}
        for key in skeleton.KEYS:
            found = triples(person, key)
            if np.any((found[:, 2] != 0) & (found[:, 2] != 1)):
                found[found[:, 2] <= threshold] = 0
                found[found[:, 2] > 0, 2] = 1
                person[key] = found.ravel().tolist()
    return result


def _extremes(frame: Frame, threshold: float) -> tuple[float, float, float, float] | None:
    found = [triples(person, key) for person in frame.get("people") or [] for key in skeleton.KEYS]
    present = np.concatenate([np.zeros((0, 3)), *found])
    present = present[present[:, 2] > threshold, :2]
    if not len(present):
        return None
    (left, top), (right, bottom) = present.min(axis=0), present.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def bounding_box(frame: Frame, threshold: float = 0.3) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of all present points (body, feet, hands, face) in pixels; None if none."""
    return _extremes(in_pixels([frame])[0], threshold)
