"""Read OpenPose's JSON and its relatives into a pose.

Layouts: COCO-18 (also core's POSE_KEYPOINT), BODY_25, and the 133 points of COCO-WholeBody in the order
RTMPose and DWPose give them (17 body, 6 feet, 68 face, 21 left hand, 21 right hand; its neck is midway
between the shoulders).
"""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

from ..shapes import Size
from . import people, skeleton
from .choices import Layout
from .people import Frame, Person, Pose

COUNTS = {18: Layout.COCO_18, 25: Layout.BODY_25, 133: Layout.WHOLEBODY}


def _frames(data: Any) -> list[Frame]:
    """The frames of a parsed file: one dictionary, a list of frames, or a list of people of one picture."""
    if isinstance(data, dict) and isinstance(data.get("people"), list):
        return [data]
    if isinstance(data, list) and data and all(isinstance(entry, dict) for entry in data):
        if all(isinstance(entry.get("people"), list) for entry in data):
            return data
        if all(skeleton.BODY_KEY in entry for entry in data):
            return [{"people": data}]
    raise ValueError(
        'The pose must be OpenPose JSON, an object with a list "people" or a list of such objects; '
        "export it again from the pose detector or editor."
    )


def _layout_of(count: int, layout: Layout) -> Layout:
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


def _by_key(person: Person, layout: Layout, threshold: float) -> dict[str, np.ndarray]:
    """The person's points under core's keys in core's order, N,3 each; empty where the file has none."""
    found = {key: people.triples(person, key) for key in skeleton.KEYS}
    body = found[skeleton.BODY_KEY]
    if not len(body):
        return found
    match _layout_of(len(body), layout):
        case Layout.WHOLEBODY:
            return from_wholebody(body, threshold)
        case Layout.BODY_25:
            found[skeleton.BODY_KEY] = body[list(skeleton.BODY_25_BODY)]
            if not len(found[skeleton.FOOT_KEY]):
                found[skeleton.FOOT_KEY] = body[list(skeleton.BODY_25_FEET)]
    face = found[skeleton.FACE_KEY]
    if len(face) == skeleton.FACE_POINTS - 2:
        eyes = found[skeleton.BODY_KEY][[skeleton.R_EYE, skeleton.L_EYE]]
        found[skeleton.FACE_KEY] = np.concatenate([face, eyes])
    return found


def _person(person: Person, layout: Layout, threshold: float) -> Person:
    """A copy of the person with core's points under core's keys, absent ones zero; other keys as they
    were."""
    if not isinstance(person, dict):
        raise ValueError(
            f"Every person must be a JSON object, got {type(person).__name__}; check the pose file."
        )
    result = copy.deepcopy(person)
    for key, points in _by_key(person, layout, threshold).items():
        if len(points) not in (0, skeleton.KEYS[key]):
            raise ValueError(
                f"{key} must hold {skeleton.KEYS[key]} points but holds {len(points)}; check the pose file."
            )
        if not np.isfinite(points).all():
            raise ValueError(f"{key} holds values that are not finite numbers; check the pose file.")
        result[key] = (points if len(points) else np.zeros((skeleton.KEYS[key], 3))).ravel().tolist()
    return result


def _canvas(frame: Frame, given: Size | None, picture: Size | None) -> Size:
    """The picture's size by the frame, else as given, else the picture's own; ValueError if unknown or
    unequal."""
    sizes = (people.stated_size(frame), given, picture)
    known = [size for size in sizes if size is not None and size.width > 0 and size.height > 0]
    if not known:
        raise ValueError(
            "The pose file does not say how large its picture is; set width and height or connect the image."
        )
    for size in known[1:]:
        if size != known[0]:
            raise ValueError(
                f"The pose belongs to a picture of {known[0]} but the picture given is {size}; "
                "use the pose made from this picture."
            )
    return known[0]


def read(
    text: str,
    layout: Layout = Layout.AUTO,
    threshold: float = 0.3,
    given: Size | None = None,
    picture: Size | None = None,
) -> Pose:
    """The pose written in `text`, in pixels, every score 0 or 1 (1 above the threshold).

    `given` and `picture` say how large the picture is where the file does not. Raises ValueError for
    text that is not JSON, other shapes or counts of points, and an unknown or contradicting size.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"The pose is not JSON ({error}); give OpenPose JSON as text or choose a .json file."
        ) from error
    result = []
    for source in _frames(data):
        frame = {key: value for key, value in source.items() if key != "people"}
        frame["people"] = [_person(person, layout, threshold) for person in source["people"]]
        frame["canvas_width"], frame["canvas_height"] = _canvas(frame, given, picture)
        result.append(frame)
    return people.with_presence(result, threshold)
