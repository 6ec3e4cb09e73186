"""Train the network that the figures are measured with: what the detector sees, and every thing as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from ..toy.models import evaluator
from ..toy.world.visible import PERSON, PIXELS, SHARE
from . import keypoints
from .keypoint_data import IGNORED, KeypointDataset, keypoint_dataset
from .keypoints import View
from .places import Places, resume
from .task import Task

# So much of what the picture shows tells a thing's kind, the person's pose, and the scene.
KIND_SHARE, POSE_SHARE, SCENE_SHARE = 0.5, 0.9, 0.5
NOBODY = len(evaluator.POSES) - 1


class Told(NamedTuple):
    """Numbers of each material's kind and colour B,13, of the pose B and of the scene B; -100 is untold."""

    kinds: Tensor
    tints: Tensor
    poses: Tensor
    scenes: Tensor


class Batch(NamedTuple):
    """What the detector learns from, and what is told of the things."""

    points: keypoints.Batch
    told: Told


def told(source: KeypointDataset, index: int, view: View) -> tuple[np.ndarray, np.ndarray, int, int]:
    """What a view still tells of what is known of its picture: kinds 13, colours 13, pose, scene."""
    said = source.told["said"][index].astype(np.int64)
    whole, shown = source.plane(index)[..., 0], view.planes[..., 0]
    # Of the whole picture and of the view, both in the picture's pixels.
    before = np.bincount(whole.ravel(), minlength=len(said))
    now = np.bincount(shown.ravel(), minlength=len(said)) / view.scale**2
    found = [
        np.where((said[:, each] > 0) & (now >= PIXELS) & (now >= share * before), said[:, each], IGNORED)
        for each, share in ((0, KIND_SHARE), (1, SHARE))
    ]
    pose = int(source.told["pose"][index])
    person = now[PERSON].sum()
    if not person:
        pose = NOBODY
    elif person < POSE_SHARE * before[PERSON].sum():
        pose = IGNORED
    enough = shown.size / view.scale**2 >= SCENE_SHARE * whole.size
    return found[0], found[1], pose, int(source.told["scene"][index]) if enough else IGNORED


def training_batches(source: KeypointDataset, config: dict[str, Any], seed: int) -> Iterator[Batch]:
    """Endless batches."""
    random = np.random.default_rng(seed)
    while True:
        yield batch(source, random.integers(len(source), size=config["batch"]), config, random)


def batch(source: KeypointDataset, chosen: np.ndarray, config: dict[str, Any], random: Generator) -> Batch:
    """The chosen pictures, each in some view."""
    samples = [keypoints.sample_view(source, int(index), config, random) for index in chosen]
    answers = [told(source, int(index), view) for index, (view, _, _) in zip(chosen, samples, strict=True)]
    columns = [torch.from_numpy(np.array(column)) for column in zip(*answers, strict=True)]
    return Batch(keypoints.batched(samples, random), Told(*columns))


def answer_loss(scores: Tensor, answers: Tensor) -> Tensor:
    """Cross-entropy of scores …,N with the answers that are told; 0 without any."""
    known = answers != IGNORED
    if not bool(known.any()):
        return scores.sum() * 0
    return functional.cross_entropy(scores[known], answers[known])


def total_loss(sight: evaluator.Sight, batch: Batch) -> Tensor:
    """The weighted sum of what all heads are taught; masks count more, as the rest is read in them."""
    total = keypoints.total_loss(sight.views, batch.points)
    total = total + 2 * keypoints.material_loss(sight.views.materials, batch.points.materials)
    pairs = zip((sight.kinds, sight.tints, sight.poses, sight.scenes), batch.told, strict=True)
    return total + sum((answer_loss(scores, answers) for scores, answers in pairs), torch.zeros(()))


def task(config: dict[str, Any], places: Places) -> Task:
    """The evaluator, what is minimised, and pictures with all that is known of them."""
    network = evaluator.network(config["seed"])
    notes = resume(network, places, "evaluator")
    network.to(places.device, memory_format=torch.channels_last).train()

    def loss(batch: Batch) -> Tensor:
        points = keypoints.Batch(*(part.to(places.device) for part in batch.points))
        told = Told(*(part.to(places.device) for part in batch.told))
        pictures = points.pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(places.device.type, torch.bfloat16, enabled=config["bfloat16"]):
            sight = network.see(pictures)
        return total_loss(sight, Batch(points, told))

    seed = config["seed"] + notes.get("steps", 0)
    batches = training_batches(keypoint_dataset(places, config), config, seed)
    return Task({"evaluator": network}, loss, batches, notes={"evaluator": notes})
