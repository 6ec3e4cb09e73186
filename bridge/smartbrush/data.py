"""What SmartBrush is trained on: encoded squares of pictures with a thing, and pictures from words alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import comfy.model_management as management
import torch
from torch import Tensor

from ...core.smartbrush.example import Shape, shape, square, whole
from ...training.parallel import Group

KEPT = 4096  # encoded squares in memory
OBJECTS = 0.8  # how often a thing is painted; else a picture from words (Xie et al. 2023)
NO_WORDS = 0.1  # how often there are none, for guidance


@dataclass(frozen=True)
class Object:
    """A thing: how to get its picture (3,H,W) and mask (1,H,W), its class, and a caption of it, if any."""

    shown: Callable[[], tuple[Tensor, Tensor]]
    label: str
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A whole picture, and its words."""

    shown: Callable[[], Tensor]
    caption: str


class Encoded(NamedTuple):
    """A square: its latent (C,h,w, in the model's units) and the exact mask in it in pixels (1,S,S)."""

    latent: Tensor
    mask: Tensor


class Batch(NamedTuple):
    """Latents B,C,h,w; masks and exact masks B,1,h,w in cells; precisions B; 1 for rows of things, 0 for
    pictures from words; noise; the number of each row's level of noise; words."""

    latents: Tensor
    masks: Tensor
    exact: Tensor
    precisions: Tensor
    objects: Tensor
    noise: Tensor
    levels: Tensor
    prompts: list[str]


class Examples:
    """Squares of things and of whole pictures by number; the same numbers give the same square."""

    def __init__(
        self, objects: Sequence[Object], pictures: Sequence[Picture], side: int, views: int, seed: int,
        vae: Any, process: Callable[[Tensor], Tensor],
    ) -> None:  # fmt: skip
        self.objects, self.pictures, self.views, self.seed = objects, pictures, views, seed
        self.side, self.vae, self.process = side, vae, process
        self.cell = int(vae.spacial_compression_encode())
        self.kept: OrderedDict[tuple[bool, int, int], Encoded] = OrderedDict()

    def encoded(self, is_object: bool, number: int, which: int) -> Encoded:
        """One of a thing's or a picture's squares, encoded."""
        key = (is_object, number, which)
        if key not in self.kept:
            management.throw_exception_if_processing_interrupted()
            self.kept[key] = self.encode(*key)
            if len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        return self.kept[key]

    @torch.inference_mode()
    def encode(self, is_object: bool, number: int, which: int) -> Encoded:
        """A square as the network learns it."""
        random = torch.Generator().manual_seed((self.seed * 1_000_003 + number * 1009 + which) % 2**63)
        if is_object:
            photo, mask = square(*self.objects[number].shown(), self.side, random)
        else:
            photo = whole(self.pictures[number].shown(), self.side, random)
            mask = torch.ones_like(photo[:1])
        latent = self.process(self.vae.encode(photo[None].movedim(1, -1)).float().cpu())[0]
        return Encoded(latent, mask)

    def words(self, is_object: bool, number: int, by_caption: bool) -> str:
        """A thing's class or its caption, where it has one; a picture's caption."""
        if not is_object:
            return self.pictures[number].caption
        one = self.objects[number]
        return one.caption if by_caption and one.caption else one.label


class Batches:
    """Endless batches that go on exactly where they were. All processes draw the same numbers and take their
    share of the rows."""

    def __init__(
        self, examples: Examples, count: int, levels: int, seed: int, group: Group | None = None
    ) -> None:
        self.examples, self.count, self.levels = examples, count, levels
        self.random = torch.Generator().manual_seed(seed)
        self.share = (group or Group()).share(count)

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        rows = [self.row() for _ in range(self.count)]
        encoded, shapes, objects, words = zip(*rows[self.share], strict=True)
        levels = torch.randint(self.levels, (self.count,), generator=self.random)[self.share]
        latents = torch.stack([each.latent for each in encoded])
        noise = torch.randn((self.count, *latents.shape[1:]), generator=self.random)[self.share]
        masks, exact = (torch.stack(each) for each in list(zip(*shapes, strict=True))[:2])
        precisions = torch.tensor([each.precision for each in shapes])
        return Batch(latents, masks, exact, precisions, torch.tensor(objects), noise, levels, list(words))

    def row(self) -> tuple[Encoded, Shape, float, str]:
        """One row: what, which of its squares, its mask's precision, and its words."""
        chances = torch.rand(3, generator=self.random)
        is_object = bool(chances[0] < OBJECTS) or not self.examples.pictures
        some: Sequence[Any] = self.examples.objects if is_object else self.examples.pictures
        number, which = (
            int(torch.randint(most, (), generator=self.random)) for most in (len(some), self.examples.views)
        )
        encoded = self.examples.encoded(is_object, number, which)
        words = self.examples.words(is_object, number, bool(chances[1] < 0.5))
        made = shape(encoded.mask, self.examples.cell, self.random)
        return encoded, made, float(is_object), "" if chances[2] < NO_WORDS else words

    def state_dict(self) -> dict[str, Any]:
        """Where its random numbers are."""
        return {"random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.random.set_state(state["random"])
