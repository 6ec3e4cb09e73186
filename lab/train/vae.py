"""Train the autoencoder on square pieces of the world's pictures, or only the half that makes pictures.

What was trained on latents stays as it is while the encoder does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...training import losses
from ..toy.models import networks
from ..toy.tensors import stacked
from . import pictures
from .places import Places, resume
from .task import Task


def pieces(views: Sequence[pictures.Pictures], config: dict[str, Any], seed: int) -> Iterator[Tensor]:
    """Endless random squares B,3,size,size in 0…1, every second one around the person."""
    random, size = np.random.default_rng(seed), config["size"]
    while True:
        stack = []
        for _ in range(config["batch"]):
            source = views[int(random.random() < config["closer_share"])]
            stack.append(piece(source, int(random.integers(len(source))), size, random))
        yield stacked(stack)


def piece(source: pictures.Pictures, index: int, size: int, random: np.random.Generator) -> np.ndarray:
    """One square of a picture, uint8 size,size,3."""
    image, points = source.image(index), source.poses[index]
    height, width = image.shape[:2]
    x, y = random.integers(width - size + 1), random.integers(height - size + 1)
    seen = points[points[:, 2] > 0]
    if len(seen) and random.random() < 0.5:
        centre = seen[random.integers(len(seen)), :2] + random.normal(0, size / 6, 2)
        x, y = (int(np.clip(c - size / 2, 0, s - size)) for c, s in zip(centre, (width, height), strict=True))
    return image[y : y + size, x : x + size]


def task(config: dict[str, Any], places: Places) -> Task:
    """The autoencoder, its loss on pieces, and the pieces."""
    network = networks.autoencoder(config["seed"])
    notes = resume(network, places, "vae")
    network.to(places.device, memory_format=torch.channels_last).train()
    network.vae_scale.requires_grad_(False)
    network.vae_shift.requires_grad_(False)
    network.taesd_encoder.requires_grad_(config["encoder"])

    def loss(images: Tensor) -> Tensor:
        images = images.to(places.device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(places.device.type, torch.bfloat16, enabled=config["bfloat16"]):
            latents = networks.encode(network, images)
            rough = latents + config["latent_noise"] * torch.randn_like(latents)
            decoded = networks.decode(network, rough)
        total = losses.picture(decoded.float(), images, config["edge_weight"])
        return total + config["statistics_weight"] * losses.unit_statistics(latents.float())

    counts = zip(pictures.VIEWS, (config["pictures"], config["closer"]), strict=True)
    views = [pictures.pictures(places.cache, "train", count, view) for view, count in counts]
    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    return Task({"vae": network}, loss, pieces(views, config, seed), notes={"vae": notes})
