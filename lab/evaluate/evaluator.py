"""What a picture of the drawn world shows: where the joints are, how many feet, and which garments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...core.pose import eye
from ..toy.models import parts
from ..toy.world.labels import GARMENTS, MATERIAL

BATCH = 16
# How much the number that the network says counts beside the middles it sees, and how sure those are.
TRUST, GAIN, BIAS = 0.65, 4.0, -1.0


@dataclass(frozen=True)
class Seen:
    """What one picture shows."""

    points: np.ndarray  # 24,3: x, y in pixels of the picture, score 0…1 (below 0.5: not there)
    feet: int  # how many feet the picture shows; 3 stands for more as well
    garments: dict[str, np.ndarray]  # bool H,W by name: hair, top, bottom, shoes

    @property
    def somebody(self) -> bool:
        """Whether there is a person at all."""
        return int((self.points[:, 2] >= eye.SURE).sum()) >= eye.FEWEST


class Judge:
    """A trained network that looks at pictures, H,W,3 uint8 each, of any sizes."""

    def __init__(self, network: eye.Eye) -> None:
        self.network = network.eval()

    @classmethod
    def load(cls, folder: Path = parts.FOLDER, name: str = "judge") -> Judge:
        """With the weights of that name; RuntimeError when they are missing or damaged."""
        network = eye.eye()
        parts.load(network, folder, name)
        return cls(network)

    def look(self, images: Sequence[np.ndarray]) -> list[Seen]:
        """What each picture shows."""
        found: dict[int, Seen] = {}
        for indices, views in self.views(images):
            found |= {index: seen(views, place, images[index]) for place, index in enumerate(indices)}
        return [found[index] for index in range(len(images))]

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Each picture's features N,160 (float32), on which the number of feet is decided."""
        found = np.zeros((len(images), eye.DIMENSIONS), np.float32)
        for indices, views in self.views(images):
            found[indices] = views.features.numpy()
        return found

    @torch.inference_mode()
    def views(self, images: Sequence[np.ndarray]) -> Iterator[tuple[list[int], eye.Views]]:
        """What the network says of pictures that take the same room, and their indices."""
        pictures = [eye.prepared(image) for image in images]
        rooms = [eye.room(picture) for picture in pictures]
        for room in sorted(set(rooms)):
            same = [index for index, other in enumerate(rooms) if other == room]
            for start in range(0, len(same), BATCH):
                some = same[start : start + BATCH]
                yield some, self.network(eye.together([pictures[index] for index in some]))


def seen(views: eye.Views, place: int, image: np.ndarray) -> Seen:
    """What the picture at one place of a batch shows."""
    points = eye.points_of(views, place, image)
    return Seen(points, feet(views, place, image), garments(views.materials[place], image))


def feet(views: eye.Views, place: int, image: np.ndarray) -> int:
    """How many feet the picture shows, by what the network says of their number and by their middles.

    Both are taught by drawn faults only. On painted pictures the number alone is less often what an eye
    counts than the middles are, on drawn faults more often: so the chances of both are multiplied, weighted
    so that neither falls below 95 % on the pictures they were chosen on (lab/results/cards/judge.md).
    """
    said = views.feet[place].softmax(0).numpy()
    counted = chances(peaks(views.middles[place], image))
    return int((TRUST * np.log(said + 1e-4) + (1 - TRUST) * np.log(counted + 1e-4)).argmax())


def peaks(scores: Tensor, image: np.ndarray) -> np.ndarray:
    """The scores (h,w) that are higher than all around them, within the picture."""
    height, width = eye.size_looked_at(image)
    shown = scores[: ceil(height / eye.CELL), : ceil(width / eye.CELL)]
    highest = functional.max_pool2d(shown[None, None], 3, 1, 1)[0, 0]
    return shown[shown == highest].numpy()


def chances(scores: np.ndarray) -> np.ndarray:
    """How likely 0, 1, 2, and 3 or more of the things are there that have these scores."""
    found = np.eye(eye.COUNTS)[0]
    for chance in 1 / (1 + np.exp(-(GAIN * scores + BIAS))):
        more = np.append(0, found[:-1])
        more[-1] += found[-1]
        found = (1 - chance) * found + chance * more
    return found


def garments(scores: Tensor, image: np.ndarray) -> dict[str, np.ndarray]:
    """The picture's masks of scores 6,2h,2w of what each half-pixel shows."""
    height, width = eye.size_looked_at(image)
    fine = functional.interpolate(scores[None], scale_factor=2.0, mode="bilinear")[..., :height, :width]
    if (height, width) != image.shape[:2]:
        fine = functional.interpolate(fine, image.shape[:2], mode="bilinear")
    best = fine[0].argmax(0).numpy()
    return {name: best == MATERIAL[name] for name in GARMENTS}
