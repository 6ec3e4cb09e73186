"""What a picture of the drawn world shows: joints, feet, pose, scene, things with mask, kind and colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...core.pose import eye
from ..toy.models import evaluator, parts
from ..toy.world.labels import GARMENTS, MATERIAL
from ..toy.world.palette import nearest
from ..toy.world.things import KINDS, THINGS, TINTS, palette_of
from ..toy.world.visible import PERSON, PIXELS

BATCH = 16
# How much the number that the network says counts beside the middles it sees, and how sure those are.
TRUST, GAIN, BIAS = 0.65, 4.0, -1.0


@dataclass(frozen=True)
class Thing:
    """One thing in a picture: its mask (bool H,W), its kind and its colour in the world's words."""

    mask: np.ndarray
    kind: str
    colour: str


@dataclass(frozen=True)
class Seen:
    """What one picture shows."""

    points: np.ndarray  # 24,3: x, y in pixels of the picture, score 0…1 (below 0.5: not there)
    feet: int  # how many feet the picture shows; 3 stands for more as well
    garments: dict[str, np.ndarray]  # bool H,W by name: hair, top, bottom, shoes
    pose: str = ""  # a pose family, or nobody
    scene: str = ""
    things: dict[str, Thing] = field(default_factory=dict)  # by name, of all that are shown: see world/things
    person: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool))  # bool H,W

    @property
    def somebody(self) -> bool:
        """Whether there is a person at all."""
        return somebody(self.points)


def somebody(points: np.ndarray) -> bool:
    """Whether so many of the points 24,3 are there that they make a person."""
    return int((points[:, 2] >= eye.SURE).sum()) >= eye.FEWEST


class Evaluator:
    """A trained network that looks at pictures, H,W,3 uint8 each, of any sizes."""

    def __init__(self, network: evaluator.Network) -> None:
        self.network = network.eval()

    @classmethod
    def load(cls, folder: Path = parts.FOLDER) -> Evaluator:
        """With the weights of a folder; RuntimeError when they are missing or damaged."""
        network = evaluator.network()
        parts.load(network, folder, "evaluator")
        return cls(network)

    def look(self, images: Sequence[np.ndarray]) -> list[Seen]:
        """What each picture shows."""
        found: dict[int, Seen] = {}
        for indices, sight in self.sights(images):
            found |= {index: seen(sight, place, images[index]) for place, index in enumerate(indices)}
        return [found[index] for index in range(len(images))]

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Each picture's features N,160 (float32), on which the number of feet is decided.

        They are the mean of the coarsest map (96 numbers) and mean and maximum of what is read of the map in
        cells of 4 px (32 and 32).
        """
        found = np.zeros((len(images), eye.DIMENSIONS), np.float32)
        for indices, sight in self.sights(images):
            found[indices] = sight.views.features.numpy()
        return found

    @torch.inference_mode()
    def sights(self, images: Sequence[np.ndarray]) -> Iterator[tuple[list[int], evaluator.Sight]]:
        """What the network says of pictures that take the same room, and their indices."""
        pictures = [eye.prepared(image) for image in images]
        rooms = [eye.room(picture) for picture in pictures]
        for room in sorted(set(rooms)):
            same = [index for index, other in enumerate(rooms) if other == room]
            for start in range(0, len(same), BATCH):
                some = same[start : start + BATCH]
                yield some, self.network.see(eye.together([pictures[index] for index in some]))


def seen(sight: evaluator.Sight, place: int, image: np.ndarray) -> Seen:
    """What the picture at one place of a batch shows."""
    views = sight.views
    shown = materials(views.materials[place], image)
    return Seen(
        eye.points_of(views, place, image),
        feet(views, place, image),
        {name: shown == MATERIAL[name] for name in GARMENTS},
        evaluator.POSES[int(sight.poses[place].argmax())],
        evaluator.PLACES[int(sight.scenes[place].argmax())],
        things(sight, place, image, shown),
        np.isin(shown, PERSON),
    )


def feet(views: eye.Views, place: int, image: np.ndarray) -> int:
    """How many feet the picture shows, by what the network says of their number and by their middles.

    Both are taught by drawn faults only. On painted pictures the number alone is less often what an eye
    counts than the middles are, on drawn faults more often: so the chances of both are multiplied, weighted
    so that neither falls below 95 % on the pictures they were chosen on (lab/results/cards/evaluator.md).
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
    # Beyond 60 a chance is 0 or 1 to the last digit, and exp() soon overflows.
    for chance in 1 / (1 + np.exp(-np.clip(GAIN * scores + BIAS, -60, 60))):
        more = np.append(0, found[:-1])
        more[-1] += found[-1]
        found = (1 - chance) * found + chance * more
    return found


def materials(scores: Tensor, image: np.ndarray) -> np.ndarray:
    """The number of the material that each pixel of the picture shows, H,W, of scores 13,2h,2w."""
    height, width = eye.size_looked_at(image)
    fine = functional.interpolate(scores[None], scale_factor=2.0, mode="bilinear")[..., :height, :width]
    if (height, width) != image.shape[:2]:
        fine = functional.interpolate(fine, image.shape[:2], mode="bilinear")
    return fine[0].argmax(0).numpy()


def things(sight: evaluator.Sight, place: int, image: np.ndarray, shown: np.ndarray) -> dict[str, Thing]:
    """All things of which the picture shows as much as a caption needs to name them."""
    found = {}
    for name in THINGS:
        mask = shown == MATERIAL[name]
        if mask.sum() >= PIXELS:
            kind = KINDS[int(sight.kinds[place, MATERIAL[name]].argmax())]
            found[name] = Thing(mask, kind, TINTS[int(sight.tints[place, MATERIAL[name]].argmax())])
    return found


def median_colour(image: np.ndarray, mask: np.ndarray, name: str) -> str:
    """The word for the colour nearest to the median of a thing's pixels in CIELAB."""
    return nearest(np.median(image[mask], axis=0), palette_of(name))
