"""A small network that tells which things of one's own a picture shows, trained on true pictures of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...toy import things, world
from ...toy.things import Thing

PART = "judge"  # no model that paints learns from it
SIDE = 128
OWN, TWO, DECOYS = 48, 24, 16  # pictures of a thing, of a pair, and of each sort of decoy
STEPS, BATCH, RATE = 900, 24, 2e-3
SURE = 0.5
Pictures = Callable[[list[np.ndarray]], list[np.ndarray]]


class Network(nn.Module):
    """Scores B,K of whether each of K things is anywhere in pictures B,3,128,128 in 0…1."""

    def __init__(self, count: int) -> None:
        super().__init__()
        widths = ((3, 16, 2), (16, 32, 2), (32, 48, 2), (48, 48, 1), (48, 64, 2), (64, 64, 1))
        layers = [layer for one in widths for layer in block(*one)]
        self.maps, self.scores = nn.Sequential(*layers), nn.Conv2d(64, count, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.scores(self.maps(pictures - 0.5)).amax((2, 3))


def block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def lessons(some: Sequence[Thing], share: float = 1.0) -> tuple[list[np.ndarray], np.ndarray]:
    """True pictures and which of the things each shows (bool N,K): things alone, pairs, and decoys: their
    shapes in other colours, and what the world knows of their class. `share` of the usual number."""
    own, two, decoys = (max(round(share * count), 1) for count in (OWN, TWO, DECOYS))
    images, shown = [], []

    def add(image: np.ndarray, present: Sequence[Thing]) -> None:
        images.append(image)
        shown.append([thing in present for thing in some])

    for thing in some:
        for seed in range(own):
            add(things.shown((thing,), seed, PART).image, [thing])
        for seed in range(decoys):
            add(things.shown((recoloured(thing, seed),), own + seed, PART).image, [])
            add(things.plain(thing, seed, PART), [])
    for pair in things.PAIRS:
        if set(pair) <= set(some):
            for seed in range(two):
                add(things.shown(pair, own + decoys + seed, PART).image, pair)
    return images, np.array(shown)


def recoloured(thing: Thing, seed: int) -> Thing:
    """The same thing in other colours."""
    names = [name for name in world.COLOURS if name not in thing.colours]
    first, second = names[seed % len(names)], names[(3 * seed + 1) % len(names)]
    if first == second:
        second = names[(3 * seed + 2) % len(names)]
    changed = thing._replace(colours=(first, second))
    if thing.hat:
        others = [name for name in names if name not in (first, second, thing.hat_colour, thing.hair_colour)]
        changed = changed._replace(hat_colour=others[0], hair_colour=others[1])
    return changed


def train(images: Sequence[np.ndarray], shown: np.ndarray, steps: int = STEPS, seed: int = 0) -> Network:
    """A network taught by pictures and what they show."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(seed)
        network = Network(shown.shape[1]).train()
        optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
        pictures, wanted = tensors(images), torch.from_numpy(shown).float()
        for _ in range(steps):
            rows = torch.randint(len(pictures), (BATCH,))
            scores = network(varied(pictures[rows].float() / 255))
            loss = functional.binary_cross_entropy_with_logits(scores, wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def tensors(images: Sequence[np.ndarray]) -> Tensor:
    """Pictures as uint8 B,3,H,W."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def varied(pictures: Tensor) -> Tensor:
    """Mirrored, lighter or darker, and half of them blurred as generated pictures may be."""
    if torch.rand(()) < 0.5:
        pictures = pictures.flip(-1)
    light = 1 + 0.1 * (2 * torch.rand(len(pictures), 3, 1, 1) - 1)
    blurred = functional.interpolate(
        functional.avg_pool2d(pictures, 2), scale_factor=2.0, mode="bilinear", align_corners=False
    )
    soft = torch.rand(len(pictures), 1, 1, 1) < 0.5
    return (torch.where(soft, blurred, pictures) * light).clamp(0, 1)


class Judge:
    """The trained network with the names of the things that it tells."""

    def __init__(self, network: Network, names: Sequence[str]) -> None:
        self.network, self.names = network.eval(), list(names)

    @classmethod
    def kept(cls, path: Path, some: Sequence[Thing], through: Pictures) -> Judge:
        """From a file, or trained now and kept there. Half of the pictures go `through` an autoencoder."""
        names = [thing.name for thing in some]
        network = Network(len(names))
        if path.is_file():
            network.load_state_dict(torch.load(path, weights_only=True))
            return cls(network, names)
        images, shown = lessons(some)
        images[1::2] = through(images[1::2])
        network = train(images, shown)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        torch.save(network.state_dict(), unfinished)
        unfinished.replace(path)
        return cls(network, names)

    @torch.inference_mode()
    def chances(self, images: Sequence[np.ndarray], thing: Thing) -> list[float]:
        """How likely each picture shows a thing."""
        scores = self.network(tensors(images).float() / 255)[:, self.names.index(thing.name)]
        return [round(float(chance), 4) for chance in scores.sigmoid()]
