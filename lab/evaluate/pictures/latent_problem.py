"""Pictures as a world of the contest: its samplers paint them with the small diffusion model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...toy.models import diffusion, networks
from ...toy.models.tokenizer import tokens
from ...toy.pipeline import Painter, nothing_around
from ...toy.tensors import stacked
from ..samplers.gaussian import EXPLODING, World
from .tasks import Task

GUIDANCE = 2.0
CALLS = 50


class Painted(World):
    """Latents B,4,h,w of several tasks of one size; each has noise of its own, whatever it is painted beside.

    `inpaint`: the network also sees mask and rest of the picture, as an inpaint model does.
    """

    path = EXPLODING

    def __init__(self, painter: Painter, tasks: Sequence[Task], inpaint: bool) -> None:
        self.painter, self.calls = painter, 0
        self.said = torch.empty(0)
        pictures = stacked([task.example.image for task in tasks])
        self.latent = networks.encode(painter.vae, pictures)
        self.mask = torch.from_numpy(np.stack([task.cells for task in tasks]))[:, None].float()
        self.generators = [torch.Generator().manual_seed(task.seed) for task in tasks]
        said = [*(task.words for task in tasks), *([""] * len(tasks))]
        self.states = networks.text_states(painter.text, tokens(said, painter.tokenizer))
        self.around = nothing_around(len(tasks), *self.latent.shape[2:])
        if inpaint:
            self.around = painter.rest(pictures, functional.interpolate(self.mask, scale_factor=8.0))
        kept = diffusion.alphas_bar()
        self.log_noise_to_signal = ((1 - kept) / kept).sqrt().log()

    def normal(self, *_where: object) -> Tensor:
        """Normal noise."""
        shape = self.latent.shape[1:]
        return torch.stack([torch.randn(shape, generator=generator) for generator in self.generators])

    def settled(self, x: Tensor) -> Tensor:
        """`x`: these are draws."""
        return x

    def model(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The clean latents that the network sees, guided by the words."""
        at = float(sigma[0])
        self.calls += 1
        step = (self.log_noise_to_signal - float(np.log(at))).abs().argmin().float()
        seen = torch.cat([x.float() / (1 + at**2) ** 0.5, self.around], 1).repeat(2, 1, 1, 1)
        velocity = self.painter.unet(seen, step.expand(len(seen)), self.states)
        clean = x.repeat(2, 1, 1, 1) / (1 + at**2) - velocity * (at / (1 + at**2) ** 0.5)
        self.said, nothing = clean.chunk(2)
        return nothing + GUIDANCE * (self.said - nothing)

    def unguided(self) -> Tensor:
        """The latest clean latents by the words alone."""
        return self.said


@torch.inference_mode()
def paint(
    painter: Painter, tasks: Sequence[Task], inpaint: bool, run: Callable[[Any], Tensor]
) -> tuple[list[np.ndarray], int]:
    """Pictures H,W,3 uint8 with all that was given as it was, and how often the model was asked."""
    world = Painted(painter, tasks, inpaint)
    pixels = painter.pixels(run(world).float())
    painted = [
        np.where(task.hole[..., None], image, task.example.image)
        for task, image in zip(tasks, pixels, strict=True)
    ]
    return painted, world.calls
