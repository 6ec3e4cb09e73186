"""Edit Pose between ComfyUI's tensors and the core: which frames are edited, what the editor is told."""

from __future__ import annotations

import copy
import hashlib
import logging
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import folder_paths
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..core.pose import edited, people, skeleton
from ..core.pose.edited import Edit
from ..core.pose.extension import extension_needed
from ..core.pose.people import Frame, Pose
from ..core.pose.template import template_person
from ..core.shapes import Size
from . import layouts
from .choices import TAKE
from .pose import draw

log = logging.getLogger("recompose")

# The photo under the skeleton is for looking at only.
PREVIEW_SIDE = 2048

KEPT = (
    "The detected pose changed in frame {}; your edit was kept. "
    f'Choose "{TAKE}" in when_pose_changes to drop it.'
)
REPLACED = "The detected pose changed in frame {}; the new one is used in place of your edit."
SCALED = "The picture of frame {} has another size than the edited one; the edit was scaled to fit."
BEYOND = "Frame {} was edited but is not in this batch; its edit is kept for later."


class Drawing(NamedTuple):
    """How the control image is drawn; see core/pose/draw.py."""

    stick_width: int
    hands: bool
    face: bool
    feet: bool


@dataclass
class Choice:
    """The pose in use, the frames whose edit was kept or replaced though the pose changed, and notices."""

    pose: Pose = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def _count(pose: Pose | None, pictures: Tensor | None, edit: Edit) -> int:
    """How many frames there are; ValueError where pose and pictures disagree."""
    if pose is None and pictures is None:
        return max(edit.frames, default=0) + 1
    frames, shots = 1 if pose is None else len(pose), 1 if pictures is None else len(pictures)
    if frames != shots and 1 not in (frames, shots):
        raise ValueError(
            f"The pose has {frames} frames but the image batch has {shots} pictures; "
            "connect the pose made from these pictures."
        )
    return max(frames, shots)


def _incoming(pose: Pose | None, size: Size | None, blank: Size, count: int, threshold: float) -> Pose:
    """One frame per picture in pixels, scores 0 or 1; without a pose a standing person in each."""
    if pose is None:
        canvas = size or blank
        person = template_person(canvas)
        return [
            {"canvas_width": canvas.width, "canvas_height": canvas.height, "people": [copy.deepcopy(person)]}
            for _ in range(count)
        ]
    found = [copy.deepcopy(pose[index % len(pose)]) for index in range(count)]
    for frame in found:
        stated = people.stated_size(frame) or size or blank
        if size is not None and stated != size:
            raise ValueError(
                f"The pose belongs to a picture of {stated} but the image is {size}; "
                "connect the pose made from this picture."
            )
        frame["canvas_width"], frame["canvas_height"] = stated
        edited.checked(frame)
    return people.with_presence(found, threshold)


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
        choice.kept += [index] if changed else []
        scaled += [index] if mine.size != people.size(frame) else []
        choice.pose.append(edited.applied(mine, frame))
    beyond = [index for index in edit.frames if index >= len(incoming)]
    told = (KEPT, choice.kept), (REPLACED, choice.replaced), (SCALED, scaled), (BEYOND, beyond)
    choice.notices += [sentence.format(_numbers(indices)) for sentence, indices in told if indices]
    return choice


def _preview(picture: Tensor) -> dict[str, str]:
    """Save a picture (C,H,W) in ComfyUI's temporary folder, at most 2048 px long; how /view finds it."""
    longest = max(picture.shape[-2:])
    small = picture[None, :3]
    if longest > PREVIEW_SIDE:
        sides = [max(1, round(side * PREVIEW_SIDE / longest)) for side in picture.shape[-2:]]
        small = torch.nn.functional.interpolate(small, size=sides, mode="area")
    pixels = (small[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8).cpu().contiguous().numpy()
    name = f"recompose_{hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}.jpg"
    folder = Path(folder_paths.get_temp_directory())
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{name}.{os.getpid()}.part"
        Image.fromarray(pixels).save(unfinished, format="JPEG", quality=90)
        unfinished.replace(folder / name)
    return {"filename": name, "subfolder": "", "type": "temp"}


def _told(frame: Frame, detected: bool) -> Frame:
    """The incoming frame as the editor gets it: rounded to 0.01 px, with its fingerprint."""
    persons = []
    for person in frame.get("people") or []:
        entry: dict[str, Any] = {
            key: np.round(people.triples(person, key), 2).ravel().tolist() for key in skeleton.KEYS
        }
        marks = people.estimated(person)
        if marks.any():
            entry["recompose"] = {"estimated": marks.astype(int).tolist()}
        persons.append({key: value for key, value in entry.items() if value})
    size = people.size(frame)
    mark = edited.fingerprint(frame) if detected else ""
    return {"canvas_width": size.width, "canvas_height": size.height, "people": persons, "fingerprint": mark}


def _needed(pose: Pose) -> list[int]:
    """Whole pixels needed beyond left, top, right and bottom; none where nobody is there."""
    size = people.common_size(pose)
    if not any(True for _ in people.everybody(pose)):
        return [0, 0, 0, 0]
    return [math.ceil(side) for side in extension_needed(pose, size, math.inf)[:4]]


def edit_pose(
    value: str,
    when_pose_changes: str,
    blank: Size,
    drawing: Drawing,
    threshold: float,
    image: Tensor | None,
    pose: Pose | None,
) -> tuple[Pose, Tensor, list[int], dict[str, Any]]:
    """The pose in use, its control image, the pixels needed per side, and what the editor is told.

    Raises ValueError where image and pose do not belong together or the pose is malformed; a damaged value
    only leads to notices.
    """
    pictures = None if image is None else layouts.image_from_comfy(image)
    if pose is not None and not pose:
        raise ValueError("The pose has no frame; connect a pose with one frame per picture.")
    edit = edited.parse(value)
    count = _count(pose, pictures, edit)
    size = None if pictures is None else layouts.size_of(pictures)
    incoming = _incoming(pose, size, blank, count, threshold)
    choice = _choose(incoming, pose is not None, edit, when_pose_changes)
    for notice in choice.notices:
        log.warning("Edit Pose: %s", notice)
    needed = _needed(choice.pose)
    report = {
        "pose": [_told(frame, pose is not None) for frame in incoming],
        "pictures": []
        if pictures is None
        else [_preview(pictures[index % len(pictures)]) for index in range(count)],
        "kept": choice.kept,
        "replaced": choice.replaced,
        "notices": choice.notices,
        "needed": needed,
    }
    return choice.pose, draw(choice.pose, *drawing, threshold), needed, report
