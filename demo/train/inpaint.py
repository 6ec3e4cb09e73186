"""Train the nine-channel UNet, from the text-to-image one, to paint holes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...training import losses
from ..models import diffusion, networks, parts
from .latents import latents
from .pictures import pictures
from .task import Places, Task, resume
from .text_to_image import Drawn, batches, frozen, noised


def start(places: Places) -> torch.nn.Module:
    """The text-to-image UNet with five further input channels."""
    narrow = networks.unet()
    parts.load(narrow, places.weights, "text_to_image")
    return networks.widened(narrow)


def task(config: dict[str, Any], places: Places) -> Task:
    """The UNet, what is minimised (the hole counts more than what is given), and pictures with holes."""
    unet = start(places)
    notes = resume(unet, places, "inpaint")
    unet.to(places.device)
    text = frozen(networks.text_encoder(), places, "text")

    def loss(batch: Drawn) -> Tensor:
        assert batch.around is not None
        around = batch.around.to(places.device)
        x, steps, noise = noised(batch.clean.to(places.device))
        states = networks.text_states(text, batch.words.to(places.device))
        predicted = unet(torch.cat([x, around], 1), steps.float(), states)
        weight = (config["known_weight"] + (1 - config["known_weight"]) * around[:, :1]).sqrt()
        return losses.noise(weight * predicted, weight * noise, diffusion.signal_to_noise(steps))

    source = pictures(places.cache, "train", config["pictures"])
    clean = latents(places, source, config["latents"], with_holes=False)
    around = latents(places, source, config["latents"], with_holes=True)
    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    return Task({"inpaint": unet}, loss, batches(source, clean, around, config, seed), notes)
