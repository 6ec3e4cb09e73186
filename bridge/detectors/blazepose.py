"""BlazePose in plain torch, from the files that come with the pack or larger ones of models/blazepose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import comfy.model_management as management
from comfy.model_patcher import ModelPatcher
from torch import Tensor, nn

from ...core.pose.blazepose import find
from ...core.pose.blazepose.find import Finder
from ...core.pose.choices import NETWORKS, landmarks_file
from ...core.pose.person import Frame
from ..choices import LARGEST
from ..models import folders, weights

CATEGORY = "blazepose"
SHIPPED = Path(__file__).parents[2] / "models" / CATEGORY
DETECTOR = "pose_detection.tflite"
COMMAND = "python3 cli models blazepose"
MEMORY = 2**28  # bytes beside the weights


def path(name: str) -> Path | None:
    """The file of that name in models/blazepose, else the pack's own, None without either."""
    shipped = SHIPPED / name
    return folders.find(CATEGORY, name) or (shipped if shipped.is_file() else None)


def chosen(network: str | None) -> str | None:
    """The network asked for, or of those whose file is there the largest, None where there is none."""
    if network in NETWORKS:
        return network
    return next((each for each in NETWORKS if path(landmarks_file(each))), None)


def files(network: str | None) -> list[Path | None]:
    """The detector's and the landmarks network's files, None for a missing one."""
    name = chosen(network)
    return [path(DETECTOR), path(landmarks_file(name)) if name else None]


def problem(network: str | None) -> str | None:
    """One sentence on which file is missing and how to get it, or None."""
    wanted = [DETECTOR, landmarks_file(chosen(network) or NETWORKS[-1])]
    missing = [name for name, file in zip(wanted, files(network), strict=True) if file is None]
    if not missing:
        return None
    return (
        f"BlazePose needs {' and '.join(missing)} in {folders.roots(CATEGORY)[0]}; bring them there with "
        f"{COMMAND} in the pack's folder, or choose the network {LARGEST}."
    )


def load(network: str | None) -> Finder:
    """Both networks under ComfyUI's memory management; ValueError for missing, damaged or unfit files."""
    if trouble := problem(network):
        raise ValueError(trouble)
    detecting, landmarking = files(network)
    assert detecting is not None and landmarking is not None
    both = nn.ModuleList([find.detector(detecting), find.landmarker(landmarking)]).eval()
    patcher = weights.place(both, MEMORY, weights.devices_for_pictures())
    return Finder(_interruptible(patcher, 0), _interruptible(patcher, 1), patcher.load_device)


def _interruptible(patcher: ModelPatcher, number: int) -> find.Run:
    """The run of one of the patcher's networks, which ComfyUI can stop."""

    def run(pictures: Tensor) -> tuple[Tensor, ...]:
        management.throw_exception_if_processing_interrupted()
        return patcher.model.inner[number](pictures)

    return run


def looker(finder: Finder, threshold: float, person_score: float) -> Callable[[Tensor], Frame]:
    """What finds the people in a picture (1,3,H,W)."""
    return lambda picture: find.frame(picture, finder, threshold, person_score)
