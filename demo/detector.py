"""Poses of pictures of the drawn world, as any pose detector gives them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..core.pose import skeleton
from ..core.pose.people import Frame, Pose
from .judge import Judge, Seen
from .models import parts


def detect(images: Sequence[np.ndarray], folder: Path = parts.FOLDER) -> Pose:
    """One POSE_KEYPOINT frame per picture (H,W,3 uint8), with one person or none."""
    seen = Judge.load(folder, "detector").look(images)
    return [frame(what, image) for what, image in zip(seen, images, strict=True)]


def frame(seen: Seen, image: np.ndarray) -> Frame:
    """The frame of one picture; points that are not there are zero, the scores stay under `recompose`."""
    height, width = image.shape[:2]
    size = {"canvas_width": width, "canvas_height": height}
    if not seen.somebody:
        return size | {"people": []}
    there = seen.points[:, 2] >= 0.5
    points = np.where(there[:, None], np.concatenate([seen.points[:, :2], there[:, None]], 1), 0)
    body, feet = points[: skeleton.BODY_POINTS], points[skeleton.BODY_POINTS :]
    person = {skeleton.BODY_KEY: body.ravel().tolist(), skeleton.FOOT_KEY: feet.ravel().tolist()}
    return size | {"people": [person | {"recompose": {"confidence": seen.points[:, 2].tolist()}}]}
