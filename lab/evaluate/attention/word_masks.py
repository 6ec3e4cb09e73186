"""Word Mask and Attention Maps on drawn pictures, whose things are known, and on generated ones."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from ...toy import world
from ...toy.world.labels import GARMENTS, MATERIAL, OBJECTS
from ..cells import ceiling, large, overlap
from ..evaluator import Evaluator
from .stage import CELL, Stage

PART = "test"
COUNT = 50  # pictures of each view
VIEWS = ("closer", "whole")
USUAL, SHUFFLED = "as the node takes them", "shuffled"
GROUPS = ("encoder", "middle", "decoder", "all")
LAYERS = 16
THRESHOLDS = {"Otsu": 0.0, "0.3": 0.3, "0.4": 0.4, "0.5": 0.5}
STEPS, CFG = 20, 4.0
PLACE = "place"  # all that is no person and no thing
Row = dict[str, Any]


class Thing(NamedTuple):
    """What is looked for: its name, the words for it in the text, and its mask (bool H,W)."""

    name: str
    words: str
    mask: np.ndarray


class Picture(NamedTuple):
    """A drawn picture with the text that says what it shows."""

    view: str
    seed: int
    image: np.ndarray
    text: str
    things: list[Thing]


def pictures(count: int = COUNT) -> Iterator[Picture]:
    """Drawn pictures of both views that no training saw, with their garments, objects and the place."""
    for view in VIEWS:
        for seed in range(count):
            example = (world.closer if view == "closer" else world.example)(seed, PART)
            yield Picture(view, seed, example.image, example.caption, things(example.caption, example.masks))


def things(text: str, masks: dict[str, np.ndarray]) -> list[Thing]:
    """The things that a caption names and that are at least three cells wide and high, and the place."""
    from ...train import phrases

    said = phrases.words(text)
    found = []
    for phrase in phrases.phrases(text):
        words = " ".join(said[phrase.first : phrase.last + 1])
        names = [name for name in GARMENTS if f"{name} colour" in phrase.attributes]
        names += [name for name, _ in phrase.attributes.get("objects", ())]
        found += [Thing(name, words, masks[name]) for name in names if name in masks]
        if "scene" in phrase.attributes:
            found.append(Thing(PLACE, said[phrase.last], ~union(masks)))
    return [each for each in found if each.mask.any() and large(each.mask)]


def union(masks: dict[str, np.ndarray]) -> np.ndarray:
    """Where anything is that is no background."""
    return np.any([mask for name, mask in masks.items() if name in MATERIAL], 0)


class Seeker(Stage):
    """The text-to-image model, asked where words are."""

    def record(self, picture: Picture) -> Any:
        """What every layer attended to in a photo, as Word Mask looks at it."""
        module = importlib.import_module("recompose.bridge.attention.word_mask")
        with torch.inference_mode():
            latent = self.encoded(picture.image)
            return module.looked_at(
                self.model, self.clip, latent, picture.text, "all", 0, detail="each layer"
            )

    def usual(self, picture: Picture) -> str:
        """The layers that Word Mask takes of itself."""
        module = importlib.import_module("recompose.bridge.attention.word_mask")
        sides = (side // CELL for side in picture.image.shape[:2])
        return module.usual_layers(self.model, torch.zeros(1, 4, *sides))

    def painted(self, text: str, height: int, width: int, seed: int) -> tuple[np.ndarray, Any]:
        """A picture H,W,3 uint8 of a text, and what every layer attended to as it was made."""
        recorder = importlib.import_module("recompose.bridge.attention.recorder")
        sample = importlib.import_module("comfy.sample")
        model, records = recorder.record(self.model, "each layer", "", "")
        words = [self.clip.encode_from_tokens_scheduled(self.clip.tokenize(each)) for each in (text, "")]
        empty = torch.zeros(1, 4, height // CELL, width // CELL)
        with torch.inference_mode():
            made = sample.sample(
                model, sample.prepare_noise(empty, seed), STEPS, CFG, "euler", "normal", *words, empty,
                seed=seed, disable_pbar=True,
            )  # fmt: skip
        return self.pixels(made)[0], records.held[-1]

    def masks(self, record: Any, text: str, thing: Thing, layers: str, threshold: float) -> np.ndarray:
        """The mask H,W of a thing's words by some layers and a threshold, 0 for Otsu's."""
        maps = importlib.import_module("recompose.bridge.attention.maps")
        columns = importlib.import_module("recompose.bridge.attention.columns")
        places = importlib.import_module("recompose.bridge.attention.places")
        size = importlib.import_module("recompose.core.shapes").Size
        word = columns.words_in(self.clip, text, thing.words, "maps")[0]
        height, width = thing.mask.shape
        whole = size(-(-width // CELL) * CELL, -(-height // CELL) * CELL)
        painter = maps.Painter(record, maps.Look(maps.HEAT, maps.DAAM, threshold, layers=layers), whole)
        there = [places.Place(prompt, 0) for prompt in record.prompts]
        mask, _ = painter.masked(painter.chosen(word, there, 0), word, 0)
        return mask.numpy()[:height, :width] >= 0.5


def row(seeker: Seeker, picture: Picture) -> Row:
    """One drawn picture's row: each thing's overlaps by layers and thresholds, beside its ceiling."""
    record, usual = seeker.record(picture), seeker.usual(picture)
    random = np.random.default_rng(picture.seed)
    found: Row = {"run": f"drawn, {picture.view}", "seed": picture.seed, "things": []}
    for thing in picture.things:

        def seen(layers: str, threshold: float, thing: Thing = thing) -> float:
            return round(overlap(seeker.masks(record, picture.text, thing, layers, threshold), thing.mask), 4)

        one: Row = {"name": thing.name, "ceiling": round(ceiling(thing.mask), 4)}
        one |= {f"{USUAL}, {name}": seen(usual, value) for name, value in THRESHOLDS.items()}
        one |= {f"{name}, Otsu": seen(name, 0.0) for name in GROUPS}
        one["layers"] = [seen(str(number), 0.0) for number in range(LAYERS)]
        mask = seeker.masks(record, picture.text, thing, usual, 0.0)
        one[SHUFFLED] = round(overlap(shuffled(mask, random), thing.mask), 4)
        found["things"].append(one)
    return found


def shuffled(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A mask whose squares of a cell have changed places."""
    height, width = mask.shape
    rows, columns = height // CELL, width // CELL
    cells = mask[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL).swapaxes(1, 2)
    mixed = random.permutation(cells.reshape(-1, CELL, CELL)).reshape(rows, columns, CELL, CELL)
    found = np.zeros_like(mask)
    found[: rows * CELL, : columns * CELL] = mixed.swapaxes(1, 2).reshape(rows * CELL, columns * CELL)
    return found


def generated(seeker: Seeker, evaluator: Evaluator, picture: Picture) -> Row:
    """One generated picture's row: the overlap of each thing that the evaluator sees with its words' mask."""
    image, record = seeker.painted(picture.text, *picture.image.shape[:2], picture.seed)
    (seen,) = evaluator.look([image])
    found: Row = {"run": f"generated, {picture.view}", "seed": picture.seed, "things": []}
    for thing in picture.things:
        shown = seen.things.get(thing.name)
        if thing.name not in (*GARMENTS, *OBJECTS) or shown is None or not large(shown.mask):
            continue
        own = thing._replace(mask=shown.mask)
        masks = {name: seeker.masks(record, picture.text, own, layers, 0.0) for name, layers in
                 ((USUAL, seeker.usual(picture)), ("all", ""))}  # fmt: skip
        overlaps = {f"{name}, Otsu": round(overlap(mask, own.mask), 4) for name, mask in masks.items()}
        found["things"].append({"name": thing.name, "ceiling": round(ceiling(own.mask), 4), **overlaps})
    return found
