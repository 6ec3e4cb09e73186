"""Train the UNet and the text encoder together to draw what a caption says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...training import losses
from ..models import diffusion, networks, parts
from . import prompts
from .latents import Latents, by_height, latents
from .pictures import Pictures, pictures
from .task import Places, Task, resume


class Drawn(NamedTuple):
    """Which pictures, their latents B,4,h,w and prompts B,77, and mask and rest of the picture if any."""

    indices: np.ndarray
    clean: Tensor
    words: Tensor
    around: Tensor | None


def batches(
    source: Pictures, clean: Latents, around: Latents | None, config: dict[str, Any], seed: int
) -> Iterator[Drawn]:
    """Endless batches of pictures of one height each."""
    random, tokenizer = np.random.default_rng(seed), prompts.Tokenizer()
    for indices in by_height(clean.heights, config["batch"], seed):
        texts = [prompts.prompt(source.captions[index], random, config["dropped"]) for index in indices]
        words = prompts.tokens(texts, tokenizer)
        yield Drawn(indices, clean.batch(indices), words, around.batch(indices) if around else None)


def noised(clean: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Latents at random steps, their steps and the noise in them."""
    steps = torch.randint(diffusion.STEPS, (clean.shape[0],), device=clean.device)
    noise = torch.randn_like(clean)
    return diffusion.noised(clean, noise, steps), steps, noise


def task(config: dict[str, Any], places: Places) -> Task:
    """UNet and text encoder, what is minimised, and the pictures."""
    unet, text = networks.unet(seed=config["seed"]), networks.text_encoder(config["seed"] + 1)
    notes = {"text_to_image": resume(unet, places, "text_to_image"), "text": resume(text, places, "text")}
    trained: dict[str, nn.Module] = {"text_to_image": unet.to(places.device)}
    text.to(places.device).requires_grad_(config["text_too"])
    if config["text_too"]:
        trained["text"] = text

    def loss(batch: Drawn) -> Tensor:
        x, steps, noise = noised(batch.clean.to(places.device))
        states = networks.text_states(text, batch.words.to(places.device))
        predicted = unet(x, steps.float(), states)
        return losses.noise(predicted, noise, diffusion.signal_to_noise(steps))

    source = pictures(places.cache, "train", config["pictures"])
    clean = latents(places, source, config["latents"], with_holes=False)
    seed = config["seed"] + notes["text_to_image"].get("steps", 0)
    torch.manual_seed(seed)
    return Task(trained, loss, batches(source, clean, None, config, seed), notes)


def frozen(network: nn.Module, places: Places, name: str) -> nn.Module:
    """A network with its part's weights that training leaves alone."""
    parts.load(network, places.weights, name)
    return network.to(places.device).requires_grad_(False).eval()
