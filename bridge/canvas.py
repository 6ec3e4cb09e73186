"""What the canvas's nodes share: poses on a picture, and outputs that are blocked."""

from __future__ import annotations

from typing import Any

from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..core.batch import common_batch
from ..core.pose.person import Pose, moved
from ..core.shapes import Size
from . import pose_fit, pose_record


def pose_of(record: Any | None, size: Size, **batches: Tensor | None) -> Pose | None:
    """The pose on a picture of `size`, scaled where it was made at another size; ValueError for another
    picture's and where the pose and the other batches do not fit together."""
    if record is None:
        return None
    pose = pose_record.read(record, default=size)
    common_batch({**batches, "pose": pose})
    return pose_fit.on_picture(pose, size)


def pose_on(
    pose: Pose | None, scale: tuple[float, float], offset: tuple[float, float], size: Size, node: str
) -> Any:
    """The POSE_KEYPOINT of the pose on another canvas."""
    record = None if pose is None else pose_record.write(moved(pose, scale, offset, size))
    return or_blocked(record, "pose", node)


def or_blocked(value: Any | None, name: str, node: str) -> Any:
    """The value, or what stops the nodes behind this output with a sentence that says why."""
    if value is not None:
        return value
    return ExecutionBlocker(f"{node} has nothing to give at {name}; connect its input {name}.")
