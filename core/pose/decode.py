"""What a detector measured in a picture, brought to the points of a pose.

A detector's find is a dictionary from core's keys to points N,3 (x, y, score), x and y being whole numbers at
the centres of pixels of the picture that the detector saw. A pose counts from the picture's corner, so that
the first pixel's centre is at 0.5.
"""

from __future__ import annotations

import math

import numpy as np

from ..shapes import Size
from . import skeleton
from .person import Frame, Part, Person

Find = dict[str, np.ndarray]

LONGEST = 4  # times the resolution: the longer side of what a detector sees
NARROWEST = 16  # strips narrower than one part in so many are seen broader


def detection_size(size: Size, resolution: int, enlarge: bool) -> Size:
    """The size at which a detector sees a picture: shorter side `resolution`, or as it is if not to enlarge.

    The longer side is at most four times the resolution, and a strip is broadened to one part in 16, so that
    no picture is too much for a detector and none too little.
    """
    scale = min(resolution / min(size), LONGEST * resolution / max(size))
    scale = scale if enlarge else min(scale, 1.0)
    longest = max(round(max(size) * scale), 1)
    least = math.ceil(longest / NARROWEST)
    return Size(*(min(max(round(side * scale), least), longest) for side in size))


def to_picture(find: Find, seen: Size, picture: Size) -> Find:
    """The find in a picture's own pixels, counted from its corner, from pixel centres of the size seen."""
    scale = np.array([picture.width / seen.width, picture.height / seen.height, 1.0])
    half = np.array([0.5, 0.5, 0.0])
    return {key: (points + half) * scale for key, points in find.items()}


def _part(find: Find, key: str, threshold: float) -> tuple[np.ndarray, Part]:
    """The scores, and the points that are present where the score is above the threshold, else at 0, 0."""
    found = np.array(find.get(key, np.zeros((skeleton.KEYS[key], 3))), dtype=np.float64)
    found[~np.isfinite(found).all(axis=1)] = 0
    present = found[:, 2] > threshold
    return found[:, 2], Part(np.where(present[:, None], found[:, :2], 0.0), present)


def person(find: Find, threshold: float) -> Person | None:
    """The person of a find in a picture's own pixels; None where no score is above the threshold."""
    found = {key: _part(find, key, threshold) for key in skeleton.KEYS}
    if not any(part.present.any() for _, part in found.values()):
        return None
    (body_scores, body), (foot_scores, feet) = found[skeleton.BODY_KEY], found[skeleton.FOOT_KEY]
    return Person(
        np.concatenate([body.points, feet.points]),
        np.concatenate([body.present, feet.present]),
        scores=np.concatenate([body_scores, foot_scores]),
        hand_left=found[skeleton.HAND_LEFT_KEY][1],
        hand_right=found[skeleton.HAND_RIGHT_KEY][1],
        face=found[skeleton.FACE_KEY][1],
    )


def frame(finds: list[Find], picture: Size, threshold: float) -> Frame:
    """The frame of one picture with the people of its finds, which are in the picture's own pixels."""
    found = [person(find, threshold) for find in finds]
    return Frame(picture, tuple(one for one in found if one is not None))
