"""Train one UNet to paint from words and to paint holes, and the ControlNet along with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...training import losses
from ..toy.control import controlled
from ..toy.models import diffusion, networks
from .latent_cache import Batch, cached_latents
from .pictures import pictures
from .places import Places, frozen, resume
from .task import Task


def error(config: dict[str, Any], text: nn.Module, unet: nn.Module, control: nn.Module) -> Any:
    """What is minimised: the velocity's error, where a picture is given less than in its hole."""

    def loss(batch: Batch) -> Tensor:
        device = batch.clean.device
        steps = torch.randint(diffusion.STEPS, (batch.clean.shape[0],), device=device)
        noise = torch.randn_like(batch.clean)
        x = torch.cat([diffusion.noised(batch.clean, noise, steps), batch.inpaint_cond], 1)
        with torch.autocast(device.type, torch.bfloat16, config["bfloat16"], cache_enabled=False):
            states = networks.text_states(text, batch.words)
            if len(batch.hints):
                predicted = controlled(unet, control, x, batch.hints, steps, states)
            else:
                predicted = unet(x, steps.float(), states)
        given = (batch.inpaint_cond[:, 1:] != 0).any(1, keepdim=True) & (batch.inpaint_cond[:, :1] == 0)
        weights = 1 - (1 - config["known_weight"]) * given.float()
        true = diffusion.velocity(batch.clean, noise, steps)
        return losses.velocity(predicted.float(), true, diffusion.signal_to_noise(steps), weights)

    return loss


def task(config: dict[str, Any], places: Places) -> Task:
    """UNet and ControlNet, their error, and pictures with and without words, holes and skeletons."""
    text = frozen(networks.text_encoder(), places, "text")
    unet = networks.inpaint_unet(config["seed"])
    notes = {"unet": resume(unet, places, "unet")}
    control = networks.controlnet(unet, config["seed"] + 1)
    trained: dict[str, nn.Module] = {"unet": unet.to(places.device)}
    if config["posed_share"] > 0:
        notes["openpose"] = resume(control, places, "openpose")
        trained["openpose"] = control.to(places.device)
    found = cached_latents(places, pictures(places.cache, "train", config["pictures"]))
    seed = config["seed"] + notes["unet"].get("steps", 0)
    torch.manual_seed(seed)
    return Task(trained, error(config, text, unet, control), found.batches(config, seed), notes=notes)
