"""Train the ControlNet on drawn skeletons, in front of the UNet, which stays as it is."""

from __future__ import annotations

from typing import Any

import torch

from ..toy.models import networks
from .latent_cache import cached_latents
from .places import Places, frozen, resume
from .task import Task
from .teacher import Student
from .unet import error


def task(config: dict[str, Any], places: Places) -> Task:
    """The ControlNet, the UNet's error with it, and pictures with skeletons, with and without holes."""
    unet = frozen(networks.inpaint_unet(), places, "unet")
    text = frozen(networks.text_encoder(), places, "text")
    control = networks.controlnet(unet, config["seed"]).requires_grad_(True)
    notes = resume(control, places, "openpose")
    control.to(places.device)
    found = cached_latents(places, config)
    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    loss = error(config, Student(text, unet, control))
    return Task({"openpose": control}, loss, found.batches(config, seed), notes={"openpose": notes})
