"""The pictures as the UNet sees them, encoded once per autoencoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..models import networks, parts
from . import holes
from .pictures import WIDTH, Pictures
from .task import Places

COLUMNS = WIDTH // 8
BATCH = 16
HOLE_SEED = 11


@dataclass(frozen=True)
class Latents:
    """Flat fp16 rows of 4 (or, with holes, 5: the mask first) channels, and where each picture's begin."""

    values: np.ndarray
    heights: np.ndarray
    starts: np.ndarray
    channels: int

    def __len__(self) -> int:
        return len(self.heights)

    def batch(self, indices: np.ndarray) -> Tensor:
        """Latents B,C,h,16 of pictures of one height."""
        rows = int(self.heights[indices[0]]) // 8
        size = self.channels * rows * COLUMNS
        stack = [self.values[self.starts[index] : self.starts[index] + size] for index in indices]
        return torch.from_numpy(np.stack(stack)).float().reshape(-1, self.channels, rows, COLUMNS)


def by_height(heights: np.ndarray, size: int, seed: int) -> Iterator[np.ndarray]:
    """Endless batches of indices of pictures of one height; a height comes as often as it is in the world."""
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(heights == height) for height in np.unique(heights)]
    shares = np.array([len(group) for group in groups]) / len(heights)
    while True:
        yield random.choice(groups[random.choice(len(groups), p=shares)], size)


def latents(places: Places, source: Pictures, count: int, with_holes: bool) -> Latents:
    """The first `count` pictures' latents, or those of the pictures with one hole each; made on first use."""
    weights = (places.weights / parts.PARTS["vae"].file).read_bytes()
    kind, made_by = "holes" if with_holes else "latents", hashlib.sha256(weights).hexdigest()[:8]
    name = f"{kind}-{count}-{made_by}-of-{source.folder.name}.npy"
    path, channels = places.cache / name, 5 if with_holes else 4
    if not path.is_file():
        encode_all(places, source, count, with_holes, path)
    heights = source.heights[:count].astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(heights // 8 * COLUMNS * channels)[:-1]])
    return Latents(np.load(path, mmap_mode="r"), heights, starts, channels)


@torch.no_grad()
def encode_all(places: Places, source: Pictures, count: int, with_holes: bool, path: Path) -> None:
    """Write the latents of the first `count` pictures in their order."""
    network = networks.autoencoder()
    parts.load(network, places.weights, "vae")
    network.to(places.device, memory_format=torch.channels_last).eval()
    heights = source.heights[:count].astype(np.int64)
    channels = 5 if with_holes else 4
    starts = np.concatenate([[0], np.cumsum(heights // 8 * COLUMNS * channels)])
    values, random = np.zeros(int(starts[-1]), np.float16), np.random.default_rng(HOLE_SEED)
    for height in np.unique(heights):
        group = np.flatnonzero(heights == height)
        for indices in np.array_split(group, max(1, len(group) // BATCH)):
            images = torch.from_numpy(np.stack([source.image(index) for index in indices]))
            images = images.permute(0, 3, 1, 2).float().div(255).to(places.device)
            cells = None
            if with_holes:
                masks = [holes.hole(source.poses[index], int(height), WIDTH, random) for index in indices]
                mask = torch.from_numpy(np.stack(masks))[:, None].to(places.device)
                images, cells = images * (1 - mask) + 0.5 * mask, holes.in_cells(mask)
            with torch.autocast(places.device.type, torch.bfloat16):
                encoded = networks.encode(
                    network, images.contiguous(memory_format=torch.channels_last)
                ).float()
            encoded = encoded if cells is None else torch.cat([cells, encoded], 1)
            for index, latent in zip(indices, encoded.half().cpu().numpy(), strict=True):
                values[starts[index] : starts[index + 1]] = latent.ravel()
    with path.with_suffix(".unfinished").open("wb") as file:
        np.save(file, values)
    path.with_suffix(".unfinished").replace(path)
