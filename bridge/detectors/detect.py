"""People in pictures: which detector, picture by picture, and the pose and preview of what it found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import comfy.model_management as management
import comfy.utils
import numpy as np
import torch
from torch import Tensor

from ...core.canvas.resample import resample
from ...core.pose import decode
from ...core.pose import draw as drawing
from ...core.pose.choices import PERSON_SCORE
from ...core.pose.decode import Find
from ...core.pose.person import Frame
from ...core.shapes import Size
from .. import layouts, pose_record
from ..choices import AUTO, BLAZEPOSE, DWPOSE, KEYPOINT_MODEL, LARGEST, OPENPOSE
from ..models import folders
from ..notices import notice
from . import blazepose, dwpose, keypoint_model, openpose

STICKS_AT = 512  # the shorter side of a picture on which the preview's sticks have their usual width
DIMMED = 0.5


Look = Callable[[Tensor], Frame]  # of a picture (1,3,H,W)


def automatic() -> dict[str, Any] | None:
    """The choice that *auto* stands for: the first detector whose files are there, None where none is."""
    options: list[dict[str, Any]] = [
        {"detector": BLAZEPOSE, "network": LARGEST, "person_score": PERSON_SCORE},
        {"detector": DWPOSE, "resolution": 1024, "person_score": 0.5},
        {"detector": OPENPOSE, "resolution": 512, "hands": True, "face": True},
    ]
    return next((each for each in options if problem(each) is None), None)


def problem(choice: dict[str, Any] | None) -> str | None:
    """One sentence on why the chosen detector cannot be used, or None; what is not known yet is none."""
    match choice:
        case {"detector": "auto"}:
            return None if automatic() else blazepose.problem(None)
        case {"detector": "BlazePose"}:
            return blazepose.problem(choice.get("network"))
        case {"detector": "DWPose"}:
            return dwpose.problem()
        case {"detector": "OpenPose"}:
            return openpose.problem(openpose.files(bool(choice.get("hands")), bool(choice.get("face"))))
        case None | {"detector": None} | {"detector": "keypoint model"}:
            return None
    given = choice.get("detector")
    *others, last = AUTO, BLAZEPOSE, DWPOSE, OPENPOSE, KEYPOINT_MODEL
    return f"The detector must be {', '.join(others)} or {last} but is {given!r}; choose one."


def files(choice: dict[str, Any] | None) -> list[Path | None]:
    """The weight files of the chosen detector, None for missing ones."""
    match choice:
        case {"detector": "auto"}:
            return files(automatic())
        case {"detector": "BlazePose"}:
            return blazepose.files(choice.get("network"))
        case {"detector": "DWPose"}:
            return [folders.find(dwpose.CATEGORY, name) for name in dwpose.FILES]
        case {"detector": "OpenPose"}:
            return [folders.find(openpose.CATEGORY, name) for name in openpose.files(True, True)]
        case {"detector": "keypoint model", "model": str(name)}:
            return [folders.find(keypoint_model.CATEGORY, name)]
    return []


def fingerprint(choice: dict[str, Any] | None) -> list[tuple[str, int, int]]:
    """The detector's weight files with size and time, so that replaced ones are noticed."""
    return folders.stamps(files(choice))


def open_detector(choice: dict[str, Any], threshold: float) -> Look:
    """The chosen detector, ready to look; ValueError or RuntimeError saying what is missing."""
    match choice["detector"]:
        case "auto" if found := automatic():
            return open_detector(found, threshold)
        case "BlazePose":
            finder = blazepose.load(choice["network"])
            return blazepose.looker(finder, threshold, choice["person_score"])
        case "DWPose":
            look = dwpose.looker(dwpose.load(choice["person_score"]), threshold)
            return partial(by_finds, look, choice["resolution"], False, threshold)
        case "OpenPose":
            look = openpose.looker(openpose.load(choice["hands"], choice["face"]))
            return partial(by_finds, look, choice["resolution"], True, threshold)
        case "keypoint model":
            look = keypoint_model.looker(keypoint_model.load(choice["model"]))
            return partial(by_finds, look, keypoint_model.RESOLUTION, False, threshold)
    raise ValueError(problem(choice))


def detect(
    image: Tensor, choice: dict[str, Any], threshold: float
) -> tuple[list[Any], Tensor, dict[str, Any]]:
    """The pose of an IMAGE, one frame per picture, a preview IMAGE of it, and the people per picture.

    Raises ValueError for a picture or weights that cannot be used, RuntimeError without the library.
    """
    pictures = layouts.image_from_comfy(image)[:, :3]
    look = open_detector(choice, threshold)
    progress = comfy.utils.ProgressBar(len(pictures))
    pose, previews = [], []
    for picture in pictures.split(1):
        management.throw_exception_if_processing_interrupted()
        pose.append(look(picture))
        previews.append(preview(picture, pose[-1]))
        progress.update(1)
    counts = [len(frame.people) for frame in pose]
    if 0 in counts:
        empty = ", ".join(str(number) for number, count in enumerate(counts, 1) if not count)
        notice(f"Detect Pose: nobody was found in picture {empty} of {len(counts)}.")
    record = pose_record.write(pose, pose_record.Written.ALL)
    return record, layouts.image_to_comfy(torch.cat(previews)), {"people": counts}


def by_finds(
    look: Callable[[np.ndarray], list[Find]],
    resolution: int,
    enlarge: bool,
    threshold: float,
    picture: Tensor,
) -> Frame:
    """The frame of a picture (1,3,H,W) by a detector of bytes (H,W,3) at a resolution of the shorter side.

    `enlarge` says whether it wants small pictures enlarged to that.
    """
    size = layouts.size_of(picture)
    seen = decode.detection_size(size, resolution, enlarge)
    pixels = (resample(picture, seen)[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    finds = [decode.to_picture(find, seen, size) for find in look(np.ascontiguousarray(pixels))]
    return decode.frame(finds, size, threshold)


def preview(picture: Tensor, frame: Frame) -> Tensor:
    """The dimmed picture (1,3,H,W) with the skeletons of its frame on it."""
    size: Size = layouts.size_of(picture)
    width = max(1, round(drawing.STICK_WIDTH * min(size) / STICKS_AT))
    drawn = torch.from_numpy(drawing.draw(frame, width, feet=True)).to(picture.device)
    drawn = drawn.permute(2, 0, 1)[None].float() / 255
    return torch.where(drawn.amax(1, keepdim=True) > 0, drawn, picture * DIMMED)
