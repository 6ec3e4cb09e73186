"""Attention Maps: where the words of a prompt are in the picture that a recorded run made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...core.attention import heat, maps, overlay, ranges
from ...core.attention.maps import Chosen
from ...core.attention.record import Part, Prompt, Record, Records, nearest, rows_of, together
from ...core.attention.words import Word
from ...core.shapes import Size
from .. import layouts
from ..latent import check_latent
from ..layouts import check_finite
from ..notices import notice
from .columns import words_in
from .places import Place, places_of_text
from .recorder import free_memory

WHO = "Attention Maps"
OVERLAY, HEAT, SHEET_LAYERS, SHEET_STEPS = "overlay", "heat map", "sheet of layers", "sheet of steps"
DAAM, LOCAL_BLEND = "DAAM", "prompt-to-prompt"
NAN = (
    "holds NaN or infinite values, so nothing can be found in it; check the model (a LoRA that does not fit "
    "and half precision are the usual causes)."
)
# Of a pixel's picture, mask and map, twice as they are put together.
BYTES = 2 * 4 * (3 + 1 + 1)
# Words whose maps are made for the page; asked for or not.
MOST_WORDS = 200
GROUPS = {"encoder", "middle", "decoder", "double", "single"}


class Look(NamedTuple):
    """How maps are made and shown."""

    show: str
    aggregation: str
    threshold: float  # 0: Otsu's
    labels: bool = False
    layers: str = ""
    steps: str = ""


class Made(NamedTuple):
    """The outputs of the node, in their order; for each row of the latent one for each word."""

    images: Tensor
    masks: Tensor
    maps: Tensor


class Shown(NamedTuple):
    """What the node gives to other nodes, and to the page: for each row of the latent an overlay."""

    outputs: Made
    overlays: list[dict[str, Any]]


def attention_maps(
    records: Any, latent: Any, clip: Any, text: str, words: str, look: Look, image: Tensor | None = None
) -> Shown:
    """The maps of the words in the run that made the LATENT; ValueError by a sentence."""
    if clip is None:
        raise ValueError(
            f"{WHO} needs the CLIP that encoded the prompt; connect it (some checkpoints hold none)."
        )
    record, rows = recorded(records, latent)
    found = words_in(clip, text, words, WHO)
    picture = picture_of(image, record, rows)
    size = full_size(record) if picture is None else layouts.size_of(picture)
    check_count(len(found) * len(rows), size)
    painter = Painter(record, look, size)
    every = listed(found, clip, text)
    shown, masks, values, overlays = [], [], [], []
    for row, places in places_of_text(record.prompts, clip, text, rows, WHO).items():
        beneath = None if picture is None else picture[rows.index(row) % len(picture)]
        for word in found:
            some = painter.chosen(word, places, row)
            mask, full = painter.masked(some, word, row)
            masks.append(mask)
            values.append(full)
            shown.append(painter.drawn(some, full, word, beneath))
        overlays.append({"row": row, "asked": len(found), **painter.overlay(every, places, row, beneath)})
    both = (layouts.mask_to_comfy(torch.stack(some)[:, None]) for some in (masks, values))
    return Shown(Made(layouts.image_to_comfy(torch.stack(shown)), *both), overlays)


def listed(found: Sequence[Word], clip: Any, text: str) -> list[Word]:
    """The words that were asked for and, after them, the other words of the text."""
    known = {word.columns for word in found}
    others = [word for word in words_in(clip, text, "", WHO) if word.columns not in known]
    return [*found, *others][: max(MOST_WORDS, len(found))]


def recorded(records: Any, latent: Any) -> tuple[Record, list[int]]:
    """The record of the run that made a LATENT, and which rows of it the latent has."""
    if not isinstance(records, Records):
        raise ValueError(
            f"{WHO} needs the attention of Record Attention but got a {type(records).__name__}; connect it."
        )
    samples = check_latent(latent, WHO)["samples"]
    held = list(records.held)
    if not held:
        raise ValueError(
            f"{WHO}: nothing was recorded: the sampler has not run with the model of Record Attention, or "
            "its result came from the cache; connect that model to it, or change its seed and run again."
        )
    for record in reversed(held):
        rows = None if samples.is_nested else rows_of(record, samples)
        if rows is not None:
            return filled(record), rows
    record = None if samples.is_nested else nearest(held, samples)
    if record is None:
        record = held[-1]
        notice(
            f"{WHO}: the latent is not what the recorded run made, so the maps are those of the last run; "
            "connect the output of the sampler itself, or change its seed if it came from the cache."
        )
    return filled(record), [*range(len(record.result))]


def filled(record: Record) -> Record:
    """The record; ValueError where it holds no maps."""
    if not record.prompts:
        why = f", as {record.missed}" if record.missed else "; see the notice of its run"
        raise ValueError(f"{WHO}: nothing was recorded of this run{why}; record another run.")
    return record


def check_count(count: int, size: Size, who: str = WHO) -> None:
    """ValueError for more pictures than fit into memory with their masks."""
    taken = count * size.area * BYTES
    free = free_memory()
    if taken > free:
        raise ValueError(
            f"{who}: {count} maps of {size} px would take {taken / 1e9:.1f} GB but only {free / 1e9:.1f} GB "
            "are free; name fewer words."
        )


def full_size(record: Record) -> Size:
    """The size of the picture that a run made, in pixels."""
    return Size(record.size.width * record.cell, record.size.height * record.cell)


def picture_of(image: Tensor | None, record: Record, rows: Sequence[int]) -> Tensor | None:
    """The picture beneath the maps; ValueError if it is another batch or aspect than the latent."""
    if image is None:
        return None
    picture = layouts.image_from_comfy(image, f"{WHO}: image")
    size = layouts.size_of(picture)
    if len(picture) not in (1, len(rows)):
        raise ValueError(
            f"{WHO}: image has a batch of {len(picture)} but the latent has {len(rows)} rows; connect the "
            "decoded latent, or one picture."
        )
    if abs(size.height / size.width * record.size.width - record.size.height) > 1:
        raise ValueError(
            f"{WHO}: image is {size} but the latent is {record.size} cells, of another aspect; connect the "
            "decoded latent."
        )
    return picture


def parts_of(prompt: Prompt, look: Look) -> list[Part]:
    """The parts of a prompt's record that are asked for; ValueError if the record cannot tell them apart."""
    found = prompt.filled
    known = sorted({layer for part in found for layer in part.layers})
    if look.layers.strip():
        words = {name: [n for part in found if part.where == name for n in part.layers] for name in GROUPS}
        words = {name: numbers for name, numbers in words.items() if numbers} | {"all": known}
        asked = set(ranges.chosen(look.layers, max(known) + 1, f"{WHO}: layers", words)) & set(known)
        split = [part for part in found if asked & set(part.layers) and set(part.layers) - asked]
        if split:
            raise ValueError(
                f"{WHO}: the record holds layers {ranges.described(split[0].layers)} together; record each "
                "layer (detail of Record Attention), or name all of them."
            )
        found = [part for part in found if asked & set(part.layers)]
    if look.steps.strip():
        found = of_steps(found, look.steps)
    if not found:
        raise ValueError(f"{WHO}: layers and steps name nothing that was recorded; leave them empty for all.")
    return found


def of_steps(parts: Sequence[Part], text: str) -> list[Part]:
    """The parts of the steps that a text names."""
    known = [part.step for part in parts if part.step is not None]
    if not known:
        raise ValueError(
            f"{WHO}: the record holds all steps together; record each step (detail of Record Attention), or "
            "leave steps empty."
        )
    asked = ranges.chosen(text, max(known) + 1, f"{WHO}: steps")
    return [part for part in parts if part.step in asked]


def chosen_of(
    parts: Mapping[int, Sequence[Part]], word: Word, places: Sequence[Place], row: int
) -> list[Chosen]:
    """A row's parts with the word's columns, in every prompt in which the text is.

    `parts` are those of each prompt, by its id. Nothing where the columns lie beyond the prompts.
    """
    found = []
    for place in places:
        length = place.prompt.embedding.shape[1]
        columns = [each + place.offset for each in word.columns if 0 <= each + place.offset < length]
        some = parts[id(place.prompt)] if columns else []
        found += [Chosen(replace(part, sums=part.sums[row : row + 1]), columns) for part in some]
    return found


class Painter:
    """Makes the maps of one record, in one size."""

    def __init__(self, record: Record, look: Look, size: Size, who: str = WHO, each: str = "row") -> None:
        self.record, self.look, self.size = record, look, size
        self.who, self.each = who, each  # the node and what it calls a row, for its sentences
        self.parts = {id(prompt): parts_of(prompt, look) for prompt in record.prompts}
        self.local = look.aggregation == LOCAL_BLEND
        if self.local and not any(
            part.size == maps.quarter(record.size) for parts in self.parts.values() for part in parts
        ):
            notice(
                f"{self.who}: prompt-to-prompt is made for layers at a quarter of the latent's size, but "
                "none of these is; the nearest were taken. Choose DAAM for the mean of all."
            )

    @cached_property
    def whole(self) -> dict[int, list[Part]]:
        """The parts of each prompt, those of one size added up."""
        return {key: together(parts) for key, parts in self.parts.items()}

    def chosen(self, word: Word, places: Sequence[Place], row: int) -> list[Chosen]:
        """A row's parts with the word's columns, in every prompt in which the text is."""
        found = chosen_of(self.parts, word, places, row)
        if not found:
            raise ValueError(
                f'{self.who}: "{ranges.shown(word.text)}" lies beyond the tokens of the prompt that the '
                "picture was made with; write the text that it was made with."
            )
        return found

    def combined(self, some: Sequence[Chosen]) -> Tensor:
        """The map of a word in the latent's cells, as it was asked for."""
        combine = maps.prompt_to_prompt if self.local else maps.daam
        return combine(some, self.record.size)

    def overlay(
        self, words: Sequence[Word], places: Sequence[Place], row: int, beneath: Tensor | None
    ) -> dict[str, Any]:
        """What a page shows of a row: the words that have maps, the maps, and the picture beneath."""
        chosen = [(word.text, chosen_of(self.whole, word, places, row)) for word in words]
        found = [(text, self.combined(some)[0]) for text, some in chosen if some]
        values = torch.stack([each for _, each in found])
        return overlay.overlay(values, [text for text, _ in found], self.size, beneath)

    def masked(self, some: Sequence[Chosen], word: Word, row: int) -> tuple[Tensor, Tensor]:
        """The mask of a word and its map from 0 to 1, height and width of the picture."""
        found = self.combined(some)
        name = f'"{ranges.shown(word.text)}"'
        check_finite(found, f"{self.who}: the attention of {self.each} {row} to {name}", NAN)
        values = maps.stretched(found, self.local)
        threshold = self.look.threshold or maps.otsu(values)
        if threshold is None or float(found.max()) < maps.LEAST_HEIGHT:
            notice(
                f"{self.who}: nothing in {self.each} {row} stands out for {name}, so its mask is empty; "
                "set a threshold."
            )
            threshold = None
        return maps.mask_of(values[0], self.size, threshold), maps.scaled(values, self.size)[0]

    def drawn(self, some: Sequence[Chosen], full: Tensor, word: Word, beneath: Tensor | None) -> Tensor:
        """The picture of a word: its map over the picture or alone, or a sheet of maps."""
        if self.look.show in (SHEET_LAYERS, SHEET_STEPS):
            shown = heat.sheet(self.tiles(some), full_size(self.record))
        elif self.look.show == OVERLAY and beneath is not None:
            shown = heat.over(full[None], beneath[None].to(full))[0]
        else:
            shown = heat.heat(full[None])[0]
        shown = shown.clamp(0, 1)
        return heat.labelled(shown, word.text) if self.look.labels else shown

    def tiles(self, some: Sequence[Chosen]) -> list[Tensor]:
        """One map for each layer or group of layers as they run, or for each step."""
        by_step = self.look.show == SHEET_STEPS
        if by_step and any(each.part.step is None for each in some):
            raise ValueError(
                f"{WHO}: the record holds all steps together; record each step (detail of Record Attention) "
                "for a sheet of steps."
            )
        combine = maps.prompt_to_prompt if by_step and self.local else maps.daam
        found: dict[tuple[int, ...], list[Chosen]] = {}
        for each in some:
            found.setdefault((each.part.step or 0,) if by_step else each.part.layers, []).append(each)
        return [maps.stretched(combine(found[key], self.record.size))[0] for key in sorted(found)]
