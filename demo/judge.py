"""What a picture of the drawn world shows: where the joints are, how many feet, and which garments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from .models import eye, parts
from .world.labels import GARMENTS

WIDTH = 128  # of the world's pictures; larger ones are looked at in this width
WIDEST = 160
BATCH = 16
FEWEST = 3  # points that make a person
REACH = 2  # cells to each side of the best one over which a point is averaged


@dataclass(frozen=True)
class Seen:
    """What one picture shows."""

    points: np.ndarray  # 24,3: x, y in pixels of the picture, score 0…1 (below 0.5: not there)
    feet: int  # how many feet the picture shows; 3 stands for more as well
    garments: dict[str, np.ndarray]  # bool H,W by name: hair, top, bottom, shoes

    @property
    def somebody(self) -> bool:
        """Whether there is a person at all."""
        return int((self.points[:, 2] >= 0.5).sum()) >= FEWEST


class Judge:
    """A trained network that looks at pictures, H,W,3 uint8 each, of any sizes."""

    def __init__(self, network: eye.Eye) -> None:
        self.network = network.eval()

    @classmethod
    def load(cls, folder: Path = parts.FOLDER, name: str = "judge") -> Judge:
        """With the weights of that name; RuntimeError when they are missing or damaged."""
        network = eye.eye()
        if name in parts.PARTS:
            parts.load(network, folder, name)
        return cls(network)

    def look(self, images: Sequence[np.ndarray]) -> list[Seen]:
        """What each picture shows."""
        found: list[Seen] = []
        for some, views in self.views(images):
            found += [seen(views, index, image) for index, image in enumerate(some)]
        return found

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Each picture's features N,160 (float32), on which the number of feet is decided."""
        rows = [views.features.numpy() for _, views in self.views(images)]
        return np.concatenate(rows) if rows else np.zeros((0, eye.DIMENSIONS), np.float32)

    @torch.inference_mode()
    def views(self, images: Sequence[np.ndarray]) -> Iterator[tuple[list[np.ndarray], eye.Views]]:
        """The pictures in groups that are looked at together, with what the network says."""
        for start in range(0, len(images), BATCH):
            some = list(images[start : start + BATCH])
            yield some, self.network(together([prepared(image) for image in some]))


def size_looked_at(image: np.ndarray) -> tuple[int, int]:
    """Height and width in which a picture is looked at."""
    height, width = image.shape[:2]
    return (height, width) if width <= WIDEST else (max(round(height * WIDTH / width), 1), WIDTH)


def prepared(image: np.ndarray) -> Tensor:
    """The picture 3,h,w in −0.5…0.5."""
    height, width = size_looked_at(image)
    if (height, width) != image.shape[:2]:
        image = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))
    return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255 - 0.5


def together(pictures: Sequence[Tensor]) -> Tensor:
    """Pictures B,3,H,W at the upper left of one size the network takes."""
    height, width = (eye.GRID * ceil(max(p.shape[axis] for p in pictures) / eye.GRID) for axis in (1, 2))
    whole = torch.zeros(len(pictures), 3, height, width).contiguous(memory_format=torch.channels_last)
    for target, picture in zip(whole, pictures, strict=True):
        target[:, : picture.shape[1], : picture.shape[2]] = picture
    return whole


def seen(views: eye.Views, index: int, image: np.ndarray) -> Seen:
    """What one picture of a group shows."""
    height, width = size_looked_at(image)
    places = views.places[index, :, : ceil(height / eye.CELL), : ceil(width / eye.CELL)]
    at = points(places) * torch.tensor([image.shape[1] / width, image.shape[0] / height])
    scores = views.presence[index].sigmoid()[:, None]
    scale = 2 * torch.tensor(views.materials.shape[-2:])
    scores_of = functional.interpolate(
        views.materials[index : index + 1], tuple(scale.tolist()), mode="bilinear"
    )
    cut = scores_of[..., :height, :width]
    if cut.shape[-2:] != image.shape[:2]:
        cut = functional.interpolate(cut, image.shape[:2], mode="bilinear")
    best = cut[0].argmax(0).numpy()
    garments = {name: best == eye.CLASSES.index(name) for name in GARMENTS}
    return Seen(torch.cat([at, scores], 1).numpy(), int(views.feet[index].argmax()), garments)


def points(places: Tensor) -> Tensor:
    """Points N,2 in pixels of scores N,h,w: the mean place around the likeliest cell."""
    count, rows, columns = places.shape
    chances = places.flatten(1).softmax(1).view(count, rows, columns)
    best = chances.flatten(1).argmax(1)
    y, x = torch.arange(rows)[None, :, None], torch.arange(columns)[None, None, :]
    near = ((y - (best // columns)[:, None, None]).abs() <= REACH) & (
        (x - (best % columns)[:, None, None]).abs() <= REACH
    )
    weights = chances * near
    total = weights.sum((1, 2))
    middle = torch.stack([(weights * x).sum((1, 2)) / total, (weights * y).sum((1, 2)) / total], 1)
    return (middle + 0.5) * eye.CELL
