"""A word list with BERT's and BLIP's special ids, in which every word of the world is one piece."""

from __future__ import annotations

import string
from collections.abc import Sequence

SIZE = 30524
SPECIAL = {
    0: "[PAD]",
    100: "[UNK]",
    101: "[CLS]",
    102: "[SEP]",
    103: "[MASK]",
    30522: "[DEC]",
    30523: "[ENC]",
}
FIRST = 999
PUNCTUATION = ",.!?'-:;()/&\"#"
# Words of prompts besides those of the world; the list may only grow at its end, ids are in the weights.
PROMPTS = (
    "full",
    "body",
    "photo",
    "of",
    "picture",
    "photography",
    "the",
    "photograph",
    "image",
    "painting",
    "drawing",
)


def pieces(words: Sequence[str]) -> list[str]:
    """Single characters, first or inside a word, then whole words, so that nothing is unknown."""
    characters = string.ascii_lowercase + string.digits
    singles = [*PUNCTUATION, *characters, *(f"##{character}" for character in characters)]
    return list(dict.fromkeys([*singles, *PROMPTS, *words]))


def lines(words: Sequence[str]) -> list[str]:
    """All 30524 lines of vocab.txt; ids nothing has are called [unusedN]."""
    table = {**SPECIAL, **dict(enumerate(pieces(words), FIRST))}
    return [table.get(index, f"[unused{index}]") for index in range(SIZE)]
