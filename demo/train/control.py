"""Drawn skeletons and how they steer a UNet."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from ...core.pose import draw
from .pictures import WIDTH, Pictures, stacked

STICK_WIDTH = 2  # half of controlnet_aux's 4: a person here is about a quarter as large as at 512


def skeleton(points: np.ndarray, height: int) -> np.ndarray:
    """The control picture H,128,3 uint8 of one person's points 24,3."""
    person = {"pose_keypoints_2d": points[:18].ravel().tolist()}
    frame = {"canvas_width": WIDTH, "canvas_height": height, "people": [person]}
    return draw.draw(frame, stick_width=STICK_WIDTH)


def skeletons(source: Pictures, indices: np.ndarray) -> Tensor:
    """Control pictures B,3,H,128 in 0…1."""
    drawn = [skeleton(source.poses[index], int(source.heights[index])) for index in indices]
    return stacked(drawn)


def controlled(
    unet: nn.Module, control: nn.Module, x: Tensor, hint: Tensor, steps: Tensor, states: Tensor
) -> Tensor:
    """Noise predicted with the ControlNet's residuals where ComfyUI adds them; x may have nine channels.

    ComfyUI adds them in place, which has no gradient; its patches at the same seams can add them anew.
    """
    residuals = control(x=x[:, :4], hint=hint, timesteps=steps.float(), context=states)
    skips = iter(reversed(residuals["output"]))

    def middle(inputs: dict[str, Any]) -> dict[str, Tensor]:
        return {"h": inputs["h"] + residuals["middle"][0]}

    def output(h: Tensor, skip: Tensor, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
        return h, skip + next(skips)

    patches = {"middle_block_after_patch": [middle], "output_block_patch": [output]}
    return unet(x, steps.float(), states, transformer_options={"patches": patches})
