"""A contact sheet of a training: what the network is shown, and what it paints there at each saving."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import comfy.sample
import torch
from PIL import Image
from torch import Tensor

from ...core.exemplar.photo import GREY
from ...core.exemplar.reference import DEVIATION, MEAN
from ...core.exemplar.views import scaled
from .data import Examples
from .training import ExemplarTraining

COLUMNS, STEPS, GUIDANCE, SAMPLER, SCHEDULER = 4, 20, 5.0, "ddim", "normal"
VIEW = 0  # of each object


@dataclass
class Sheet:
    """Rows of pictures H,W,3: references, masked photos, then what was painted at a fixed seed."""

    training: ExemplarTraining
    examples: Examples
    rows: list[Tensor] = field(default_factory=list)

    @property
    def numbers(self) -> range:
        """The objects that are shown."""
        return range(min(COLUMNS, len(self.examples.objects)))

    def begin(self) -> None:
        """The first two rows."""
        side, seen = self.examples.side, [self.examples.shown(number, VIEW) for number in self.numbers]
        mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
        references = [scaled(each.reference * deviation + mean, side) for each in seen]
        photos = [torch.where(each.mask > 0, GREY, each.photo) for each in seen]
        for some in (references, photos):
            self.rows.append(torch.cat([each.movedim(0, -1) for each in some], 1))

    def add(self) -> None:
        """One more row: what the network paints now."""
        painted = [self.painted(number) for number in self.numbers]
        self.rows.append(torch.cat(painted, 1))

    def painted(self, number: int) -> Tensor:
        """An object's photo, painted anew."""
        training, one = self.training, self.examples.encoded(number, VIEW)
        with torch.no_grad():
            words = training.head(one.pooled[None].to(training.device)).cpu()
            null = training.head.null.detach().cpu()
        outside = training.inner.process_latent_out
        more = {"concat_latent_image": outside(one.masked[None]), "concat_mask": 1 - one.stays[None]}
        positive, negative = ([[each, dict(more)]] for each in (words, null))
        empty = torch.zeros_like(one.latent[None])
        noise: Any = comfy.sample.prepare_noise(empty, training.settings.seed + number)
        with torch.inference_mode():
            latent = comfy.sample.sample(
                training.patcher, noise, STEPS, GUIDANCE, SAMPLER, SCHEDULER, positive, negative, empty,
                disable_pbar=True, seed=training.settings.seed,
            )  # fmt: skip
            return training.vae.decode(latent)[0, ..., :3].float().cpu()

    def picture(self) -> Tensor:
        """All rows as one IMAGE, 1,H,W,3."""
        return torch.cat(self.rows)[None].clamp(0, 1)

    def preview(self) -> tuple[str, Image.Image, int]:
        """The last row, as ComfyUI shows a preview."""
        pixels = (self.rows[-1].clamp(0, 1) * 255).round().byte().numpy()
        return ("JPEG", Image.fromarray(pixels), max(pixels.shape[:2]))
