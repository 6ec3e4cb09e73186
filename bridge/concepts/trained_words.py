"""A CLIP whose new words are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .words import encoders, width, with_words

RARE = 42170  # a word that hardly any caption has; its vector is where a new one starts (Kumari et al. 2023)


class Encoded(NamedTuple):
    """Words B,N,C and their pooled vector B,P, if the text encoder has one."""

    words: Tensor
    pooled: Tensor | None


class TrainedWords:
    """Prompts with new words whose vectors are parameters."""

    def __init__(self, clip: Any, words: Sequence[str], who: str) -> None:
        self.names = list(encoders(clip))
        start = {word: {name: start_of(clip, name, i) for name in self.names} for i, word in enumerate(words)}
        self.clip = with_words(clip, start, who)
        device = self.clip.patcher.load_device
        self.vectors = nn.ParameterList()
        self.places: list[tuple[str, str]] = []  # the word and the text encoder of each vector
        for word in words:
            for name in self.names:
                self.places.append((word, name))
                self.vectors.append(nn.Parameter(start[word][name].clone().to(device)))

    def tokens(self, text: str) -> dict[str, Any]:
        """ComfyUI's tokens of a prompt, with the parameters in the places of the new words."""
        found = self.clip.tokenize(text)
        for name, tokenizer in encoders(self.clip).items():
            held = {id(vector): word for word, vector in getattr(tokenizer, "new_words", {}).items()}
            key = name.removeprefix("clip_")
            found[key] = [
                [(self.vector(held[id(e[0])], name), *e[1:]) if id(e[0]) in held else e for e in chunk]
                for chunk in found[key]
            ]
        return found

    def vector(self, word: str, name: str) -> Tensor:
        """The parameter of a word for a text encoder; a word of an earlier concept stays as it is."""
        if (word, name) in self.places:
            return self.vectors[self.places.index((word, name))]
        return getattr(self.clip.tokenizer, name).new_words[word]

    def encode(self, prompts: Sequence[str]) -> Encoded:
        """The words of prompts; each is encoded once."""
        distinct = list(dict.fromkeys(prompts))
        found = [self.once(text) for text in distinct]
        longest = max(each.words.shape[1] for each in found)
        rows = [distinct.index(text) for text in prompts]
        words = torch.cat([repeated(each.words, longest) for each in found])[rows]
        pooled = [each.pooled for each in found if each.pooled is not None]
        return Encoded(words, torch.cat(pooled)[rows] if len(pooled) == len(found) else None)

    def once(self, text: str) -> Encoded:
        """The words of one prompt."""
        model = self.clip.cond_stage_model
        model.reset_clip_options()
        if self.clip.layer_idx is not None:
            model.set_clip_options({"layer": self.clip.layer_idx})
        model.set_clip_options({"execution_device": self.clip.patcher.load_device})
        words, pooled = model.encode_token_weights(self.tokens(text))[:2]
        return Encoded(words, pooled)

    def learned(self) -> dict[str, dict[str, Tensor]]:
        """The vectors of each new word by text encoder."""
        found: dict[str, dict[str, Tensor]] = {}
        for (word, name), vector in zip(self.places, self.vectors, strict=True):
            found.setdefault(word, {})[name] = vector.detach().float().cpu().clone()
        return found


def start_of(clip: Any, name: str, number: int) -> Tensor:
    """The vector of a rare word, which new ones start from."""
    table = getattr(clip.cond_stage_model, name).transformer.get_input_embeddings().weight
    with torch.inference_mode(False):
        return table[RARE + number].detach().float().cpu().clone()[: width(clip, name)]


def repeated(words: Tensor, length: int) -> Tensor:
    """Words of fewer chunks than others, made as long; the chunks repeat, as ComfyUI does in a batch."""
    return words.repeat(1, -(-length // words.shape[1]), 1)[:, :length]
