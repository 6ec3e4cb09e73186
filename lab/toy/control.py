"""Drawn skeletons and how they steer a UNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from ...core.pose import draw
from ...core.pose.person import Frame, from_rows
from ...core.shapes import Size
from .world.composition import WIDTH

STICK_WIDTH = 2  # half of controlnet_aux's 4: a person here is about a quarter as large as at 512


def skeleton(points: np.ndarray, height: int) -> np.ndarray:
    """The control picture H,128,3 uint8 of one person's points 24,3."""
    frame = Frame(Size(WIDTH, height), (from_rows(points[:18]),))
    return draw.draw(frame, stick_width=STICK_WIDTH)


def controlled(
    unet: nn.Module,
    control: nn.Module,
    x: Tensor,
    hint: Tensor,
    steps: Tensor,
    states: Tensor,
    options: Mapping[str, Any] | None = None,
) -> Tensor:
    """What the UNet predicts with the ControlNet's residuals where ComfyUI adds them; x has nine channels.

    Pictures beyond those of `hint` go without. ComfyUI adds the residuals in place, which has no gradient;
    its patches at the same seams can add them anew. `options` are transformer options for both networks.
    """
    count, options = hint.shape[0], dict(options or {})
    outputs, last = residuals(control, x[:count, :4], hint, steps[:count], states[:count], options)
    missing = (0, 0, 0, 0, 0, 0, 0, x.shape[0] - count)
    skips = iter([functional.pad(residual, missing) for residual in reversed(outputs)])

    def middle(inputs: dict[str, Any]) -> dict[str, Tensor]:
        return {"h": inputs["h"] + functional.pad(last, missing)}

    def output(h: Tensor, skip: Tensor, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
        return h, skip + next(skips)

    patches = {"middle_block_after_patch": [middle], "output_block_patch": [output]}
    return unet(x, steps.float(), states, transformer_options={**options, "patches": patches})


def residuals(
    control: Any, x: Tensor, hint: Tensor, steps: Tensor, states: Tensor, options: dict[str, Any]
) -> tuple[list[Tensor], Tensor]:
    """The ControlNet's outputs for the skips and for the middle; its own forward takes no options."""
    from comfy.ldm.modules.diffusionmodules.util import timestep_embedding

    emb = control.time_embed(timestep_embedding(steps.float(), control.model_channels).to(x.dtype))
    h, found = x, []
    for number, (block, zero) in enumerate(zip(control.input_blocks, control.zero_convs, strict=True)):
        h = block(h, emb, states, options)
        if number == 0:
            h = h + control.input_hint_block(hint, emb, states)
        found.append(zero(h, emb, states))
    h = control.middle_block(h, emb, states, options)
    return found, control.middle_block_out(h, emb, states)
