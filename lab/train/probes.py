"""What the world knows beside the caption, asked of the captioner's eye while it learns and never kept.

A caption tells little per picture; what every patch shows, and each attribute on its own, tells much.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..toy import world
from ..toy.world.captions import BOTTOMS, HAIR_STYLES, POSES, SHOES, TOPS
from ..toy.world.labels import MATERIALS, OBJECTS, SEATS, SEGMENTS
from ..toy.world.scenes import SCENES
from ..toy.world.things import HAIRCUTS, KINDS, TINTS, numbered

PLANES = {"material": len(MATERIALS), "segment": len(SEGMENTS), "kind": len(KINDS), "tint": len(TINTS)}
# What can be said of a whole picture, by attribute; what is not seen is place 0.
ANSWERS: dict[str, tuple[str, ...]] = {
    "subject": (*HAIR_STYLES, "person", "nobody"),
    "hair": HAIRCUTS,
    "hair colour": tuple(world.HAIR),
    "top": TOPS,
    "bottom": BOTTOMS,
    "shoes": SHOES,
    "seat": SEATS,
    "pose": (*POSES, "sitting"),
    "facing": ("left", "right"),
    "scene": tuple(SCENES),
    **{f"{name} colour": tuple(world.COLOURS) for name in ("top", "bottom", "shoes", "seat")},
    **dict.fromkeys(OBJECTS, tuple(world.COLOURS)),
}
MOST = 1 + max(map(len, ANSWERS.values()))
CELL = 5  # pixels of the captioner's picture that one label of a plane stands for


class Targets(NamedTuple):
    """Planes B,4,24,24 of labels, and answers B,20 (long)."""

    planes: Tensor
    answers: Tensor


def planes(example: world.Example, side: int) -> np.ndarray:
    """Material, segment, kind and tint of side × side cells of the picture, 4,side,side."""
    window, said = example.window, numbered(example.attributes)
    rows, columns = (
        ((np.arange(side) + 0.5) * length / side).astype(int) for length in example.image.shape[:2]
    )
    cells = np.ix_(rows, columns)
    material = window.cut(example.drawing.material)[cells]
    kind, tint = said[material].transpose(2, 0, 1)
    return np.stack([material, window.cut(example.drawing.segment)[cells], kind, tint])


def answers(attributes: dict[str, Any]) -> list[int]:
    """The place of each attribute's value among its answers, 0 where there is none."""
    said = attributes | dict(attributes.get("objects", ()))
    return [
        1 + values.index(said[name]) if name in said and said[name] in values else 0
        for name, values in ANSWERS.items()
    ]


class AttributeHead(nn.Module):
    """Each attribute asked of states B,N,C, read from where it chooses to look."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.where = nn.Linear(width, len(ANSWERS), bias=False)
        self.answer = nn.Parameter(torch.zeros(len(ANSWERS), width, MOST))

    def forward(self, states: Tensor, answers: Tensor) -> Tensor:
        """The mean cross-entropy in nats per attribute of answers B,20."""
        weights = self.where(states).float().softmax(1)
        pooled = torch.einsum("bna,bnc->bac", weights, states.float())
        scores = torch.einsum("bac,ack->bak", pooled, self.answer)
        return functional.cross_entropy(scores.flatten(0, 1), answers.flatten())


class ProbeHeads(nn.Module):
    """Heads on the eye's states B,1+N,C: what each patch shows, and each attribute from where it looks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.patch = nn.Linear(width, sum(PLANES.values()))
        self.attributes = AttributeHead(width)
        nn.init.zeros_(self.patch.weight)  # so that untaught heads do not disturb a trained network
        nn.init.zeros_(self.attributes.where.weight)

    def forward(self, states: Tensor, truth: Targets) -> Tensor:
        """The mean cross-entropy in nats per patch, averaged over planes, plus that per attribute."""
        dense = self.patch(states[:, 1:]).float().split(list(PLANES.values()), -1)
        total = sum(
            -(shares(labels, scores.shape[-1], scores.shape[1]) * scores.log_softmax(-1)).sum(-1).mean()
            for scores, labels in zip(dense, truth.planes.unbind(1), strict=True)
        ) / len(PLANES)
        return total + self.attributes(states, truth.answers)


def shares(labels: Tensor, count: int, patches: int) -> Tensor:
    """How much of each patch each of `count` labels has, B,N,count, of labels B,H,W."""
    side = int(patches**0.5)
    cell = labels.shape[1] // side
    blocks = labels.view(-1, side, cell, side, cell).permute(0, 1, 3, 2, 4).reshape(-1, patches, cell * cell)
    return functional.one_hot(blocks.long(), count).float().mean(2)
