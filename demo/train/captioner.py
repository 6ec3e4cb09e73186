"""Train the captioner on whole and cropped pictures, each with the caption of just what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor

from ...training import losses
from ..models import captioner, folder_of_captioner, vocabulary
from .pictures import Pictures, pictures
from .task import Places, Task, resume

START, END, IGNORED = 30522, 102, -100
BEGINNINGS = ("", "", "", "a photo of ", "full body photo of ")


class Described(NamedTuple):
    """Pixels B,3,128,128, word ids B,L to read, and places B,L in the list of known words to say, or -100."""

    pixels: Tensor
    words: Tensor
    targets: Tensor


class Words:
    """Word ids of captions, and their places among those the captioner can say."""

    def __init__(self) -> None:
        self.ids = {line: index for index, line in enumerate(vocabulary.lines(folder_of_captioner.words()))}
        pieces = vocabulary.pieces(folder_of_captioner.words())
        self.known = torch.tensor([END, *(self.ids[piece] for piece in pieces)])
        self.place = {int(index): place for place, index in enumerate(self.known)}

    def of(self, text: str) -> list[int]:
        """Ids of a caption's words; commas are words of their own."""
        return [self.ids[word] for word in text.replace(",", " ,").split()]


def normalised(image: np.ndarray) -> np.ndarray:
    """A picture H,W,3 uint8 as BLIP's preprocessing leaves it, 3,128,128."""
    size = (captioner.IMAGE_SIZE, captioner.IMAGE_SIZE)
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    mean, deviation = np.array(folder_of_captioner.MEAN), np.array(folder_of_captioner.DEVIATION)
    return ((small - mean) / deviation).transpose(2, 0, 1).astype(np.float32)


def described(source: Pictures, index: int, cropped: float, random: Generator) -> tuple[np.ndarray, str]:
    """A picture or its upper part, and the caption of what is in it."""
    image, entry = source.image(index), source.captions[index]
    if random.random() >= cropped:
        return image, entry["whole"]
    bottom, caption = entry["crops"][random.integers(len(entry["crops"]))]
    return image[:bottom], caption


def batches(source: Pictures, words: Words, config: dict[str, Any], seed: int) -> Iterator[Described]:
    """Endless batches; the loss leaves out the given beginning and what follows the end."""
    random = np.random.default_rng(seed)
    while True:
        pixels, read, say = [], [], []
        for index in random.integers(config["captioned"], size=config["batch"]):
            image, caption = described(source, int(index), config["cropped"], random)
            beginning = words.of(BEGINNINGS[random.integers(len(BEGINNINGS))])
            ids = words.of(caption)
            pixels.append(normalised(image))
            read.append([START, *beginning, *ids])
            say.append([IGNORED] * len(beginning) + [words.place[word] for word in [*ids, END]])
        length = max(len(row) for row in read)
        yield Described(
            torch.from_numpy(np.stack(pixels)),
            torch.tensor([row + [0] * (length - len(row)) for row in read]),
            torch.tensor([row + [IGNORED] * (length - len(row)) for row in say]),
        )


def task(config: dict[str, Any], places: Places) -> Task:
    """The captioner, what is minimised, and pictures with captions."""
    network, words = captioner.captioner(config["seed"]), Words()
    notes = resume(network, places, "captioner")
    network.to(places.device).train()
    known = words.known.to(places.device)

    def loss(batch: Described) -> Tensor:
        scores = captioner.word_scores(
            network, batch.pixels.to(places.device), batch.words.to(places.device), known
        )
        return losses.words(scores, batch.targets.to(places.device), IGNORED, config["smoothing"])

    source = pictures(places.cache, "train", config["pictures"])
    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    return Task({"captioner": network}, loss, batches(source, words, config, seed), {"captioner": notes})
