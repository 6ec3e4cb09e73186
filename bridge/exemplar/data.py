"""What an exemplar model is trained on: encoded views of objects, made as drawn and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import comfy.model_management as management
import torch
from torch import Tensor

from ...core.exemplar import photo as holes
from ...core.exemplar.views import Box, View, view
from ...core.mask.latent_cells import whole_grid
from ...core.shapes import Size
from ...training.parallel import Group
from .encoder import ExemplarEncoder

KEPT = 4096  # encoded views in memory
NO_REFERENCE = 0.2  # how often the learned word of no object stands for the reference (Yang et al. 2023)


class Object(NamedTuple):
    """An object: how to get its picture (3,H,W), and where it is there."""

    picture: Callable[[], Tensor]
    box: Box


class Encoded(NamedTuple):
    """A view: its latent and that of the masked photo (C,h,w, in the model's units), where the photo stays
    (1,h,w), and what the tower makes of the reference (W)."""

    latent: Tensor
    masked: Tensor
    stays: Tensor
    pooled: Tensor


class Batch(NamedTuple):
    """Latents B,C,h,w; what the network gets beside them; the references' pooled states B,W; which rows go
    without; noise; the number of each row's level of noise."""

    latents: Tensor
    known: Tensor
    pooled: Tensor
    without: Tensor
    noise: Tensor
    levels: Tensor


class Examples:
    """Views of objects by number; the same numbers give the same view, in whatever order."""

    def __init__(
        self, objects: Sequence[Object], side: int, count: int, seed: int, vae: Any, encoder: ExemplarEncoder,
        process: Callable[[Tensor], Tensor],
    ) -> None:  # fmt: skip
        self.objects, self.side, self.count, self.seed = objects, side, count, seed
        self.vae, self.encoder, self.process = vae, encoder, process
        self.kept: OrderedDict[tuple[int, int], Encoded] = OrderedDict()

    def shown(self, number: int, which: int) -> View:
        """One of an object's views."""
        one = self.objects[number]
        random = torch.Generator().manual_seed((self.seed * 1_000_003 + number * 1009 + which) % 2**63)
        return view(one.picture(), one.box, self.side, self.encoder.side, random)

    def encoded(self, number: int, which: int) -> Encoded:
        """One of an object's views, encoded."""
        key = (number, which)
        if key not in self.kept:
            management.throw_exception_if_processing_interrupted()
            self.kept[key] = self.encode(self.shown(number, which))
            if len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        return self.kept[key]

    @torch.inference_mode()
    def encode(self, seen: View) -> Encoded:
        """A view as the network gets it."""
        grid = whole_grid(Size(self.side, self.side), int(self.vae.spacial_compression_encode()))
        cells = holes.holes(seen.mask[None], grid)
        pictures = [seen.photo[None], holes.without_holes(seen.photo[None], cells, grid)]
        # One by one, as a photo is encoded when it is painted in.
        latent, masked = (
            self.process(self.vae.encode(each.movedim(1, -1)).float().cpu())[0] for each in pictures
        )
        return Encoded(latent, masked, 1 - cells[0], self.encoder.pooled(seen.reference[None])[0])


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
        numbers, views, levels = (
            torch.randint(most, (self.count,), generator=self.random)
            for most in (len(self.examples.objects), self.examples.count, self.levels)
        )
        without = torch.rand(self.count, generator=self.random) < NO_REFERENCE
        some = [
            self.examples.encoded(int(number), int(which))
            for number, which in zip(numbers[self.share], views[self.share], strict=True)
        ]
        latents, masked, stays, pooled = (torch.stack(each) for each in zip(*some, strict=True))
        noise = torch.randn((self.count, *latents.shape[1:]), generator=self.random)[self.share]
        known = torch.cat([masked, stays], 1)
        return Batch(latents, known, pooled, without[self.share], noise, levels[self.share])

    def state_dict(self) -> dict[str, Any]:
        """Where its random numbers are."""
        return {"random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.random.set_state(state["random"])
