"""The orders in which OpenPose's JSON and its relatives list points, brought to core's.

Layouts by their number of points: 17 COCO, 18 COCO-18 (also core's POSE_KEYPOINT), 25 BODY_25, 26 Halpe, 133
COCO-WholeBody in the order RTMPose and DWPose give them (17 body, 6 feet, 68 face, 21 left hand, 21 right
hand), 134 the same with a neck and the body in COCO-18's order. Where there is no neck it is made midway
between the shoulders.
"""

from __future__ import annotations

import numpy as np

from . import skeleton
from .choices import Layout

# The layout that has to be chosen for so many points, where it is not Layout.AUTO.
COUNTS = {
    17: Layout.COCO_18,
    18: Layout.COCO_18,
    25: Layout.BODY_25,
    26: Layout.WHOLEBODY,
    133: Layout.WHOLEBODY,
    134: Layout.WHOLEBODY,
}
_ROWS: dict[int, dict[str, tuple[int, ...]]] = {
    17: {skeleton.BODY_KEY: skeleton.WHOLEBODY_BODY},
    25: {skeleton.BODY_KEY: skeleton.BODY_25_BODY, skeleton.FOOT_KEY: skeleton.BODY_25_FEET},
    26: {skeleton.BODY_KEY: skeleton.HALPE_BODY, skeleton.FOOT_KEY: skeleton.HALPE_FEET},
    133: {
        skeleton.BODY_KEY: skeleton.WHOLEBODY_BODY,
        skeleton.FOOT_KEY: skeleton.WHOLEBODY_FEET,
        skeleton.FACE_KEY: skeleton.WHOLEBODY_FACE,
        skeleton.HAND_LEFT_KEY: skeleton.WHOLEBODY_HAND_LEFT,
        skeleton.HAND_RIGHT_KEY: skeleton.WHOLEBODY_HAND_RIGHT,
    },
    134: {
        skeleton.BODY_KEY: tuple(range(18)),
        skeleton.FOOT_KEY: tuple(range(18, 24)),
        skeleton.FACE_KEY: (*range(24, 92), skeleton.R_EYE, skeleton.L_EYE),
        skeleton.HAND_LEFT_KEY: tuple(range(92, 113)),
        skeleton.HAND_RIGHT_KEY: tuple(range(113, 134)),
    },
}
_WHOLE = 100  # points; longer lists hold everything there is
_COCO_SHOULDERS = [5, 6]


def check_layout(count: int, layout: Layout) -> None:
    """Refuse a number of body points that no layout has, or another than the chosen layout's."""
    if layout not in (Layout.AUTO, COUNTS.get(count, layout)):
        raise ValueError(
            f"The person's pose_keypoints_2d holds {count} points, which is not the layout {layout.value}; "
            f"choose {Layout.AUTO.value}."
        )
    if count not in COUNTS:
        raise ValueError(
            "The person's pose_keypoints_2d must hold 17 or 18 (COCO), 25 (BODY_25), 26 (Halpe) or 133 "
            f"(COCO-WholeBody) points but holds {count}; export the pose in one of these layouts."
        )


def neck_between(shoulders: np.ndarray) -> np.ndarray:
    """The point midway between two shoulders 2,3 (x, y, score), its score the lower of the two."""
    return np.append(shoulders[:, :2].mean(axis=0), shoulders[:, 2].min())


def _with_neck(points: np.ndarray, threshold: float) -> np.ndarray:
    """COCO's points with the neck between the shoulders appended, its score the lower of the shoulders' two.

    It is all zero where that is not above the threshold.
    """
    neck = neck_between(points[_COCO_SHOULDERS])
    return np.concatenate([points, neck[None] * (neck[2] > threshold)])


def _by_key(points: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    """What a layout's one list of points holds, under core's keys and in core's order."""
    table = _ROWS.get(len(points), {})
    made = -1 in table.get(skeleton.BODY_KEY, ())
    listed = _with_neck(points, threshold) if made else points
    return {key: listed[list(rows)] for key, rows in table.items()}


def from_wholebody(points: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    """The 133 points of COCO-WholeBody (x, y, score) under core's keys, the neck between the shoulders."""
    return _by_key(points, threshold)


def in_core_order(found: dict[str, np.ndarray], layout: Layout, threshold: float) -> dict[str, np.ndarray]:
    """Lists by key (N,3 each) with core's points in core's order; lists that are so are the same arrays.

    Raises ValueError for a body of a number of points that no layout has, or not the chosen one.
    """
    result, body = dict(found), found[skeleton.BODY_KEY]
    if len(body):
        check_layout(len(body), layout)
        for key, points in _by_key(body, threshold).items():
            # BODY_25 may come with a list of feet of its own.
            if key != skeleton.FOOT_KEY or len(body) > _WHOLE or not len(found[key]):
                result[key] = points
    face, body = result[skeleton.FACE_KEY], result[skeleton.BODY_KEY]
    if len(face) == skeleton.FACE_POINTS - 2:
        eyes = body[[skeleton.R_EYE, skeleton.L_EYE]] if len(body) else np.zeros((2, 3))
        result[skeleton.FACE_KEY] = np.concatenate([face, eyes])
    return result
