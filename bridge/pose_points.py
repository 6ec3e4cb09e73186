"""A person's flat lists, as other programs write them, to arrays of points: the only place that judges them.

js/.modules/pose/io/points.js is its twin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.canvas.padding import LARGEST_SIDE
from ..core.pose import edited, openpose, skeleton
from ..core.shapes import Size
from .notices import notice

Record = Mapping[str, Any]
Lists = dict[str, np.ndarray]

SIDES = ("canvas_width", "canvas_height")
# Lists in fractions may reach beyond the picture (a completed one to 2.2), lists in pixels much further.
_FRACTIONS = 2.5
# Fewer different points than this may all lie in a corner of the picture.
_FEW = 3
# Lists from -1 to 1 lie about the picture's middle, so most of their points have a negative coordinate.
_MOSTLY = 0.5
_NUMBER = re.compile(r"[ \t\r\n]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\r\n]*")
# The annotator writes a missing hand or face point as -1, -1 px, in fractions of a picture with a padding.
_MISSING, _MISSING_PADDED = (-1.001, -0.999), (-1.001, -0.4)

CENTRED = "The pose's points lie between -1 and 1; they were read as OpenPose's keypoint scale -1…1."
FAR = "{} points of the pose lie far outside the picture ({}) and were left out; check the pose."
LEFT_OUT = "{} holds {} numbers, but {} points x, y, score are {}; that part of the person was left out."


def plain(value: Any) -> Any:
    """A numpy array, tensor or scalar as lists and numbers; anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def number(value: Any) -> float:
    """A number, or a text that is one; NaN for None and infinity for what no float can hold.

    Raises TypeError for anything else.
    """
    value = plain(value)
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"{type(value).__name__} is no number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise TypeError("text is no number")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def is_origin(x: Any, y: Any) -> bool:
    """Whether a point without a score is at 0, 0, where programs put what they did not find."""
    return all(isinstance(plain(value), int | float) and value == 0 for value in (x, y))


def _nested(values: Sequence[Any]) -> list[Any] | None:
    """Points listed as [x, y] or [x, y, score] each, as one flat list; None where they are not."""
    points = [plain(value) for value in values]
    if not all(isinstance(point, list | tuple) and len(point) in (2, 3) for point in points):
        return None
    flat: list[Any] = []
    for x, y, *score in points:
        flat += (x, y, *(score or [0 if is_origin(x, y) else 1]))
    return flat


def numbers(record: Record, key: str) -> np.ndarray:
    """The numbers under `key` as one flat float64 array; NaN where there is none.

    Raises ValueError where the list holds anything but numbers or points.
    """
    values = plain(record.get(key))
    if values is None:
        return np.zeros(0)
    try:
        if not isinstance(values, list | tuple):
            raise TypeError(f"{type(values).__name__} is no list")
        if values and isinstance(plain(values[0]), list | tuple):
            values = _nested(values)
            if values is None:
                raise TypeError("the points are not all x, y or x, y, score")
        # Most lists hold nothing but plain numbers, and numpy takes those at once.
        if set(map(type, values)) <= {float}:
            return np.array(values, dtype=np.float64)
        return np.array([number(value) for value in values], dtype=np.float64)
    except TypeError as error:
        raise ValueError(f"{key} must be a flat list of numbers x, y, score; check the pose file.") from error


def _is_listed(count: int) -> bool:
    return not count % 3 and count // 3 in openpose.COUNTS


def points(record: Record, key: str) -> np.ndarray:
    """The points under `key` as N,3 (x, y, score), with 0, 0, 0 for those that are absent; 0,3 for no list.

    A hand, a face or feet of another length are left out with a notice. Raises ValueError for anything but
    numbers and for a body that is not whole triples.
    """
    flat = numbers(record, key)
    allowed = (0, skeleton.KEYS[key], skeleton.FACE_POINTS - 2 if key == skeleton.FACE_KEY else 0)
    if key != skeleton.BODY_KEY and (len(flat) % 3 or len(flat) // 3 not in allowed):
        count = skeleton.KEYS[key]
        notice(LEFT_OUT.format(key, len(flat), count, 3 * count))
        return np.zeros((0, 3))
    if key == skeleton.BODY_KEY and len(flat) and not _is_listed(len(flat)):
        if not len(flat) % 2 and len(flat) // 2 in openpose.COUNTS:
            raise ValueError(
                f"{key} holds {len(flat)} numbers, which are {len(flat) // 2} pairs x, y without a score; "
                "write three numbers x, y, score per point."
            )
        if len(flat) % 3:
            raise ValueError(
                f"{key} must hold whole triples x, y, score, got {len(flat)} numbers; check the pose file."
            )
    rows = flat.reshape(-1, 3)
    absent = ~np.isfinite(rows).all(axis=1) | (rows[:, 2] < 0) | (rows[:, :2] == -1).all(axis=1)
    # Before it is decided whether the list is in fractions, for one wild point must not decide it.
    wild = ~absent & (abs(rows[:, :2]) > edited.FARTHEST).any(axis=1) & (rows[:, 2] > 0)
    if wild.any():
        notice(FAR.format(int(wild.sum()), key))
    absent |= (abs(rows[:, :2]) > edited.FARTHEST).any(axis=1)
    return np.where(absent[:, None], 0.0, rows)


def size(record: Record, default: Size | None = None) -> Size | None:
    """The picture the record says it belongs to, else `default`; ValueError if it is no sensible size."""
    keys = SIDES if any(record.get(key) is not None for key in SIDES) else ("width", "height")
    stated = [plain(record.get(key)) for key in keys]
    try:
        sides = [0.0 if side is None else number(side) for side in stated]
    except TypeError:
        sides = [math.nan]
    if not all(math.isfinite(side) for side in sides):
        got = " ".join(repr(stated).split())[:80]
        raise ValueError(
            f"canvas_width and canvas_height must be whole numbers, got {got}; check the pose file."
        )
    found = Size(*map(int, sides))
    if max(found) > LARGEST_SIDE:
        raise ValueError(
            f"The pose's picture is {str(found)[:40]}, but a side may have at most {LARGEST_SIDE} px; "
            "check the pose file."
        )
    return found if min(found) > 0 else default


def _shown(rows: np.ndarray) -> np.ndarray:
    return rows[rows[:, 2] > 0, :2]


def _in_fractions(people: Sequence[Lists]) -> list[dict[str, bool]]:
    """Which lists of one frame are in fractions of the picture instead of pixels, list by list.

    Small numbers are fractions; where other lists of the frame are in pixels, a few points with small numbers
    are taken for points in the picture's corner.
    """
    shown = [{key: _shown(rows) for key, rows in lists.items()} for lists in people]
    small = [{key: bool((abs(at) <= _FRACTIONS).all()) for key, at in each.items()} for each in shown]
    mixed = not all(flag for flags in small for flag in flags.values())
    return [
        {
            key: len(at) > 0 and flags[key] and not (mixed and len(np.unique(at, axis=0)) < _FEW)
            for key, at in each.items()
        }
        for each, flags in zip(shown, small, strict=True)
    ]


def _is_centred(people: Sequence[Lists], fractions: Sequence[dict[str, bool]]) -> bool:
    """Whether the lists in fractions count from -1 to 1 instead of from 0 to 1."""
    found = [
        _shown(lists[key])
        for lists, flags in zip(people, fractions, strict=True)
        for key in lists
        if flags[key]
    ]
    at = np.concatenate([np.zeros((0, 2)), *found])
    few = len(np.unique(at, axis=0)) < _FEW
    return not few and bool((abs(at) <= 1).all() and (at < 0).any(axis=1).mean() > _MOSTLY)


def in_pixels(people: Sequence[Lists], picture: Size) -> list[Lists]:
    """One frame's lists with those in fractions of the picture in its pixels; untouched lists are the same
    arrays."""
    fractions = _in_fractions(people)
    centred = _is_centred(people, fractions)
    if centred:
        notice(CENTRED)
    result = []
    for lists, flags in zip(people, fractions, strict=True):
        result.append({key: _scaled(rows, picture, flags[key], centred) for key, rows in lists.items()})
    return result


def _scaled(rows: np.ndarray, picture: Size, fractions: bool, centred: bool) -> np.ndarray:
    scaled, present = rows.copy(), rows[:, 2] > 0
    if fractions:
        shares = (scaled[present, :2] + 1) / 2 if centred else scaled[present, :2]
        scaled[present, :2] = shares * (float(picture.width), float(picture.height))
    low, high = _MISSING_PADDED if fractions else _MISSING
    missing = present & ((scaled[:, :2] > low) & (scaled[:, :2] < high)).all(axis=1)
    missing |= (abs(scaled[:, :2]) > edited.FARTHEST).any(axis=1)
    scaled[missing] = 0
    return scaled if fractions or missing.any() else rows
