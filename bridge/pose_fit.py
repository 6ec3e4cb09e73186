"""Poses brought to the picture they are used on."""

from __future__ import annotations

from ..core.pose.person import Frame, Pose, common_size, moved, scale_between
from ..core.shapes import Size
from .notices import notice

SCALED = "The pose was made for a picture of {}; it was scaled to this picture of {}."


def on_picture(pose: Pose, size: Size) -> list[Frame]:
    """The pose on a picture of `size`: frames made for one of the same aspect are scaled, with a notice.

    Raises ValueError for a picture of another aspect.
    """
    return [_frame_on(frame, size) for frame in pose]


def _frame_on(frame: Frame, size: Size) -> Frame:
    if frame.size == size:
        return frame
    scale = scale_between(frame.size, size)
    if scale is None:
        raise ValueError(
            f"The pose belongs to a picture of {frame.size} but the picture is {size}, "
            "which has another aspect; use the pose made from this picture."
        )
    notice(SCALED.format(frame.size, size))
    return moved([frame], scale, (0.0, 0.0), size)[0]


def on_one_size(pose: Pose) -> list[Frame]:
    """The pose with all frames on pictures of the first one's size; ValueError for another aspect."""
    if any(scale_between(frame.size, pose[0].size) is None for frame in pose):
        common_size(pose)
    return on_picture(pose, pose[0].size)
