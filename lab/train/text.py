"""Train the text encoder so that every attribute is read at the words that say it, and nowhere else.

Left alone, a causal encoder passes everything on to the end of the prompt and into the padding, where a UNet
then looks for it; a word's attention map then shows little of where its thing is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..toy.model_pack import sizes
from ..toy.models import networks
from ..toy.models.tokenizer import Tokenizer
from . import phrases, probes, prompts
from .places import Places, resume
from .task import Task

READ = 0.05  # nats per attribute at which a word is nearly read


class Said(NamedTuple):
    """Word ids R,77 of prompts, the last of no words; row and place N,2 of the last words of phrases and
    their answers N,20; rows and places M,4 of the same word within a caption and without the rest of it;
    and R,77 whether a place says nothing."""

    words: Tensor
    last: Tensor
    answers: Tensor
    same: Tensor
    nothing: Tensor


def said(texts: list[str], tokenizer: Tokenizer, random: np.random.Generator) -> Said:
    """A batch of texts, each phrase of which also comes alone."""
    whole = [phrases.tokens(text, tokenizer) for text in texts]
    rows, same = list(whole), []
    for row, text in enumerate(texts):
        found = phrases.phrases(text)[: len(whole[row].phrases)]
        if found:
            number = int(random.integers(len(found)))
            single = phrases.tokens(phrases.alone(text, found[number]), tokenizer)
            places = whole[row].phrases[number][0]
            same += [[row, place, len(rows), 1 + index] for index, place in enumerate(places)]
            rows.append(single)
    rows.append(phrases.tokens("", tokenizer))
    ends = [(row, places[-1], said) for row, one in enumerate(rows) for places, said in one.phrases]
    return Said(
        torch.tensor([one.ids for one in rows]),
        torch.tensor([[row, place] for row, place, _ in ends]).view(-1, 2),
        torch.tensor([probes.answers(attributes) for _, _, attributes in ends]).view(-1, len(probes.ANSWERS)),
        torch.tensor(same).view(-1, 4),
        torch.tensor([one.nothing for one in rows]),
    )


def batches(size: int, seed: int) -> Iterator[Said]:
    """Endless batches of drawn captions, some after a beginning, some after foreign words."""
    random, tokenizer = np.random.default_rng(seed), Tokenizer()
    while True:
        texts = [prompts.begun(phrases.caption(random), random) for _ in range(size)]
        yield said(texts, tokenizer, random)


class WordHead(nn.Module):
    """Every attribute asked of the state of one word."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.answer = nn.Linear(width, len(probes.ANSWERS) * probes.MOST)

    def forward(self, states: Tensor, answers: Tensor) -> Tensor:
        """The mean cross-entropy in nats per attribute of states N,C and answers N,20."""
        scores = self.answer(states).view(-1, probes.MOST)
        return functional.cross_entropy(scores, answers.flatten())


def apart(states: Tensor, batch: Said) -> tuple[Tensor, Tensor]:
    """How far words are from what they are alone, and places that say nothing from those of no words.

    Squared distances, as shares of the variance of the words that say something.
    """
    scale = states[~batch.nothing].var(0).mean().detach() + 1e-6
    row, place, single, at = batch.same.unbind(1)
    moved = (states[row, place] - states[single, at]).square().mean() / scale
    empty = states[-1].mean(0)
    return moved, (states[batch.nothing] - empty).square().mean() / scale


def task(config: dict[str, Any], places: Places) -> Task:
    """The text encoder, a head that reads the attributes, and captions."""
    network = networks.text_encoder(config["seed"])
    notes = resume(network, places, "text")
    network.to(places.device)
    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    head = WordHead(sizes.CONTEXT_DIM).to(places.device)

    def loss(batch: Said) -> Tensor:
        batch = Said(*(part.to(places.device) for part in batch))
        states = networks.text_states(network, batch.words)
        row, place = batch.last.unbind(1)
        moved, empty = apart(states, batch)
        read = head(states[row, place], batch.answers)
        # Before the words are read, the nearest way to leave them alone would be to make all alike.
        return read + config["apart_weight"] * torch.exp(-read.detach() / READ) * (moved + empty)

    return Task({"text": network}, loss, batches(config["batch"], seed), [head], notes={"text": notes})
