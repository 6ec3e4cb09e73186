"""What a concept is learned from: cached latents, where they count, and their prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import comfy.model_management as management
import torch
from torch import Tensor

from ...core.concepts import augment
from ...training.parallel import Group

VARIANTS = 16  # views of each picture


@dataclass(frozen=True)
class Examples:
    """Latents N,C,h,w in the model's units, where they count N,1,h,w, and their prompts."""

    latents: Tensor
    counts: Tensor
    prompts: Sequence[str]

    def only(self, number: int) -> Examples:
        """One of them."""
        row = slice(number, number + 1)
        return Examples(self.latents[row], self.counts[row], list(self.prompts)[row])


class Batch(NamedTuple):
    """Latents B,C,h,w, where they count, noise, the number of each row's level of noise, its weight in the
    loss, and its prompt."""

    latents: Tensor
    counts: Tensor
    noise: Tensor
    levels: Tensor
    weights: Tensor
    prompts: list[str]


def examples(
    images: Sequence[Tensor], masks: Sequence[Tensor], captions: Sequence[str], side: int, cell: int,
    vary: bool, seed: int, encode: Callable[[Tensor], Tensor],
) -> Examples:  # fmt: skip
    """The latents of pictures C,H,W with masks 1,H,W and prompts, each in several views or in one."""
    random = torch.Generator().manual_seed(seed)
    views, prompts = [], []
    for picture, mask, caption in zip(images, masks, captions, strict=True):
        picture, mask = augment.square(picture, side), augment.square(mask, side)
        for _ in range(VARIANTS if vary else 1):
            made = augment.view(picture, mask, cell, random) if vary else augment.plain(picture, mask, cell)
            views.append(made)
            prompts.append(made.words + caption)
    latents = []
    for each in views:
        management.throw_exception_if_processing_interrupted()
        latents.append(encode(each.picture[None]))
    return Examples(torch.cat(latents), torch.stack([each.counts for each in views]), prompts)


class Batches:
    """Endless batches of a concept's examples, then as many of its class, that go on exactly where they were.

    All processes draw the same numbers and take their share of the rows.
    """

    def __init__(
        self, own: Examples, prior: Examples | None, count: int, levels: int, prior_weight: float, seed: int,
        group: Group | None = None,
    ) -> None:  # fmt: skip
        self.parts = [(own, 1.0)] + ([(prior, prior_weight)] if prior else [])
        self.count, self.levels = count, levels
        self.random = torch.Generator().manual_seed(seed)
        self.share = (group or Group()).share(count)

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        parts = [self.part(examples, weight) for examples, weight in self.parts]
        tensors = [torch.cat(each) for each in zip(*(part[:-1] for part in parts), strict=True)]
        return Batch._make([*tensors, [text for part in parts for text in part.prompts]])

    def part(self, source: Examples, weight: float) -> Batch:
        """This process's rows of some examples."""
        rows = torch.randint(len(source.latents), (self.count,), generator=self.random)
        levels = torch.randint(self.levels, (self.count,), generator=self.random)
        noise = torch.randn((self.count, *source.latents.shape[1:]), generator=self.random)
        mine = rows[self.share]
        weights = torch.full((len(mine),), weight / len(mine))
        prompts = [source.prompts[int(row)] for row in mine]
        return Batch(
            source.latents[mine], source.counts[mine], noise[self.share], levels[self.share], weights, prompts
        )

    def state_dict(self) -> dict[str, Any]:
        """Where its random numbers are."""
        return {"random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.random.set_state(state["random"])
