"""How much canvas the people of a pose need beyond their picture."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..shapes import Size
from . import skeleton
from .estimate import proportions
from .estimate.uncertainty import SURE
from .person import Person, Pose, everybody


class Extension(NamedTuple):
    """Pixels needed beyond each side of the picture, and the tallest person's stature `body` in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    body: float


# A portrait from the shoulders to the hips needs 1.85 of its height.
MAX_EXTENSION = 2.0
_STEPS = 20  # of max_extension per picture height
_FACE = (skeleton.NOSE, skeleton.R_EYE, skeleton.L_EYE, skeleton.R_EAR, skeleton.L_EAR)
_ANKLES = ((skeleton.L_ANKLE, slice(18, 21)), (skeleton.R_ANKLE, slice(21, 24)))


def _unsure(person: Person, stature: float) -> np.ndarray:
    """How many pixels further than it was guessed each point may well reach: a standard deviation, of which
    what Extend Canvas's margin covers does not count."""
    if person.uncertainty is None:
        return np.zeros(skeleton.POINTS)
    return np.clip(person.uncertainty - SURE * stature, 0, None)


def _extent(person: Person, stature: float, size: Size) -> np.ndarray:
    """Rows of how far what the picture does not show of this person lies beyond left, top, right, bottom."""
    present = person.present
    x, y = person.points[:, 0], person.points[:, 1]
    outside = (x < 0) | (y < 0) | (x > size.width) | (y > size.height)
    counted = present & (outside | person.estimated)
    breadth = np.full(skeleton.POINTS, proportions.LEG_BREADTH / 2 * stature)
    breadth[skeleton.BODY_POINTS :] = proportions.FOOT_BREADTH / 2 * stature
    # Heel and toes lie on the sole already; nothing of the foot reaches below them.
    below = np.where(np.arange(skeleton.POINTS) < skeleton.BODY_POINTS, breadth, 0)
    above = breadth.copy()
    above[list(_FACE)] = proportions.EYES_TO_CROWN * stature
    right, bottom = x - size.width, y - size.height
    rows = np.stack([breadth - x, above - y, right + breadth, bottom + below], axis=1)
    ankles = [
        ankle for ankle, foot in _ANKLES if present[ankle] and (counted[ankle] or not present[foot].any())
    ]
    soles = np.stack([-x, -y, right, bottom + proportions.BODY.ankle_height * stature], axis=1)[ankles]
    unsure = _unsure(person, stature)
    reaches = np.concatenate([rows[counted], soles])
    more = np.concatenate([unsure[counted], unsure[ankles]])[:, None]
    # A side that the guess itself does not need is not asked for on suspicion.
    return np.where(reaches > 0, reaches + more, 0.0)


def extension_needed(pose: Pose, size: Size, max_extension: float = MAX_EXTENSION) -> Extension:
    """What all people of all frames need beyond their pictures of `size`, without margin and rounding.

    Counted are guessed points and points outside the picture with half a limb's breadth around them, heels,
    toes, the sole below an ankle and the crown above a face. Raises ValueError when nobody is there and when
    a side needs more than `max_extension` times the picture's height.
    """
    found = list(everybody(pose))
    if not found:
        raise ValueError("The pose holds no person; connect a pose with at least one person in it.")
    statures = [proportions.stature(person) or 0.0 for person in found]
    extents = np.concatenate([_extent(*pair, size) for pair in zip(found, statures, strict=True)])
    if not len(extents):
        return Extension(0.0, 0.0, 0.0, 0.0, max(statures))
    needed = extents.max(axis=0)
    if needed.max() > max_extension * size.height:
        side = ("left", "top", "right", "bottom")[int(needed.argmax())]
        enough = math.ceil(needed.max() / size.height * _STEPS - 1e-9) / _STEPS
        raise ValueError(
            f"The people need {needed.max():.0f} px more at the {side}, over {max_extension:g} times the "
            f"picture's height of {size.height} px; check the pose, set max_extension to {enough:g}, or take "
            "a picture that shows more."
        )
    left, top, right, bottom = needed.tolist()
    return Extension(left, top, right, bottom, max(statures))
