"""Train the nine-channel UNet, from the text-to-image one, to paint holes, with and without a pose."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...training import losses
from ..models import diffusion, networks, parts
from .control import controlled, skeletons
from .latents import latents
from .pictures import pictures
from .task import Places, Task, resume
from .text_to_image import Drawn, batches, frozen, noised


def started(config: dict[str, Any], places: Places) -> dict[str, nn.Module]:
    """The widened text-to-image UNet and, if poses take part, the ControlNet made from it."""
    narrow = networks.unet()
    parts.load(narrow, places.weights, "text_to_image")
    found: dict[str, nn.Module] = {"inpaint": networks.widened(narrow)}
    if config["posed_share"] > 0:
        found["openpose"] = networks.controlnet(narrow, config["seed"])
    return found


def task(config: dict[str, Any], places: Places) -> Task:
    """The networks, what is minimised (the hole counts more than what is given), and pictures with holes."""
    trained = started(config, places)
    notes = {name: resume(network, places, name) for name, network in trained.items()}
    unet, control = (
        trained["inpaint"].to(places.device),
        trained.get("openpose", nn.Identity()).to(places.device),
    )
    text = frozen(networks.text_encoder(), places, "text")
    source = pictures(places.cache, "train", config["pictures"])
    clean = latents(places, source, config["latents"], with_holes=False)
    holed = latents(places, source, config["latents"], with_holes=True)

    def loss(batch: Drawn) -> Tensor:
        assert batch.around is not None
        around = batch.around.to(places.device)
        x, steps, noise = noised(batch.clean.to(places.device))
        states = networks.text_states(text, batch.words.to(places.device))
        seen = torch.cat([x, around], 1)
        if float(torch.rand(())) < config["posed_share"]:
            hint = skeletons(source, batch.indices).to(places.device)
            predicted = controlled(unet, control, seen, hint, steps, states)
        else:
            predicted = unet(seen, steps.float(), states)
        weight = (config["known_weight"] + (1 - config["known_weight"]) * around[:, :1]).sqrt()
        return losses.noise(weight * predicted, weight * noise, diffusion.signal_to_noise(steps))

    seed = config["seed"] + notes["inpaint"].get("steps", 0)
    torch.manual_seed(seed)
    return Task(trained, loss, batches(source, clean, holed, config, seed), notes)
