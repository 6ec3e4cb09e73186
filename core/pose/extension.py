"""How much canvas the people of a pose need beyond their picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..shapes import Size
from . import skeleton
from .estimate import proportions
from .person import Person, Pose, everybody


class Extension(NamedTuple):
    """Pixels needed beyond each side of the picture, and the tallest person's stature `body` in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    body: float


_ANKLES = ((skeleton.L_ANKLE, slice(18, 21)), (skeleton.R_ANKLE, slice(21, 24)))


def _extent(person: Person, stature: float, size: Size) -> np.ndarray:
    """Rows of left, top, right, bottom reached by what the picture does not show of this person."""
    present = person.present
    x, y = person.points[:, 0], person.points[:, 1]
    outside = (x < 0) | (y < 0) | (x > size.width) | (y > size.height)
    counted = present & (outside | person.estimated)
    breadth = np.full(skeleton.POINTS, proportions.LEG_BREADTH / 2 * stature)
    breadth[skeleton.BODY_POINTS :] = proportions.FOOT_BREADTH / 2 * stature
    # Heel and toes lie on the sole already; nothing of the foot reaches below them.
    below = np.where(np.arange(skeleton.POINTS) < skeleton.BODY_POINTS, breadth, 0)
    rows = np.stack([x - breadth, y - breadth, x + breadth, y + below], axis=1)[counted]
    soles = [
        (x[ankle], y[ankle], x[ankle], y[ankle] + proportions.BODY.ankle_height * stature)
        for ankle, foot in _ANKLES
        if present[ankle] and (counted[ankle] or not present[foot].any())
    ]
    return np.concatenate([rows, np.array(soles).reshape(-1, 4)])


def extension_needed(pose: Pose, size: Size, max_extension: float = 1.2) -> Extension:
    """What all people of all frames need beyond their pictures of `size`, without margin and rounding.

    Counted are guessed points and points outside the picture with half a limb's breadth around them, heels,
    toes and the sole below an ankle. Raises ValueError when nobody is there and when a side needs more than
    `max_extension` times the picture's height.
    """
    found = list(everybody(pose))
    if not found:
        raise ValueError("The pose holds no person; connect a pose with at least one person in it.")
    statures = [proportions.stature(person) or 0.0 for person in found]
    extents = np.concatenate([_extent(*pair, size) for pair in zip(found, statures, strict=True)])
    if not len(extents):
        return Extension(0.0, 0.0, 0.0, 0.0, max(statures))
    needed = np.concatenate([-extents[:, :2].min(axis=0), extents[:, 2:].max(axis=0) - size]).clip(min=0)
    if needed.max() > max_extension * size.height:
        side = ("left", "top", "right", "bottom")[int(needed.argmax())]
        raise ValueError(
            f"The people need {needed.max():.0f} px more at the {side}, over {max_extension:g} times the "
            f"picture's height of {size.height} px; check the pose, raise max_extension, or take a picture "
            "that shows more."
        )
    left, top, right, bottom = needed.tolist()
    return Extension(left, top, right, bottom, max(statures))
