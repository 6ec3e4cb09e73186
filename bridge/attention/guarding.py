"""One guarded run: the maps of words as it goes on, the shape they give, and the photo around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import comfy.sampler_helpers
import comfy.utils
import torch
from torch import Tensor

from ...core.attention.maps import daam
from ...core.attention.shape import LEFT, Shaping, first_step, shape_of
from ...core.attention.steps import step_of
from ...core.attention.words import Word
from ...core.mask.feather import Direction, feather
from ...core.shapes import Size
from ..notices import notice
from .blocks import Network, fine_layers
from .install import Run
from .maps import chosen_of
from .places import Place, places_of
from .recorder import TOGETHER, Plan, Taking

WHO = "Shape Guard"


@dataclass(frozen=True)
class Task:
    """What is guarded."""

    network: Network
    cell: int  # px
    words: Sequence[Word]
    text: Tensor  # encoded: rows, columns, width
    photo: Tensor  # latent of the photo: rows, channels, height, width
    coarse: Tensor  # its noise mask
    start: float  # share of the steps that paints all of the coarse mask
    shaping: Shaping  # lengths in cells


class Following(Taking):
    """The sums of a run's maps, in which those of steps before fade."""

    def check(self, size: int) -> None:
        """ValueError if the maps need more memory than there is."""
        self.check_memory(size)

    def less(self) -> str:
        return "sample fewer or smaller pictures at once"

    def fade(self) -> None:
        """Let what was added so far count less than what is to come."""
        for prompt in self.prompts.values():
            for part in prompt.parts:
                part.sums *= LEFT


class Guarding:
    """The state of one run."""

    def __init__(self, task: Task, run: Run) -> None:
        self.task, self.run = task, run
        self.check()
        layers = fine_layers(task.network, run.shape[-2:])
        self.taking = Following(Plan(task.network, layers, "", TOGETHER, task.cell, WHO), run)
        prompts, rows = list(self.taking.prompts.values()), [*range(run.rows)]
        self.places = places_of(prompts, task.text, rows, WHO) if prompts else {}
        cells = (run.rows, 1, *run.shape[-2:])
        self.coarse = comfy.sampler_helpers.prepare_mask(task.coarse, cells, torch.device("cpu"))[:, :1]
        self.mask = torch.ones(cells)  # how much of each cell is painted
        self.first, self.step, self.seen = first_step(task.start, run.steps), 0, False
        self.photo: Any = None

    def check(self) -> None:
        """ValueError unless the sampler's latents are of the photo's size and number."""
        photo, shape = self.task.photo, self.run.shape
        if tuple(photo.shape[1:]) != tuple(shape[1:]):
            own, other = (f"{some[-1]}×{some[-2]}" for some in (photo.shape, shape))
            raise ValueError(
                f"{WHO}: the photo's latent has {own} cells but the sampler's has {other}; connect the "
                "latent of the same picture to both."
            )
        if shape[0] % len(photo):
            raise ValueError(
                f"{WHO}: there are {len(photo)} photos but the sampler has {shape[0]} rows; connect one "
                "photo, or one for each row."
            )

    @property
    def begun(self) -> bool:
        return self.photo is not None

    def begin(self, inner: Any, device: Any) -> None:
        """Bring the photo to where the sampler computes, in the model's own scale."""
        photo = comfy.utils.repeat_to_batch_size(self.task.photo, self.run.rows)
        self.photo = inner.process_latent_in(photo.to(device, torch.float32))

    def enter(self, sigma: float) -> None:
        """Begin a call of the model; with each new step the maps of those before fade."""
        step = step_of(sigma, self.run.sigmas)
        if step != self.step:
            self.taking.fade()
            self.step = step

    def kept(self, answer: Tensor) -> Tensor:
        """The model's answer with the photo outside of the shape."""
        return mixed(self.mask.to(answer), answer, self.photo.to(answer))

    def restored(self, result: Tensor) -> Tensor:
        """The result of a sampler with the photo where nothing was painted."""
        return torch.where(self.mask.to(result) <= 0, self.photo.to(result), result)

    def reduced(self, concat: Tensor | None, keys: Sequence[str]) -> Tensor | None:
        """What an inpaint model gets beside the latent, with the shape as its mask."""
        if concat is None or concat.shape[-2:] != self.mask.shape[-2:] or len(concat) % len(self.mask):
            return concat
        counts = [1 if key in ("mask", "mask_inverted") else self.photo.shape[1] for key in keys]
        if sum(counts) != concat.shape[1]:
            return concat
        chunks = len(concat) // len(self.mask)
        photo = self.photo.to(concat).repeat(chunks, 1, 1, 1)
        known = (self.mask <= 0).to(concat.device).repeat(chunks, 1, 1, 1)
        own = {"mask": 0.0, "mask_inverted": 1.0, "masked_image": photo}
        parts = zip(keys, concat.split(counts, 1), strict=True)
        return torch.cat([torch.where(known, own.get(key, part), part) for key, part in parts], 1)

    def follow(self) -> None:
        """Find the shape anew from the maps so far."""
        self.mask = torch.ones_like(self.mask)
        if self.step < self.first:
            return
        for row in range(self.run.rows):
            coarse = self.coarse[row, 0]
            found = [self.map_of(word, self.places.get(row, ()), row) for word in self.task.words]
            some = [each.cpu() for each in found if each is not None]
            if some:
                shape = shape_of(some, coarse > 0, self.task.shaping)
                self.mask[row, 0] = painted(shape, coarse, self.task.shaping)
                self.seen = True

    def map_of(self, word: Word, places: Sequence[Place], row: int) -> Tensor | None:
        """A word's map (height, width) in a row so far; None where it was in no prompt that was recorded."""
        filled = {id(place.prompt): place.prompt.filled for place in places}
        some = chosen_of(filled, word, places, row)
        return daam(some, Size(self.run.shape[-1], self.run.shape[-2]))[0] if some else None

    def of_thing(self) -> Tensor:
        """How much of each cell was painted within the coarse mask (rows,1,height,width)."""
        return (self.mask + self.coarse - 1).clamp(0, 1)

    def notice_unguarded(self) -> None:
        """Give notice of a run in which the words were never found."""
        if self.seen or self.first >= self.run.steps:
            return
        why = self.taking.missed or "the sampler has no prompt with these words"
        notice(f"{WHO}: nothing was guarded in this run, as {why}.")


def mixed(mask: Tensor, inside: Tensor, outside: Tensor) -> Tensor:
    """Inside where the mask is 1, to the bit; outside where it is 0."""
    return torch.where(mask >= 1, inside, mask * inside + (1 - mask) * outside)


def painted(shape: Tensor, coarse: Tensor, shaping: Shaping) -> Tensor:
    """How much of each cell is painted (height, width; 0…1): in `coarse` (0…1) the shape (bool).

    The shape is grown, with a soft edge outwards. Outside of `coarse` nothing is held back.
    """
    grown = feather(shape[None, None].float(), shaping.grow, shaping.feather, Direction.OUTWARD)[0, 0]
    return 1 - coarse * (1 - grown)
