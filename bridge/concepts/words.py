"""New words of a prompt, as they stand: a copy of a CLIP whose tokenizer gives them vectors of their own."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from comfy.sd1_clip import SDTokenizer
from torch import Tensor

from ...core.concepts.concept import ENCODERS

END = "</w>"  # how CLIP's vocabulary marks the end of a word
ALLOWED = re.compile(r"[^\s()\[\]{}:,\\]+")
Words = Mapping[str, Mapping[str, Tensor]]


class NewWords:
    """A CLIP tokenizer that knows some more words: each is one place of the prompt, with a vector.

    While the text is tokenized another word of one place, which the text does not have, stands for each.
    """

    new_words: Mapping[str, Tensor]

    def tokenize_with_weights(self, text: str, return_word_ids: bool = False, **named: Any) -> Any:
        """The chunks of (id or vector, weight), as ComfyUI's tokenizer gives them."""
        vectors: dict[int, Tensor] = {}
        plain = text
        for word, (name, number) in zip(self.new_words, self.unused(text), strict=False):
            plain, count = pattern(word).subn(f" {name} ", plain)
            if count:
                vectors[number] = self.new_words[word]
        # The class that this one is mixed into.
        chunks = super().tokenize_with_weights(plain if vectors else text, return_word_ids, **named)  # type: ignore[misc]
        return [[(vectors.get(entry[0], entry[0]), *entry[1:]) if isinstance(entry[0], int) else entry
                 for entry in chunk] for chunk in chunks]  # fmt: skip

    def unused(self, text: str) -> Iterator[tuple[str, int]]:
        """Words of one place that the text does not have, the rarest first, and their numbers."""
        tokenizer: Any = self
        present = set(tokenizer.tokenizer(text)["input_ids"])
        for number in sorted(tokenizer.inv_vocab, reverse=True):
            name = str(tokenizer.inv_vocab[number]).removesuffix(END)
            if number in present or not (name.isascii() and name.isalpha()) or name in text.lower():
                continue
            if number in tokenizer.tokenizer(f"a {name} b")["input_ids"]:
                yield name, number


def pattern(word: str) -> re.Pattern[str]:
    """Where a word stands in a text, in capital letters or not, and not as a part of a longer word."""
    before, after = (r"(?<!\w)" if word[0].isalnum() else "", r"(?!\w)" if word[-1].isalnum() else "")
    return re.compile(before + re.escape(word) + after, re.IGNORECASE)


def encoders(clip: Any) -> dict[str, SDTokenizer]:
    """The tokenizers of a CLIP by the names of their text encoders: clip_l, clip_h, clip_g."""
    held = {name: each for name, each in vars(clip.tokenizer).items() if isinstance(each, SDTokenizer)}
    return {name: held[name] for name in (*ENCODERS.values(), *sorted(held)) if name in held}


def width(clip: Any, encoder: str) -> int:
    """How many numbers the vector of a word has in a text encoder."""
    network = getattr(clip.cond_stage_model, encoder)
    return network.transformer.get_input_embeddings().weight.shape[-1]


def with_words(clip: Any, words: Words, who: str) -> Any:
    """A clone of CLIP that knows new words; the caller's stays. ValueError, a sentence, where it cannot."""
    if not words:
        return clip.clone()
    found = encoders(clip)
    check(clip, found, words, who)
    clone = clip.clone()
    clone.tokenizer = copy.copy(clip.tokenizer)
    for name, tokenizer in found.items():
        added = {word: vectors[name].detach().float().cpu() for word, vectors in words.items()}
        setattr(clone.tokenizer, name, knowing(tokenizer, added))
    return clone


def knowing(tokenizer: SDTokenizer, words: Mapping[str, Tensor]) -> SDTokenizer:
    """A copy of a tokenizer that knows more words than it did."""
    copied: Any = copy.copy(tokenizer)
    if not isinstance(tokenizer, NewWords):
        kind = type(tokenizer)
        copied.__class__ = type(f"{NewWords.__name__}{kind.__name__}", (NewWords, kind), {})
    copied.new_words = {**getattr(tokenizer, "new_words", {}), **words}
    return copied


def check(clip: Any, found: Mapping[str, SDTokenizer], words: Words, who: str) -> None:
    """ValueError, one sentence, for words that this CLIP cannot have."""
    if not found:
        kind = type(clip.cond_stage_model).__name__
        raise ValueError(f"{who} works with the CLIP of SD1, SD2 and SDXL, got {kind}; connect one of these.")
    for word, vectors in words.items():
        if not ALLOWED.fullmatch(word):
            raise ValueError(
                f"{who}: a new word has no blanks, brackets, commas or colons, got {word!r}; give it another."
            )
        for name, tokenizer in found.items():
            vector, wide = vectors.get(name), width(clip, name)
            if vector is None or len(vector) != wide:
                got = "none" if vector is None else str(len(vector))
                raise ValueError(
                    f"{who}: {word} needs a vector of {wide} numbers for {name}, got {got}; load it for the "
                    "kind of model that it was made for."
                )
            before = getattr(tokenizer, "new_words", {}).get(word)
            if before is not None and not before.equal(vector.float().cpu()):
                raise ValueError(
                    f"{who}: {word} is already another concept's word; write a new one in token."
                )


def place_count(clip: Any, text: str) -> int:
    """How many places of a prompt its words and the end after them take."""
    first, tokenizer = next(iter(encoders(clip).items()))
    chunk = clip.tokenize(text)[first.removeprefix("clip_")][0]
    ends = [
        i for i, entry in enumerate(chunk) if isinstance(entry[0], int) and entry[0] == tokenizer.end_token
    ]
    return ends[0] if ends else len(chunk) - 1
