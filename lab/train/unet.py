"""Train one UNet to paint from words and to paint holes, and the ControlNet along with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...training import losses
from ..toy.control import controlled
from ..toy.models import attention, diffusion, networks
from .latent_cache import Batch, cached_latents
from .places import Places, frozen, resume
from .task import Task


class Masses:
    """Attention written out, which keeps how much of each picture's cross-attention lies on some places."""

    def __init__(self, places: Tensor) -> None:
        self.places, self.found = places, []

    def override(self, _: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, **others: Any) -> Tensor:
        """As `optimized_attention_override` of transformer options."""
        weights = attention.probabilities(q, k, heads, others.get("mask"))
        if k.shape[1] == self.places.shape[1]:
            there = self.places[: len(k), None, None].to(weights.dtype)
            self.found.append((weights * there).sum(-1).float().mean((1, 2)))
        return attention.applied(weights, v)

    def mean(self, rows: Tensor) -> Tensor:
        """The mean over layers and over those pictures (bool B) that a layer has seen."""
        means = [
            (mass * rows[: len(mass)]).sum() / rows[: len(mass)].sum().clamp(min=1) for mass in self.found
        ]
        return torch.stack(means).mean()


def error(config: dict[str, Any], text: nn.Module, unet: nn.Module, control: nn.Module) -> Any:
    """What is minimised: the velocity's error, where a picture is given less than in its hole, and the
    attention on places of the prompt that say nothing."""

    def loss(batch: Batch) -> Tensor:
        device = batch.clean.device
        steps = torch.randint(diffusion.STEPS, (batch.clean.shape[0],), device=device)
        noise = torch.randn_like(batch.clean)
        x = torch.cat([diffusion.noised(batch.clean, noise, steps), batch.inpaint_cond], 1)
        masses = Masses(batch.nothing)
        options = {"optimized_attention_override": masses.override}
        with torch.autocast(device.type, torch.bfloat16, config["bfloat16"], cache_enabled=False):
            states = networks.text_states(text, batch.words)
            if len(batch.hints):
                predicted = controlled(unet, control, x, batch.hints, steps, states, options)
            else:
                predicted = unet(x, steps.float(), states, transformer_options=options)
        given = (batch.inpaint_cond[:, 1:] != 0).any(1, keepdim=True) & (batch.inpaint_cond[:, :1] == 0)
        weights = 1 - (1 - config["known_weight"]) * given.float()
        true = diffusion.velocity(batch.clean, noise, steps)
        wrong = losses.velocity(predicted.float(), true, diffusion.signal_to_noise(steps), weights)
        return wrong + config["nothing_weight"] * masses.mean(~batch.nothing.all(1))

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
    seed = config["seed"] + notes["unet"].get("steps", 0)
    torch.manual_seed(seed)
    made = cached_latents(places, config).batches(config, seed)
    return Task(trained, error(config, text, unet, control), made, notes=notes)
