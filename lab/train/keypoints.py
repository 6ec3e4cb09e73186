"""Train what sees people in the drawn world: the detector, and the evaluator as far as it sees them too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ...core.pose import eye
from ..toy.corruptions import SHOWN_PIXELS
from ..toy.world.body import BODY, FEET
from .keypoint_data import IGNORED, KeypointDataset, keypoint_dataset
from .places import Places, resume
from .task import Task

HEIGHT, WIDTH = eye.HEIGHT, eye.WIDTH
UNCLEAR = range(SHOWN_PIXELS // 3, SHOWN_PIXELS * 3 // 2)  # pixels of a foot that teach nothing
NAMES = (*BODY, *FEET)
FEET_AT_MOST = 3
SMALLEST = 48  # rows and columns of a window


def mirrored_name(name: str) -> str:
    swap = {"left": "right", "right": "left"}
    return " ".join(swap.get(word, word) for word in name.split())


MIRRORED = [NAMES.index(mirrored_name(name)) for name in NAMES]


class Batch(NamedTuple):
    """Pictures B,3,192,128 in −0.5…0.5, materials B,192,128, points B,24,3 in pixels, the middles B,3,3 of
    the feet that are shown, and their number B or -100."""

    pictures: Tensor
    materials: Tensor
    points: Tensor
    middles: Tensor
    feet: Tensor


class View(NamedTuple):
    """A window of a picture: H,W,3 and its planes H,W,2, uint8, with the points 24,3 in its pixels, and how
    many of these a pixel of the picture is wide."""

    image: np.ndarray
    planes: np.ndarray
    points: np.ndarray
    scale: float = 1.0

    def window(self, rows: tuple[int, int], columns: tuple[int, int]) -> View:
        (top, bottom), (left, right) = rows, columns
        points = self.points - np.array([left, top, 0], np.float32)
        inside = (points[:, :2] >= 0).all(1) & (points[:, 0] < right - left) & (points[:, 1] < bottom - top)
        points = points * (inside & (self.points[:, 2] > 0))[:, None]
        cut = slice(top, bottom), slice(left, right)
        return View(self.image[cut], self.planes[cut], points, self.scale)

    def mirrored(self) -> View:
        points = self.points[MIRRORED]
        points[:, 0] = np.where(points[:, 2] > 0, self.image.shape[1] - points[:, 0], 0)
        return View(self.image[:, ::-1], self.planes[:, ::-1], points, self.scale)

    def scaled(self, scale: float) -> View:
        height, width = (max(round(side * scale), 1) for side in self.image.shape[:2])
        ratio = np.array([width / self.image.shape[1], height / self.image.shape[0], 1], np.float32)
        image = Image.fromarray(np.ascontiguousarray(self.image)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        rows = (np.arange(height) + 0.5) / ratio[1]
        columns = (np.arange(width) + 0.5) / ratio[0]
        planes = self.planes[rows.astype(int)][:, columns.astype(int)]
        return View(np.asarray(image), planes, self.points * ratio, self.scale * scale)


def lower_edge(points: np.ndarray, height: int, random: Generator) -> int:
    """A row between hip and sole, now and then anywhere."""
    legs = [index for index, name in enumerate(NAMES) if name.split()[-1] in ("hip", "ankle", "heel", "toe")]
    rows = points[[index for index in legs if points[index, 2] > 0], 1]
    if len(rows) == 0 or random.random() < 0.2:
        return int(random.integers(SMALLEST, height + 1))
    return int(np.clip(random.uniform(rows.min() - 4, rows.max() + 4), SMALLEST, height))


def cropped(view: View, random: Generator) -> View:
    """Mostly cut off at the legs, else some window."""
    height, width = view.image.shape[:2]
    if random.random() < 0.7:
        return view.window((0, lower_edge(view.points, height, random)), (0, width))
    rows, columns = (random.integers(SMALLEST, side + 1) for side in (height, width))
    top, left = random.integers(height - rows + 1), random.integers(width - columns + 1)
    return view.window((top, top + rows), (left, left + columns))


def fitting(view: View, scale: float, random: Generator) -> View:
    """A window that still fits when it is scaled."""
    height, width = view.image.shape[:2]
    rows, columns = min(height, int(HEIGHT / scale)), min(width, int(WIDTH / scale))
    top, left = random.integers(height - rows + 1), random.integers(width - columns + 1)
    return view.window((top, top + rows), (left, left + columns))


def sample_view(
    source: KeypointDataset, index: int, config: dict[str, Any], random: Generator
) -> tuple[View, np.ndarray, int]:
    """A picture as it is looked at, the middles 3,3 of its feet, and their number or -100."""
    view = View(source.image(index), source.plane(index), source.points[index].copy())
    if random.random() < config["cropped"]:
        view = cropped(view, random)
    if random.random() < 0.5:
        view = view.mirrored()
    scale = float(np.exp(random.uniform(-1, 1) * np.log(config["scale"]))) if random.random() < 0.5 else 1.0
    view = fitting(view, scale, random)
    counts = np.bincount(view.planes[..., 1].ravel(), minlength=FEET_AT_MOST + 1)[1:]
    middles, found = np.zeros((FEET_AT_MOST, 3), np.float32), 0
    for number in np.flatnonzero(counts >= SHOWN_PIXELS) + 1:
        y, x = np.nonzero(view.planes[..., 1] == number)
        middles[found] = (x.mean() + 0.5) * scale, (y.mean() + 0.5) * scale, 1
        found += 1
    clear = source.told["clear"][index] and not any(count in UNCLEAR for count in counts)
    return (view.scaled(scale) if scale != 1 else view), middles, found if clear else IGNORED


def augmented(picture: np.ndarray, random: Generator) -> np.ndarray:
    """The picture, float 0…1, more or less soft, shifted in colour and noisy."""
    if random.random() < 0.3:
        for axis in (0, 1):
            before, after = (np.roll(picture, step, axis) for step in (-1, 1))
            picture = 0.5 * picture + 0.25 * (before + after)
    if random.random() < 0.5:
        picture = picture * random.uniform(0.88, 1.12, 3) + random.uniform(-0.05, 0.05, 3)
    if random.random() < 0.4:
        picture = picture + random.normal(0, random.uniform(0, 0.05), picture.shape)
    return np.clip(picture, 0, 1).astype(np.float32)


def training_batches(source: KeypointDataset, config: dict[str, Any], seed: int) -> Iterator[Batch]:
    """Endless batches."""
    random = np.random.default_rng(seed)
    while True:
        chosen = random.integers(len(source), size=config["batch"])
        yield batched([sample_view(source, int(index), config, random) for index in chosen], random)


def batched(samples: Sequence[tuple[View, np.ndarray, int]], random: Generator) -> Batch:
    """Views as they are looked at, with the middles of their feet and their number, as one batch."""
    pictures = np.zeros((len(samples), HEIGHT, WIDTH, 3), np.float32)
    materials = np.zeros((len(samples), HEIGHT, WIDTH), np.int64)
    for place, (view, _, _) in enumerate(samples):
        height, width = view.image.shape[:2]
        pictures[place, :height, :width] = augmented(view.image.astype(np.float32) / 255, random) - 0.5
        materials[place, :height, :width] = view.planes[..., 0]
    return Batch(
        torch.from_numpy(pictures).permute(0, 3, 1, 2),
        torch.from_numpy(materials),
        torch.from_numpy(np.stack([view.points for view, _, _ in samples])),
        torch.from_numpy(np.stack([spots for _, spots, _ in samples])),
        torch.tensor([count for _, _, count in samples]),
    )


def bumps(points: Tensor, rows: int, columns: int) -> Tensor:
    """Gaussians (B,N,rows,columns), one cell wide and 1 at their middle, around points B,N,3 in pixels."""
    y = (torch.arange(rows, device=points.device) + 0.5) * eye.CELL
    x = (torch.arange(columns, device=points.device) + 0.5) * eye.CELL
    down = torch.exp(-0.5 * ((y - points[..., 1:2]) / eye.CELL) ** 2)
    across = torch.exp(-0.5 * ((x - points[..., 0:1]) / eye.CELL) ** 2)
    return points[..., 2, None, None] * down[..., :, None] * across[..., None, :]


def place_loss(places: Tensor, points: Tensor) -> Tensor:
    """Kullback-Leibler divergence of where the points are from where they are said to be."""
    target = bumps(points, *places.shape[-2:]).flatten(2)
    there = points[..., 2] > 0
    target = target[there] / target[there].sum(1, keepdim=True)
    said = places.flatten(2).log_softmax(2)[there]
    return functional.kl_div(said, target, reduction="sum") / max(int(there.sum()), 1)


def material_loss(scores: Tensor, materials: Tensor) -> Tensor:
    """Cross-entropy with the share of each material in every half-pixel; those not scored are the first."""
    count = scores.shape[1]
    shares = functional.one_hot(torch.where(materials < count, materials, 0), count)
    shares = shares.permute(0, 3, 1, 2).float()
    return functional.cross_entropy(scores, functional.avg_pool2d(shares, 2))


def total_loss(views: eye.Views, batch: Batch) -> Tensor:
    """The weighted sum of what all heads are taught."""
    middle = bumps(batch.middles, *views.middles.shape[-2:]).amax(1)
    weight = 1 + 20 * middle
    total = place_loss(views.places, batch.points)
    total = total + 2 * functional.binary_cross_entropy_with_logits(views.presence, batch.points[..., 2])
    total = total + 5 * functional.binary_cross_entropy_with_logits(views.middles, middle, weight)
    total = total + 2 * material_loss(views.materials, batch.materials)
    if bool((batch.feet != IGNORED).any()):
        total = total + functional.cross_entropy(views.feet, batch.feet, ignore_index=IGNORED)
    return total


def detector(config: dict[str, Any], places: Places) -> Task:
    """The network that finds poses in the drawn world's photos."""
    network = eye.eye(config["seed"])
    notes = resume(network, places, "detector")
    network.to(places.device, memory_format=torch.channels_last).train()

    def loss(batch: Batch) -> Tensor:
        batch = Batch(*(part.to(places.device) for part in batch))
        pictures = batch.pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(places.device.type, torch.bfloat16, enabled=config["bfloat16"]):
            views = network(pictures)
        return total_loss(views, batch)

    seed = config["seed"] + notes.get("steps", 0)
    batches = training_batches(keypoint_dataset(places, config), config, seed)
    return Task({"detector": network}, loss, batches, notes={"detector": notes})
