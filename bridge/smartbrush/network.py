"""SmartBrush's network: Stable Diffusion 1's with a mask as fifth input, a predicted mask as fifth output and
an embedding of the mask's precision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.model_base import BaseModel, ModelType
from torch import Tensor

from ...core.smartbrush.noising import shown
from ...core.smartbrush.precision import LEVELS

BRUSH = "recompose_smartbrush"  # in the transformer options: the Brush of a call
LATENT = 4  # channels of Stable Diffusion's latents
CHANNELS = LATENT + 1  # of the network's input and of its output
POSITIVE = 0  # ComfyUI's number for what is wanted, in `cond_or_uncond`


@dataclass
class Brush:
    """What a call paints where: cells B,1,h,w to be painted now, those of the mask as it was given, the clean
    latent B,4,h,w in the model's scale, and the precision of each row. Predicted logits are left in it."""

    painted: Tensor
    mask: Tensor
    clean: Tensor
    precision: Tensor  # B, whole numbers
    logits: list[Tensor] = field(default_factory=list)

    def over(self, values: Tensor, x: Tensor) -> Tensor:
        """Values of the rows for a batch of several chunks of them; ValueError for a part of the picture."""
        if values.ndim == x.ndim and values.shape[-2:] != x.shape[-2:]:
            raise ValueError(
                "SmartBrush Sampler paints whole pictures, and a conditioning names an area; remove the area "
                "and give each thing a mask."
            )
        return values.to(x.device).repeat(len(x) // len(values), *[1] * (values.ndim - 1))

    def keep(self, logits: Tensor, chunks: list[int]) -> None:
        """Keep the logits of what is wanted; guidance is on the noise alone."""
        for number, part in zip(chunks, logits.chunk(len(chunks)), strict=True):
            if number == POSITIVE:
                self.logits.append(part)

    def logit(self) -> Tensor:
        """The logits of the mask, the mean where several prompts are wanted at once."""
        return torch.stack(self.logits).mean(0)


class SmartBrushNetwork(UNetModel):
    """A UNet that other nodes see with four channels. Without a Brush it makes pictures from words alone."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.precision_embedding = named["operations"].Embedding(
            LEVELS, 4 * named["model_channels"], dtype=named.get("dtype"), device=named.get("device")
        )

    def _forward(self, x: Tensor, timesteps: Any = None, context: Any = None, y: Any = None,
                 control: Any = None, transformer_options: Any = None, **more: Any) -> Tensor:  # fmt: skip
        options = transformer_options or {}
        brush = options.get(BRUSH)
        if brush is None:
            whole = torch.ones_like(x[:, :1])
            brush = Brush(whole, whole, torch.zeros_like(x), torch.zeros(len(x), dtype=torch.long))
        painted, clean, mask = (
            brush.over(each, x).to(x) for each in (brush.painted, brush.clean, brush.mask)
        )
        five = torch.cat([shown(x, clean, painted), mask], 1)
        level = brush.over(brush.precision, x)

        def add_precision(embedded: Tensor, _width: int, _options: Any) -> Tensor:
            return embedded + self.precision_embedding(level, out_dtype=embedded.dtype)

        patches = options.get("patches", {})
        patched = {**patches, "emb_patch": [*patches.get("emb_patch", []), add_precision]}
        made = super()._forward(five, timesteps, context, y, control, {**options, "patches": patched}, **more)
        brush.keep(made[:, LATENT:], options.get("cond_or_uncond", [POSITIVE]))
        return made[:, :LATENT]


class SmartBrushModel(BaseModel):
    """ComfyUI's model of SD1 around that network."""

    def __init__(self, config: Any, model_type: ModelType, device: Any = None) -> None:
        super().__init__(config, model_type, device, unet_model=SmartBrushNetwork)
