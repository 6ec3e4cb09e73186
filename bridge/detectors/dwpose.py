"""DWPose by rtmlib on onnxruntime, from local ONNX files: a box per person, then 133 points in each box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import comfy.model_management as management
import numpy as np

from ...core.pose import openpose
from ...core.pose.decode import Find
from ..models import folders, libraries

CATEGORY = "dwpose"
BOXES, POINTS = "yolox_l.onnx", "dw-ll_ucoco_384.onnx"
FILES = [BOXES, POINTS]
PUBLISHED = "https://huggingface.co/yzd-v/DWPose"
PACKAGES = "rtmlib onnxruntime"
BOXES_SIZE = (640, 640)  # height, width
POINTS_SIZE = (288, 384)  # width, height
PERSON = 0  # among the detector's 80 kinds of things
MEMORY = 2**30  # bytes on a GPU for both networks

Shape = tuple[int, ...]


class Models(NamedTuple):
    """rtmlib's two tools."""

    boxes: Any
    points: Any


def problem() -> str | None:
    """One sentence on which ONNX files are missing and where they are published, or None."""
    missing = [name for name in FILES if folders.find(CATEGORY, name) is None]
    if not missing:
        return None
    return (
        f"DWPose needs {' and '.join(missing)} in {folders.roots(CATEGORY)[0]}; download from {PUBLISHED} "
        "into that folder."
    )


def load(person_score: float) -> Models:
    """Both networks from the local files.

    Raises RuntimeError without the libraries, ValueError for a missing or unfit file.
    """
    if trouble := problem():
        raise ValueError(trouble)
    runtime = libraries.require("onnxruntime", "DWPose", PACKAGES)
    library = libraries.require("rtmlib", "DWPose", PACKAGES)
    device = processor(runtime)
    if device != "cpu":
        management.free_memory(MEMORY, management.get_torch_device())
    # Without "multiclass" it takes animals and chairs for people.
    boxes = opened(library.YOLOX, BOXES, BOXES_SIZE, device, det_mode="multiclass", score_thr=person_score)
    points = opened(library.RTMPose, POINTS, POINTS_SIZE, device)
    width, height = POINTS_SIZE
    check(boxes, BOXES, (3, *BOXES_SIZE), [(8400, 85)])
    check(points, POINTS, (3, height, width), [(133, 2 * width), (133, 2 * height)])
    return Models(boxes, points)


def processor(runtime: Any) -> str:
    """rtmlib's name for where onnxruntime computes: ComfyUI's GPU if it can, else the processor."""
    cuda = "CUDAExecutionProvider" in runtime.get_available_providers()
    return "cuda" if cuda and management.get_torch_device().type == "cuda" else "cpu"


def opened(tool: Any, name: str, size: Shape, device: str, **more: Any) -> Any:
    """One of rtmlib's tools on a local file, which exists, so that nothing is downloaded."""
    path = folders.find(CATEGORY, name)
    assert path is not None
    try:
        return tool(str(path), model_input_size=size, backend="onnxruntime", device=device, **more)
    except Exception as error:  # onnxruntime raises nothing more special.
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path} is damaged or no ONNX network ({reason}); download it from {PUBLISHED}."
        ) from error


def check(tool: Any, name: str, given: Shape, returned: list[Shape]) -> None:
    """ValueError unless the network takes and returns arrays of these shapes, behind the batch's axis."""
    session = tool.session
    shapes = [tuple(entry.shape[1:]) for entry in (*session.get_inputs(), *session.get_outputs())]
    wanted = [given, *returned]
    if len(shapes) != len(wanted) or not all(map(fits, shapes, wanted)):
        raise ValueError(
            f"{name} must be the network published under this name, with the shapes {wanted}, but has "
            f"{shapes}; download it from {PUBLISHED}."
        )


def fits(shape: tuple[Any, ...], wanted: Shape) -> bool:
    """Whether a stated shape is the one wanted; what it leaves open fits everything."""
    return len(shape) == len(wanted) and all(
        side == want or not isinstance(side, int) for side, want in zip(shape, wanted, strict=True)
    )


def looker(models: Models, threshold: float) -> Callable[[np.ndarray], list[Find]]:
    """What finds the people in an RGB picture (H,W,3 uint8)."""

    def look(picture: np.ndarray) -> list[Find]:
        # The boxes' network learnt from BGR, the points' network from RGB.
        boxes, kinds = models.boxes(np.ascontiguousarray(picture[:, :, ::-1]))
        found = []
        for box in boxes[kinds == PERSON] if len(boxes) else ():
            management.throw_exception_if_processing_interrupted()
            points, scores = models.points(picture, bboxes=[box])
            measured = np.concatenate([points[0], scores[0][:, None]], axis=1)
            found.append(openpose.from_wholebody(measured, threshold))
        return found

    return look
