"""One run of SmartBrush: each thing by its own words, mask and precision, and the photo around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import comfy.samplers
import torch
from torch import Tensor

from ...core.attention.steps import step_of
from ...core.smartbrush.following import Following, Rules
from .network import BRUSH, Brush

FIRST = "positive"  # ComfyUI's name for the words of the first thing


@dataclass(frozen=True)
class Thing:
    """A thing by its conditioning, the cells (B,1,h,w; 0 or 1) of its mask, and the mask's precision."""

    words: Any
    cells: Tensor
    precision: int


def name_of(number: int) -> str:
    """What a thing's conditioning is called in a run."""
    return f"object {number}" if number else FIRST


class BrushGuider(comfy.samplers.CFGGuider):
    """ComfyUI's guidance for every thing by itself; the predictions are put over the clean photo."""

    def __init__(self, model: Any, things: Sequence[Thing], negative: Any, cfg: float, rules: Rules) -> None:
        super().__init__(model)
        self.things, self.rules = things, rules
        words = {name_of(number): thing.words for number, thing in enumerate(things)}
        self.inner_set_conds({**words, "negative": negative})
        self.set_cfg(cfg)
        self.following: list[Following] = []
        self.clean: Any = None
        self.sigmas: list[float] = []

    def painted(self) -> list[Tensor]:
        """The cells that are painted of each thing, those of later ones left out."""
        found, taken = [], torch.zeros_like(self.following[0].painted)
        for each in reversed(self.following):
            found.append(each.painted * (1 - taken))
            taken = torch.maximum(taken, each.painted)
        return found[::-1]

    def inner_sample(self, noise: Tensor, latent_image: Any, device: Any, sampler: Any, sigmas: Tensor,
                     *rest: Any, **named: Any) -> Tensor:  # fmt: skip
        """Noise in the masks alone; afterwards everything that was not painted is the photo to the bit."""
        clean = latent_image
        if torch.count_nonzero(latent_image) > 0:  # as ComfyUI does it
            clean = self.inner_model.process_latent_in(latent_image)
        self.clean, self.sigmas = clean, sigmas.tolist()
        steps = len(self.sigmas) - 1
        cells = [thing.cells.to(clean) for thing in self.things]
        self.following = [
            Following(mask, not thing.precision, steps, self.rules)
            for mask, thing in zip(cells, self.things, strict=True)
        ]
        anywhere = torch.stack(cells).amax(0)
        result = super().inner_sample(noise * anywhere, latent_image, device, sampler, sigmas, *rest, **named)
        painted = sum(self.painted()).to(result)  # pyright: ignore[reportAttributeAccessIssue]
        return torch.where(painted > 0, result, latent_image.to(result))

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: Any = None
    ) -> Tensor:
        """The clean latent: of each thing in its cells, of the photo in the others."""
        step = step_of(float(timestep.flatten()[0]), self.sigmas)
        predictions = [
            self.predict(number, x, timestep, step, model_options or {}) for number in range(len(self.things))
        ]
        found = self.clean.to(x)
        for painted, predicted in zip(self.painted(), predictions, strict=True):
            found = torch.where(painted > 0, predicted, found)
        return found

    def predict(self, number: int, x: Tensor, timestep: Tensor, step: int, options: dict[str, Any]) -> Tensor:
        """What the model makes of one thing, and where: the shape follows its prediction."""
        thing, following = self.things[number], self.following[number]
        levels = torch.full((len(x),), thing.precision, dtype=torch.long, device=x.device)
        brush = Brush(following.painted, following.given, self.clean.to(x), levels)
        transformer = {**options.get("transformer_options", {}), BRUSH: brush}
        made = comfy.samplers.sampling_function(
            self.inner_model, x, timestep, self.conds.get("negative"), self.conds[name_of(number)], self.cfg,
            model_options={**options, "transformer_options": transformer},
        )  # fmt: skip
        following.update(brush.logit(), step)
        return made
