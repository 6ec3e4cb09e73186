"""The orders in which OpenPose's JSON and its relatives list points, brought to core's.

Layouts: COCO-18 (also core's POSE_KEYPOINT), BODY_25, and the 133 points of COCO-WholeBody in the order
RTMPose and DWPose give them (17 body, 6 feet, 68 face, 21 left hand, 21 right hand; its neck is midway
between the shoulders).
"""

from __future__ import annotations

import numpy as np

from . import skeleton
from .choices import Layout

COUNTS = {18: Layout.COCO_18, 25: Layout.BODY_25, 133: Layout.WHOLEBODY}


def layout_of(count: int, layout: Layout) -> Layout:
    """The layout that lists so many body points; ValueError if there is none or it is not the one chosen."""
    found = COUNTS.get(count)
    if found is None or layout not in (Layout.AUTO, found):
        wanted = "18, 25 or 133" if layout is Layout.AUTO else f"those of {layout.value}"
        raise ValueError(
            f"The person's pose_keypoints_2d must hold {wanted} points but holds {count}; "
            "choose the layout the file was written in."
        )
    return found


def from_wholebody(points: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    """The 133 points of COCO-WholeBody (x, y, score) under core's keys, the neck between the shoulders.

    The neck's score is the lower of the shoulders' two; it is all zero where that is not above the threshold.
    """
    shoulders = points[[5, 6]]
    neck = np.append(shoulders[:, :2].mean(axis=0), shoulders[:, 2].min())
    if neck[2] <= threshold:
        neck[:] = 0
    points = np.concatenate([points, neck[None]])
    return {
        skeleton.BODY_KEY: points[list(skeleton.WHOLEBODY_BODY)],
        skeleton.FOOT_KEY: points[list(skeleton.WHOLEBODY_FEET)],
        skeleton.FACE_KEY: points[list(skeleton.WHOLEBODY_FACE)],
        skeleton.HAND_LEFT_KEY: points[list(skeleton.WHOLEBODY_HAND_LEFT)],
        skeleton.HAND_RIGHT_KEY: points[list(skeleton.WHOLEBODY_HAND_RIGHT)],
    }


def in_core_order(found: dict[str, np.ndarray], layout: Layout) -> dict[str, np.ndarray]:
    """A file's lists by key (N,3 each; COCO-18 or BODY_25) with core's points in core's order."""
    result, body = dict(found), found[skeleton.BODY_KEY]
    if not len(body):
        return result
    if layout_of(len(body), layout) is Layout.BODY_25:
        result[skeleton.BODY_KEY] = body[list(skeleton.BODY_25_BODY)]
        if not len(found[skeleton.FOOT_KEY]):
            result[skeleton.FOOT_KEY] = body[list(skeleton.BODY_25_FEET)]
    face = found[skeleton.FACE_KEY]
    if len(face) == skeleton.FACE_POINTS - 2:
        eyes = result[skeleton.BODY_KEY][[skeleton.R_EYE, skeleton.L_EYE]]
        result[skeleton.FACE_KEY] = np.concatenate([face, eyes])
    return result
