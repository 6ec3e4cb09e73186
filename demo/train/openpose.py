"""Train the ControlNet on drawn skeletons, in front of both UNets, which stay as they are."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from ...training import losses
from ..models import diffusion, networks
from .control import controlled, skeletons
from .latents import latents
from .pictures import pictures
from .task import Places, Task, resume
from .text_to_image import Drawn, batches, frozen, noised


def task(config: dict[str, Any], places: Places) -> Task:
    """The ControlNet, what is minimised (on the inpaint and the other UNet by turns), and pictures."""
    plain = frozen(networks.unet(), places, "text_to_image")
    inpaint = frozen(networks.unet(networks.INPAINT_CHANNELS), places, "inpaint")
    text = frozen(networks.text_encoder(), places, "text")
    control = networks.controlnet(plain, config["seed"]).requires_grad_(True)
    notes = resume(control, places, "openpose")
    control.to(places.device)
    source = pictures(places.cache, "train", config["pictures"])
    clean = latents(places, source, config["latents"], with_holes=False)
    holed = latents(places, source, config["latents"], with_holes=True)
    turns = itertools.cycle((inpaint, plain))

    def loss(batch: Drawn) -> Tensor:
        assert batch.around is not None
        unet, around = next(turns), batch.around.to(places.device)
        x, steps, noise = noised(batch.clean.to(places.device))
        states = networks.text_states(text, batch.words.to(places.device))
        hint = skeletons(source, batch.indices).to(places.device)
        seen = torch.cat([x, around], 1) if unet is inpaint else x
        predicted = controlled(unet, control, seen, hint, steps, states)
        return losses.noise(predicted, noise, diffusion.signal_to_noise(steps))

    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    return Task({"openpose": control}, loss, batches(source, clean, holed, config, seed), {"openpose": notes})
