"""Poses between ComfyUI's input folder, its IMAGE and MASK tensors, and the core."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import folder_paths
from torch import Tensor

from ..core.memory import sparse_zeros
from ..core.pose import draw as drawing
from ..core.pose import limb_mask, openpose
from ..core.pose.choices import Guesses, Legs
from ..core.pose.estimate import complete as completion
from ..core.pose.extension import extension_needed
from ..core.pose.person import Pose, common_size
from ..core.shapes import Size
from . import layouts, pose_fit, pose_json, pose_record
from .choices import NO_FILE
from .notices import notice
from .pose_record import Record, Written

PINNED = (
    "Complete Pose: {} points on or near the picture's border are taken as cut off, because their limb "
    "would be too short or the detector was not sure; move them in Edit Pose if they are right."
)


def _input_folder() -> Path:
    return Path(folder_paths.get_input_directory())


def problem(file: str | None) -> str | None:
    """One sentence on why a pose file cannot be read, or None; one not known yet has no problem.

    It may lie in a subfolder of ComfyUI's input folder, too.
    """
    if file is None or file == NO_FILE:
        return None
    folder = _input_folder().resolve()
    path = (folder / file).resolve()
    if path.suffix.lower() == ".json" and path.is_relative_to(folder) and path.is_file():
        return None
    return f'The pose file "{file}" is not in ComfyUI\'s input folder; put it there and choose it again.'


def _bytes(file: str) -> bytes:
    if sentence := problem(file):
        raise ValueError(sentence)
    return (_input_folder() / file).read_bytes()


def fingerprint(text: str | None, file: str | None) -> str:
    """What the result depends on besides the inputs' own values: the file's content, if a file is read."""
    if (text or "").strip() or file in (None, NO_FILE):
        return "text"
    try:
        return hashlib.sha256(_bytes(file)).hexdigest()
    except (ValueError, OSError):
        return "unreadable"


def load(
    text: str, file: str, layout: str, threshold: float, given: tuple[int, int], image: Tensor | None
) -> list[Record]:
    """The pose in `text`, or in `file` under the input folder where the text is blank; see pose_json.read."""
    if not text.strip():
        if file == NO_FILE:
            raise ValueError("There is no pose to load; paste OpenPose JSON as text or choose a .json file.")
        try:
            text = pose_json.decoded(_bytes(file))
        except UnicodeDecodeError as error:
            raise ValueError(f'"{file}" is not a text file; choose a file with OpenPose JSON.') from error
    size = None if image is None else layouts.size_of(layouts.image_from_comfy(image))
    pose = pose_json.read(text, openpose.Layout(layout), threshold, Size(*given), size)
    return pose_record.write(pose, Written.ALL)


def complete(
    pose: Any, max_extension: float, threshold: float, legs: str, guesses: str
) -> tuple[list[Record], list[int], dict[str, Any]]:
    """The completed pose, the whole pixels needed per side (left, top, right, bottom), and both for the
    client."""
    found = pose_fit.on_one_size(pose_record.read(pose, threshold))
    completed = completion.complete(found, Legs(legs), Guesses(guesses))
    if pinned := completion.count_pinned(found, completed):
        notice(PINNED.format(pinned))
    extension = extension_needed(completed, common_size(completed), max_extension)
    needed = [math.ceil(side) for side in extension[:4]]
    report = {"estimated": completion.count_estimated(completed), "needed": needed}
    return pose_record.write(completed), needed, report


def draw(pose: Any, stick_width: int, hands: bool, face: bool, feet: bool, threshold: float) -> Tensor:
    """One IMAGE B,H,W,3 per frame of the pose; ValueError where the frames differ in size."""
    found = pose_fit.on_one_size(pose_record.read(pose, threshold))
    return picture_of(found, stick_width, hands, face, feet)


def picture_of(pose: Pose, stick_width: int, hands: bool, face: bool, feet: bool) -> Tensor:
    """One IMAGE B,H,W,3 per frame; ValueError where the frames differ in size."""
    width, height = common_size(pose)
    pictures = sparse_zeros(len(pose), height, width, 3)
    for picture, frame in zip(pictures.numpy(), pose, strict=True):
        drawing.draw_levels(picture, frame, stick_width, hands, face, feet)
    return layouts.image_to_comfy(pictures.permute(0, 3, 1, 2))


def _picture_size(mask: Tensor | None) -> Size | None:
    """The size of the picture a mask of the core belongs to; None for LoadImage's "no mask"."""
    return None if mask is None or layouts.is_no_mask(mask, Size(0, 0)) else layouts.size_of(mask)


def mask_limbs(
    pose: Any, parts: str, width: float, threshold: float, within: Tensor | None, other_pose: Any | None
) -> Tensor:
    """A MASK per frame around the chosen parts, inside `within`; see limb_mask."""
    given = layouts.mask_from_comfy(within)
    picture = _picture_size(given)
    found = pose_fit.on_one_size(pose_record.read(pose, threshold, picture))
    if picture is not None:
        found = pose_fit.on_picture(found, picture)
    size = found[0].size
    area = given if within is not None and layouts.belongs(within, size) else None
    other = None if other_pose is None else pose_record.read(other_pose, threshold, size)
    if other is not None and limb_mask.Parts(parts) is limb_mask.Parts.MOVED:
        other = pose_fit.on_picture(other, size)
    return layouts.mask_to_comfy(limb_mask.limb_mask(found, limb_mask.Parts(parts), width, area, other))
