"""Edit Pose between ComfyUI's tensors and the core: which frames are edited, what the editor is told."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from ..core.batch import common_batch, repeated
from ..core.pose import edited
from ..core.pose.edited import Edit
from ..core.pose.extension import extension_needed
from ..core.pose.person import Frame, Pose, common_size
from ..core.pose.template import template_person
from ..core.shapes import Size
from . import layouts, pose_fit, pose_record
from .choices import TAKE
from .pose import picture_of
from .pose_record import Record, Written
from .preview import previews

log = logging.getLogger("recompose")

# Without a pose and a picture nothing but the edit says how many frames there are.
BLANK_FRAMES = 64

KEPT = (
    "The detected pose changed in frame {}; your edit was kept. "
    f'Choose "{TAKE}" in when_pose_changes to drop it.'
)
REPLACED = "The detected pose changed in frame {}; the new one is used in place of your edit."
SCALED = "The picture of frame {} has another size than the edited one; the edit was scaled to fit."
BEYOND = "Frame {} was edited but is not in this batch; its edit is kept for later."
CROWD = "Frame {} holds more than {} people; the editor shows the first {}, and the others stay as they are."


class Drawing(NamedTuple):
    """How the control image is drawn; see core/pose/draw.py."""

    stick_width: int
    hands: bool
    face: bool
    feet: bool


@dataclass
class Choice:
    """The pose in use, the numbers of its edited frames, of those whose edit was kept or replaced though the
    pose changed, and notices."""

    pose: list[Frame] = field(default_factory=list)
    edited: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def _count(pose: Pose | None, pictures: Tensor | None, edit: Edit) -> int:
    """How many frames there are; ValueError where pose and pictures disagree."""
    if pose is None and pictures is None:
        edited_frames = [index for index in edit.frames if index < BLANK_FRAMES]
        return max(edited_frames, default=0) + 1
    return common_batch({"pose": pose, "image": pictures})


def _incoming(record: Any | None, size: Size | None, blank: Size, threshold: float) -> list[Frame] | None:
    """The frames of the pose, if there is one, on the picture, if there is one."""
    if record is None:
        return None
    pose = pose_record.read(record, threshold, size or blank)
    return pose_fit.on_one_size(pose) if size is None else pose_fit.on_picture(pose, size)


def _numbers(indices: list[int]) -> str:
    """Frames as the user counts them, from 1."""
    return ", ".join(str(index + 1) for index in indices)


def _choose(incoming: Pose, detected: bool, edit: Edit, when_pose_changes: str) -> Choice:
    choice = Choice(notices=list(edit.notices))
    scaled = []
    for index, frame in enumerate(incoming):
        mine = edit.frames.get(index)
        changed = mine is not None and detected and mine.fingerprint != edited.fingerprint(frame)
        if mine is None or (changed and when_pose_changes == TAKE):
            choice.pose.append(frame)
            choice.replaced += [index] if mine is not None else []
            continue
        choice.edited.append(index)
        choice.kept += [index] if changed else []
        scaled += [index] if mine.size != frame.size else []
        choice.pose.append(edited.applied(mine, frame))
    beyond = [index for index in edit.frames if index >= len(incoming)]
    told = (KEPT, choice.kept), (REPLACED, choice.replaced), (SCALED, scaled), (BEYOND, beyond)
    choice.notices += [sentence.format(_numbers(indices)) for sentence, indices in told if indices]
    crowded = [index for index, frame in enumerate(incoming) if len(frame.people) > edited.PEOPLE]
    if crowded:
        choice.notices.append(CROWD.format(_numbers(crowded), edited.PEOPLE, edited.PEOPLE))
    return choice


def _record(choice: Choice) -> list[Record]:
    """The pose in use as POSE_KEYPOINT; an edited person has every list that the detected one names."""
    return [
        pose_record.frame_record(frame, Written.NAMED if index in choice.edited else Written.LISTED)
        for index, frame in enumerate(choice.pose)
    ]


def _needed(pose: Pose) -> list[int]:
    """Whole pixels needed beyond left, top, right and bottom; none where nobody is there."""
    size = common_size(pose)
    if not any(frame.people for frame in pose):
        return [0, 0, 0, 0]
    return [math.ceil(side) for side in extension_needed(pose, size, math.inf)[:4]]


def edit_pose(
    value: str,
    when_pose_changes: str,
    blank: Size,
    drawing: Drawing,
    threshold: float,
    image: Tensor | None,
    pose: Any | None,
) -> tuple[list[Record], Tensor, list[int], dict[str, Any]]:
    """The pose in use, its control image, the pixels needed per side, and what the editor is told.

    Raises ValueError where image and pose do not belong together or the pose is malformed; a damaged value
    only leads to notices.
    """
    pictures = None if image is None else layouts.image_from_comfy(image)
    size = None if pictures is None else layouts.size_of(pictures)
    edit, detected = edited.parse(value), _incoming(pose, size, blank, threshold)
    count = _count(detected, pictures, edit)
    template = [Frame(size or blank, (template_person(size or blank),))]
    incoming = repeated(detected or template, count, "pose")
    choice = _choose(incoming, detected is not None, edit, when_pose_changes)
    for notice in choice.notices:
        log.warning("Edit Pose: %s", notice)
    needed = _needed(choice.pose)
    marks = [edited.fingerprint(frame) if detected else "" for frame in incoming]
    report = {
        "pose": [pose_record.for_editor(*pair) for pair in zip(incoming, marks, strict=True)],
        "pictures": [] if pictures is None else previews(pictures, count),
        "kept": choice.kept,
        "replaced": choice.replaced,
        "notices": choice.notices,
        "needed": needed,
    }
    return _record(choice), picture_of(choice.pose, *drawing), needed, report
