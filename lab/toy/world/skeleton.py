"""The person of a drawn picture as a detector would mark them: the same posture, other lengths."""

from __future__ import annotations

import numpy as np

from .body import BODY, FEET, KEY_POINTS, Camera, joints, proportions
from .chance import Chance
from .picture import PERSON_TOPIC, PITCH, Example, rows
from .poses import FAMILIES


def key_points(example: Example) -> np.ndarray:
    """24,3 points in pixels of the whole drawing, the pelvis where the painted one is.

    The lengths are those between key points; what the painted pose does not show is not there either.
    """
    chance = Chance(example.part, example.seed, PERSON_TOPIC)
    lengths, posture = proportions(chance, KEY_POINTS), FAMILIES[example.family](chance)
    camera, body = Camera(posture.yaw, chance.uniform(*PITCH)), joints(lengths, posture)
    flat = np.array([camera.project(body[name])[:2] for name in (*BODY, *FEET)])
    pelvis = np.array(camera.project(body["pelvis"])[:2])
    drawing, painted = example.drawing, rows(example.pose)
    points = np.array(drawing.points["pelvis"]) + (flat - pelvis) * drawing.stature
    return np.column_stack([points, painted[:, 2]]) * (painted[:, 2:] > 0)
