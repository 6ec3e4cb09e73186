"""Train the captioner on whole and cropped pictures, each with the caption of just what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from ...training import losses
from ..toy import world
from ..toy.models import captioner, folder_of_captioner, vocabulary
from . import probes
from .places import Places, resume
from .task import Task

START, END, IGNORED = 30522, 102, -100
BEGINNINGS = ("", "", "", "a photo of ", "full body photo of ")
ROWS = 2**32  # seeds of the row where a picture is cut


class Described(NamedTuple):
    """Pixels B,3,120,120, word ids B,L to read, places B,L among known words to say, or -100;
    and what the probes shall find."""

    pixels: Tensor
    words: Tensor
    targets: Tensor
    truth: probes.Targets


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


def examples(config: dict[str, Any], random: Generator) -> Iterator[world.Example]:
    """Drawn pictures of both views without end, each with parts of it: drawing costs more than cutting."""
    while True:
        seed, closer = int(random.integers(config["pictures"])), random.random() < config["closer_share"]
        whole = (world.closer if closer else world.example)(seed, "train")
        for _ in range(config["views"]):
            if random.random() >= config["cropped"]:
                yield whole
            elif closer:
                yield world.window_at_thing(whole, int(random.integers(ROWS)))
            else:
                yield world.crop_between(whole, int(random.integers(ROWS)))


def described(some: list[world.Example], words: Words, random: Generator) -> Described:
    """A batch; the loss leaves out the given beginning and what follows the end."""
    read, say = [], []
    for example in some:
        beginning = words.of(BEGINNINGS[random.integers(len(BEGINNINGS))])
        ids = words.of(example.caption)
        read.append([START, *beginning, *ids])
        say.append([IGNORED] * len(beginning) + [words.place[word] for word in [*ids, END]])
    length = max(map(len, read))
    side = captioner.IMAGE_SIZE // probes.CELL
    return Described(
        torch.from_numpy(np.stack([folder_of_captioner.normalised(example.image) for example in some])),
        torch.tensor([row + [0] * (length - len(row)) for row in read]),
        torch.tensor([row + [IGNORED] * (length - len(row)) for row in say]),
        probes.Targets(
            torch.from_numpy(np.stack([probes.planes(example, side) for example in some])),
            torch.tensor([probes.answers(example.attributes) for example in some]),
        ),
    )


def batches(words: Words, config: dict[str, Any], seed: int) -> Iterator[Described]:
    """Endless batches."""
    random = np.random.default_rng(seed)
    source = examples(config, random)
    while True:
        yield described([next(source) for _ in range(config["batch"])], words, random)


def task(config: dict[str, Any], places: Places) -> Task:
    """The captioner, what is minimised, and pictures with captions."""
    network, words = captioner.captioner(config["seed"]), Words()
    notes = resume(network, places, "captioner")
    network.to(places.device).train()
    probe_heads = probes.ProbeHeads(captioner.VISION["hidden_size"]).to(places.device)
    known = words.known.to(places.device)

    def loss(batch: Described) -> Tensor:
        truth = probes.Targets(*(part.to(places.device) for part in batch.truth))
        with torch.autocast(places.device.type, torch.bfloat16):
            seen = network.vision_model(pixel_values=batch.pixels.to(places.device))[0]
            scores = captioner.word_scores(network, seen, batch.words.to(places.device), known)
            probe_loss = probe_heads(seen, truth)
        said = losses.token_cross_entropy(
            scores.float(), batch.targets.to(places.device), IGNORED, config["smoothing"]
        )
        return said + config["probe_weight"] * probe_loss

    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    return Task(
        {"captioner": network}, loss, batches(words, config, seed), [probe_heads], notes={"captioner": notes}
    )
