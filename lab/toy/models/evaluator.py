"""The evaluator's network: the eye with masks of every material, and kind and colour of each of them.

What is told of one thing is read where the network itself sees that thing; pose and scene are told of the
whole picture.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.pose import eye
from ..world.labels import MATERIALS
from ..world.poses import FAMILIES
from ..world.scenes import SCENES
from ..world.things import KINDS, THINGS, TINTS, kinds_of, palette_of

POSES = (*FAMILIES, "nobody")
PLACES = tuple(SCENES)
COARSE, FINE, HIDDEN = 64, 32, 128
OWN = 2 * COARSE + FINE + 3  # numbers that are read of one material
BODY = 3 * eye.POINTS  # numbers that say how a body stands
IMPOSSIBLE = -1e4


class Sight(NamedTuple):
    """The views, and scores B,13,K of each material's kind, B,13,T of its colour, B,9 of the pose, B,8 of
    the scene."""

    views: eye.Views
    kinds: Tensor
    tints: Tensor
    poses: Tensor
    scenes: Tensor


def possible() -> tuple[Tensor, Tensor]:
    """0 for kinds 13,K and colours 13,T that a material can have, else a score that no sum makes up for."""
    kinds = torch.full((len(MATERIALS), len(KINDS)), IMPOSSIBLE)
    tints = torch.full((len(MATERIALS), len(TINTS)), IMPOSSIBLE)
    for index, name in enumerate(MATERIALS):
        some, colours = (kinds_of(name), palette_of(name)) if name in THINGS else (("",), ("",))
        kinds[index, [KINDS.index(kind) for kind in some]] = 0
        tints[index, [TINTS.index(colour) for colour in colours]] = 0
    return kinds, tints


def pooled(maps: Tensor, shares: Tensor) -> Tensor:
    """Means B,M,C of maps B,C,h,w under shares B,M,h,w."""
    total = shares.sum((2, 3)).clamp_min(1e-3)
    return torch.einsum("bmhw,bchw->bmc", shares, maps) / total[..., None]


def stance(places: Tensor, presence: Tensor) -> Tensor:
    """Where the points are beside their own middle, in units of how far they spread, and their chances: B,72
    of scores B,24,h,w and B,24."""
    where = places.flatten(2).softmax(2).view_as(places)
    y = torch.arange(places.shape[2], device=places.device, dtype=where.dtype)
    x = torch.arange(places.shape[3], device=places.device, dtype=where.dtype)
    at = torch.stack([(where.sum(2) * x).sum(2), (where.sum(3) * y).sum(2)], 2)
    chances = presence.sigmoid()[..., None]
    total = chances.sum(1, keepdim=True).clamp_min(1e-3)
    beside = at - (chances * at).sum(1, keepdim=True) / total
    spread = ((chances * beside.square()).sum((1, 2), keepdim=True) / total).sqrt().clamp_min(1.0)
    return torch.cat([(chances * beside / spread).flatten(1), chances[..., 0]], 1)


class Network(eye.Eye):
    """Sight of pictures B,3,H,W in −0.5…0.5, where 0 fills what lies outside; H and W multiples of 32.

    Materials are scored in half-pixels, which know edges, and in cells of 4, which know more of the whole.
    The forward pass gives the views alone, as the detector's does.
    """

    kinds_possible: Tensor
    tints_possible: Tensor

    def __init__(self) -> None:
        super().__init__()
        half, fourth, *_, last = eye.WIDTHS
        self.materials = nn.Sequential(eye.convolution(half, half), nn.Conv2d(half, len(MATERIALS), 1))
        self.coarse, self.detail = eye.convolution(fourth, COARSE), eye.convolution(half, FINE)
        self.masses = nn.Conv2d(COARSE, len(MATERIALS), 1)
        nn.init.zeros_(self.masses.weight)
        self.thing = nn.Linear(OWN, HIDDEN)
        self.which = nn.Parameter(torch.zeros(len(MATERIALS), HIDDEN))
        self.kind, self.tint = nn.Linear(HIDDEN, len(KINDS)), nn.Linear(HIDDEN, len(TINTS))
        self.pose = head(eye.DIMENSIONS + BODY + len(MATERIALS), len(POSES))
        self.scene = head(last + OWN, len(PLACES))
        kinds, tints = possible()
        self.register_buffer("kinds_possible", kinds, persistent=False)
        self.register_buffer("tints_possible", tints, persistent=False)

    def forward(self, pictures: Tensor) -> eye.Views:
        return self.see(pictures).views

    def see(self, pictures: Tensor) -> Sight:
        """All that the network tells of pictures."""
        half, fourth, deep = self.maps(pictures)
        coarse, views = self.coarse(fourth), self.views(half, fourth, deep)
        masses = functional.interpolate(self.masses(coarse).float(), scale_factor=2.0, mode="bilinear")
        views = views._replace(materials=views.materials + masses)
        # The room around a picture is filled with a grey that no picture of bytes has.
        inside = functional.avg_pool2d((pictures != 0).any(1, keepdim=True).float(), 2)
        shares = views.materials.softmax(1).detach() * inside
        own = self.read(pictures, half, coarse, shares)
        hidden = functional.relu(self.thing(own) + self.which).float()
        body = stance(views.places.detach(), views.presence.detach())
        seen = torch.cat([views.features, body, shares.mean((2, 3))], 1)
        return Sight(
            views,
            self.kind(hidden).float() + self.kinds_possible,
            self.tint(hidden).float() + self.tints_possible,
            self.pose(seen).float(),
            self.scene(torch.cat([deep, own[:, 0]], 1)).float(),
        )

    def read(self, pictures: Tensor, half: Tensor, coarse: Tensor, shares: Tensor) -> Tensor:
        """The numbers B,13,163 of each material: mean and peak of coarse maps, mean of fine ones and of the
        picture itself, under the shares B,13,H/2,W/2."""
        coarse, detail = coarse.float(), self.detail(half).float()
        wide = functional.avg_pool2d(shares, 2)
        peaks = torch.stack([(coarse * one[:, None]).amax((2, 3)) for one in wide.unbind(1)], 1)
        colours = functional.avg_pool2d(pictures.float(), 2)
        means = (pooled(coarse, wide), pooled(detail, shares), pooled(colours, shares))
        return torch.cat([peaks, *means], 2)


def head(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(inplace=True), nn.Linear(HIDDEN, outputs))


def network(seed: int = 0) -> Network:
    """A fresh network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network()
