"""BlazePose's files as the pack brings them, LiteRT to compare with, and a photograph of a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.core.pose.blazepose import find, tflite
from recompose.core.pose.blazepose.find import Finder

FOLDER = Path(__file__).parents[4] / "models" / "blazepose"
DETECTOR, LANDMARKS = FOLDER / "pose_detection.tflite", FOLDER / "pose_landmark_full.tflite"
FILES = [DETECTOR, LANDMARKS]


@pytest.fixture(scope="session")
def litert() -> Iterator[Callable[[bytes], Any]]:
    """LiteRT's interpreter for a file's bytes, by its plain kernels, every tensor kept."""
    overlay = os.environ.get("RECOMPOSE_OVERLAY_LITERT", "")
    assert overlay, "RECOMPOSE_OVERLAY_LITERT is not set; `python3 cli test` sets it."
    sys.path.append(overlay)
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    def opened(data: bytes) -> Any:
        made = Interpreter(
            model_content=data,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        made.allocate_tensors()
        return made

    yield opened
    sys.path.remove(overlay)


@pytest.fixture(scope="session")
def graphs() -> dict[Path, tflite.Graph]:
    return {path: tflite.read(path) for path in FILES}


@pytest.fixture(scope="session")
def finder() -> Finder:
    return find.open_finder(DETECTOR, LANDMARKS)


@pytest.fixture(scope="session")
def astronaut() -> torch.Tensor:
    """Eileen Collins (NASA, public domain) as scikit-image brings her, 1,3,512,512."""
    overlay = os.environ.get("RECOMPOSE_OVERLAY_CONTROLNET_AUX")
    assert overlay, "RECOMPOSE_OVERLAY_CONTROLNET_AUX is not set; `python3 cli test` sets it."
    with Image.open(Path(overlay) / "skimage" / "data" / "astronaut.png") as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float() / 255
