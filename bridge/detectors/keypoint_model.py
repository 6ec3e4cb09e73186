"""Small keypoint models of one person, from safetensors files of models/keypoint_models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import comfy.model_management as management
import numpy as np
from comfy.model_patcher import ModelPatcher

from ...core.pose import eye
from ...core.pose.decode import Find
from ..choices import KEYPOINT_MODELS as CATEGORY
from ..models import folders, weights

RESOLUTION = eye.WIDTH  # the network sees pictures about as small as it learnt from
MEMORY = 2**27  # bytes beside the weights


def path(name: str) -> Path:
    """The file of that name; ValueError saying where it belongs if there is none."""
    found = folders.find(CATEGORY, Path(name).name)
    if found is None:
        raise ValueError(
            f"The keypoint model {name} is not in {folders.roots(CATEGORY)[0]}; put its file there or "
            "choose another detector."
        )
    return found


def load(name: str) -> ModelPatcher:
    """The network with that file's weights, on the device it computes on; ValueError for an unfit file."""
    file, network = path(name), eye.eye()
    state, own = weights.read(file), network.state_dict()
    unfit = sorted(state.keys() ^ own.keys())
    unfit += [key for key in own if key in state and state[key].shape != own[key].shape]
    if unfit:
        raise ValueError(f"{file} holds another kind of network (at {unfit[0]}); choose a keypoint model.")
    network.load_state_dict({key: value.to(own[key].dtype) for key, value in state.items()})
    return weights.place(network.eval(), MEMORY, weights.devices_for_pictures())


def looker(patcher: ModelPatcher) -> Callable[[np.ndarray], list[Find]]:
    """What finds the person in an RGB picture (H,W,3 uint8)."""

    def look(picture: np.ndarray) -> list[Find]:
        management.throw_exception_if_processing_interrupted()
        return eye.look(patcher.model.inner, picture)

    return look
