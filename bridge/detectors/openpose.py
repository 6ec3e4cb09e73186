"""OpenPose's body, hand and face networks by controlnet_aux, from local files, under ComfyUI's management."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import comfy.model_management as management
import numpy as np
import torch
from torch import nn

from ...core.pose import skeleton
from ...core.pose.decode import Find
from ..models import folders, libraries, weights

CATEGORY = "openpose"
BODY, HANDS, FACE = "body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"
PUBLISHED = "https://huggingface.co/lllyasviel/Annotators"
PACKAGES = "controlnet_aux==0.0.10 matplotlib scikit-image"
MEMORY = 600 * 2**20  # bytes: the first layers on the largest picture of a hand, 736 pixels square
FACE_LEAST = 0.05  # as in the library
HAND_GRID, FACE_CELLS = 128, 48  # the library's maps of a hand, and the cells of a face's

Networks = dict[str, nn.Module]


def files(hands: bool, face: bool) -> list[str]:
    """The names of the weight files that are needed."""
    return [BODY, *([HANDS] if hands else []), *([FACE] if face else [])]


def problem(names: list[str]) -> str | None:
    """One sentence on which weight files are missing and where they are published, or None."""
    missing = [name for name in names if folders.find(CATEGORY, name) is None]
    if not missing:
        return None
    return (
        f"OpenPose needs {', '.join(missing)} in {folders.roots(CATEGORY)[0]}; download from {PUBLISHED} "
        "into that folder (for non-commercial use only)."
    )


def library() -> Any:
    """controlnet_aux's OpenPose package; RuntimeError where it is not installed."""
    return libraries.require("controlnet_aux.open_pose", "OpenPose", PACKAGES)


def load(hands: bool, face: bool) -> Networks:
    """The networks by file name, with the weights of the local files.

    Raises RuntimeError without the library, ValueError for a missing or unfit file.
    """
    if trouble := problem(files(hands, face)):
        raise ValueError(trouble)
    library()
    kinds = {
        BODY: ("model", "bodypose_model"),
        HANDS: ("model", "handpose_model"),
        FACE: ("face", "FaceNet"),
    }
    made = {}
    for name in files(hands, face):
        module, kind = kinds[name]
        source = libraries.require(f"controlnet_aux.open_pose.{module}", "OpenPose", PACKAGES)
        with torch.device("meta"):
            network = getattr(source, kind)()
        made[name] = filled(network, folders.find(CATEGORY, name) or Path(name))
    return made


def filled(network: nn.Module, path: Path) -> nn.Module:
    """The network with the weights in `path`, whose names may lack the network's own outermost part."""
    state = weights.read(path)
    names = {name: name if name in state else name.partition(".")[2] for name in network.state_dict()}
    try:
        network.load_state_dict({own: state[name].float() for own, name in names.items()}, assign=True)
    except (KeyError, RuntimeError) as error:
        raise ValueError(
            f"{path} does not hold the weights that belong under this name; download it from {PUBLISHED}."
        ) from error
    return network.eval().requires_grad_(False)


def looker(networks: Networks) -> Callable[[np.ndarray], list[Find]]:
    """What finds the people in an RGB picture (H,W,3 uint8) with these networks, on ComfyUI's device."""
    module = nn.ModuleList(networks.values())
    patcher = weights.place(module, MEMORY, weights.devices_for_pictures())
    detector = assembled(networks)

    def look(picture: np.ndarray) -> list[Find]:
        assert patcher.load_device == next(module.parameters()).device
        return people(detector, np.ascontiguousarray(picture[:, :, ::-1]))

    return look


def assembled(networks: Networks) -> Any:
    """The library's detector around networks that exist; its own constructors read files in their way."""
    package = library()
    parts = []
    for kind, name in (("body.Body", BODY), ("hand.Hand", HANDS), ("face.Face", FACE)):
        module, kind = kind.split(".")
        made = object.__new__(getattr(getattr(package, module), kind))
        made.model = networks.get(name)
        parts.append(made if name in networks else None)
    return package.OpenposeDetector(*parts)


def people(detector: Any, picture: np.ndarray) -> list[Find]:
    """The people the library's detector finds in a BGR picture (H,W,3 uint8)."""
    found = []
    for body in detector.body_estimation.format_body_result(*detector.body_estimation(picture)):
        management.throw_exception_if_processing_interrupted()
        find = {skeleton.BODY_KEY: body_points(body)}
        if detector.hand_estimation is not None:
            find |= hands(detector, body, picture)
        if detector.face_estimation is not None:
            find |= face(detector, body, picture)
        found.append(find)
    return found


def body_points(body: Any) -> np.ndarray:
    """The 18 points of a body, 18,3, absent ones zero."""
    return np.array(
        [(0, 0, 0) if one is None else (one.x, one.y, one.score) for one in body.keypoints], float
    )


def hands(detector: Any, body: Any, picture: np.ndarray) -> Find:
    """The hands of a body; the library tells no scores, so what it found has 1."""
    found = {}
    for left, top, side, is_left in tools().handDetect(body, picture):
        peaks = detector.hand_estimation(picture[top : top + side, left : left + side])
        at = on_grid(peaks, side) + np.array([left, top])
        key = skeleton.HAND_LEFT_KEY if is_left else skeleton.HAND_RIGHT_KEY
        found[key] = np.where(peaks.any(axis=1, keepdims=True), np.insert(at, 2, 1, axis=1), 0.0)
    return found


def on_grid(peaks: np.ndarray, side: int) -> np.ndarray:
    """The pixel centres that peaks of a hand mean, N,2, in its square of `side` pixels.

    The library looks for them on a grid of 128 rows and cuts row · side / 128 to whole pixels; this is the
    middle of the rows that give the same.
    """
    first = np.ceil(peaks * HAND_GRID / side)
    last = np.ceil((peaks + 1) * HAND_GRID / side) - 1
    return ((first + last) / 2 + 0.5) * side / HAND_GRID - 0.5


def face(detector: Any, body: Any, picture: np.ndarray) -> Find:
    """The 70 points of a body's face with their scores; nothing where the library sees no face.

    The library's own list of peaks leaves absent points out, after which nobody knows which are which, and it
    spreads the outermost cells of the maps to the very edge, which is half a cell too far. A map's peak is
    always a cell.
    """
    box = tools().faceDetect(body, picture)
    if box is None:
        return {}
    left, top, side = box
    maps = detector.face_estimation(picture[top : top + side, left : left + side])[: skeleton.FACE_POINTS]
    y, x = np.unravel_index(maps.reshape(len(maps), -1).argmax(axis=1), maps.shape[1:])
    scores = maps[np.arange(len(maps)), y, x]
    cells = np.round(np.stack([x, y], axis=1) * (FACE_CELLS - 1) / (side - 1))
    at = (cells + 0.5) * side / FACE_CELLS - 0.5 + np.array([left, top])
    points = np.insert(at, 2, scores, axis=1)
    return {skeleton.FACE_KEY: np.where(scores[:, None] > FACE_LEAST, points, 0.0)}


def tools() -> Any:
    """The library's helpers, which say where a body's hands and face must be."""
    return libraries.require("controlnet_aux.open_pose.util", "OpenPose", PACKAGES)
