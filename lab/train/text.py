"""Train the text encoder to tell what a caption says, before any picture is painted.

Painting alone teaches slowly which word belongs to which garment; asked for it, it is learned in minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..toy import world
from ..toy.model_pack import sizes
from ..toy.models import networks, tokenizer
from . import probes, prompts
from .pictures import Pictures, pictures
from .places import Places, resume
from .task import Task


class Said(NamedTuple):
    """Word ids B,77 of prompts, and what they say: the places B,20 of attributes among their answers."""

    words: Tensor
    answers: Tensor


def sentences(source: Pictures) -> Said:
    """Every caption of the pictures, half of them with a beginning."""
    captions = [
        text for entry in source.captions for text in (entry["whole"], *(said for _, said in entry["crops"]))
    ]
    begun = [(prompts.BEGINNING if index % 2 else "") + text for index, text in enumerate(captions)]
    answers = torch.tensor([probes.answers(world.parse(text)) for text in captions])
    return Said(tokenizer.tokens(begun, tokenizer.Tokenizer()), answers)


def batches(every: Said, size: int, seed: int) -> Iterator[Said]:
    """Endless batches of some of the sentences."""
    random = np.random.default_rng(seed)
    while True:
        some = torch.from_numpy(random.integers(len(every.words), size=size)).to(every.words.device)
        yield Said(every.words[some], every.answers[some])


def task(config: dict[str, Any], places: Places) -> Task:
    """The text encoder, a head that reads the attributes, and captions."""
    network = networks.text_encoder(config["seed"])
    notes = resume(network, places, "text")
    network.to(places.device)
    source = pictures(places.cache, "train", config["pictures"])
    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    head = probes.AttributeHead(sizes.CONTEXT_DIM).to(places.device)

    def loss(batch: Said) -> Tensor:
        return head(networks.text_states(network, batch.words), batch.answers)

    every = Said(*(part.to(places.device) for part in sentences(source)))
    return Task({"text": network}, loss, batches(every, config["batch"], seed), [head], {"text": notes})
