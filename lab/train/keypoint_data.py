"""Pictures to learn seeing from, drawn once into flat files; some as the autoencoder gives them back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import version as versions
from ..files import replacing
from ..toy import corruptions
from ..toy.models import networks
from ..toy.world.chance import Chance
from .pictures import WIDTH
from .places import Places, frozen

TOPIC = 6
PLANES = 2  # what each pixel is made of, and which good foot it shows
BATCH = 8
SETTINGS = ("part", "first", "pictures", "kinds", "coded", "latent_noise")  # that the pictures depend on


@dataclass(frozen=True)
class KeypointDataset:
    """Bytes of all pictures and of their planes, rows and first row of each, points N,24,3 in pixels."""

    pixels: np.ndarray
    planes: np.ndarray
    heights: np.ndarray
    starts: np.ndarray
    points: np.ndarray

    def __len__(self) -> int:
        return len(self.heights)

    def image(self, index: int) -> np.ndarray:
        """Picture H,128,3 uint8."""
        return self.pixels[self.starts[index] : self.starts[index] + self.heights[index]]

    def plane(self, index: int) -> np.ndarray:
        """Materials and feet H,128,2 uint8."""
        return self.planes[self.starts[index] : self.starts[index] + self.heights[index]]


def kind_of(seed: int, part: str, shares: dict[str, float]) -> str:
    """Which kind of picture a seed is, each as often as its share says."""
    draw = Chance(part, seed, TOPIC).uniform(0, sum(shares.values()))
    for kind, share in shares.items():
        draw -= share
        if draw < 0:
            return kind
    raise AssertionError("a draw lies below the sum of the shares")


def keypoint_dataset(places: Places, config: dict[str, Any]) -> KeypointDataset:
    """The configured pictures, drawn on first use."""
    chosen = {name: config[name] for name in SETTINGS}
    made_by = versions.version(["lab.train.keypoint_data"], ("vae",), settings=chosen, weights=places.weights)
    folder = places.cache / f"keypoints-{made_by}"
    if not folder.is_dir():
        draw(folder, places, config)
    index = np.load(folder / "index.npz")
    starts = np.concatenate([[0], np.cumsum(index["heights"])[:-1]])
    pixels = np.memmap(folder / "pixels.bin", np.uint8, "r").reshape(-1, WIDTH, 3)
    planes = np.memmap(folder / "planes.bin", np.uint8, "r").reshape(-1, WIDTH, PLANES)
    return KeypointDataset(pixels, planes, index["heights"], starts, index["points"])


def draw(folder: Path, places: Places, config: dict[str, Any]) -> None:
    """Draw all pictures into `folder`, which appears only when it is whole."""
    heights, points, part = [], [], config["part"]
    with replacing(folder) as unfinished:
        unfinished.mkdir()
        with (
            (unfinished / "pixels.bin").open("wb") as pixels,
            (unfinished / "planes.bin").open("wb") as planes,
        ):
            for seed in range(config["first"], config["first"] + config["pictures"]):
                kind = kind_of(seed, part, config["kinds"])
                example = corruptions.planted(kind, seed, part, corruptions.PRACTICE)
                pixels.write(example.image.tobytes())
                planes.write(np.stack([example.material, example.feet], 2).tobytes())
                heights.append(example.image.shape[0])
                points.append(example.points)
        np.savez(unfinished / "index.npz", heights=np.array(heights, np.int64), points=np.stack(points))
        recode(unfinished / "pixels.bin", np.array(heights), places, config)


@torch.inference_mode()
def recode(path: Path, heights: np.ndarray, places: Places, config: dict[str, Any]) -> None:
    """Replace a share of the pictures by what the autoencoder makes of their more or less noisy latents."""
    network = frozen(networks.autoencoder(), places, "vae").to(memory_format=torch.channels_last)
    random, generator = np.random.default_rng(config["first"]), torch.Generator().manual_seed(config["first"])
    pixels = np.memmap(path, np.uint8, "r+").reshape(-1, WIDTH, 3)
    starts = np.concatenate([[0], np.cumsum(heights)[:-1]])
    chosen = np.flatnonzero(random.random(len(heights)) < config["coded"])
    for height in np.unique(heights[chosen]):
        same = chosen[heights[chosen] == height]
        for some in np.split(same, range(BATCH, len(same), BATCH)):
            images = np.stack([pixels[starts[index] : starts[index] + height] for index in some])
            given = torch.from_numpy(images).permute(0, 3, 1, 2).to(places.device).float() / 255
            with torch.autocast(places.device.type, torch.bfloat16):
                latents = networks.encode(network, given).float()
                spread = torch.from_numpy(random.uniform(0, config["latent_noise"], (len(some), 1, 1, 1)))
                noise = torch.randn(latents.shape, generator=generator)
                made = networks.decode(network, latents + (spread.float() * noise).to(places.device))
            back = (made.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            for index, image in zip(some, back, strict=True):
                pixels[starts[index] : starts[index] + height] = image
    pixels.flush()
