"""Where a text is among the prompts of a recorded run: in which of them, and from which column on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from ...core.attention.record import Prompt
from ..notices import notice
from .columns import CUT, KEPT

# How much the same text's encoding may differ: half precision and another batch make less, a word more.
SAME = 0.1
CHUNK = 77  # tokens that CLIP encodes at once
# What TextEncodeZImageOmni puts around a prompt with pictures; that begins so many columns earlier there.
OMNI, OMNI_SHIFT = "<|vision_end|>{}<|im_end|>\n<|im_start|>assistant\n<|vision_start|>", -2


class Place(NamedTuple):
    """A prompt that has a text, and the column at which it begins there."""

    prompt: Prompt
    offset: int


def places_of_text(
    prompts: Sequence[Prompt], clip: Any, text: str, rows: Sequence[int], who: str
) -> dict[int, list[Place]]:
    """The prompts that have a text, by row; rows with other texts are left out, by a notice.

    The text is encoded and looked for in the recorded conditionings. Where it is in none, the only prompt is
    taken to be it, by a notice. ValueError by a sentence where there are several.
    """
    tokens = clip.tokenize(text)
    encoded = encoding(clip, tokens)
    there = found_places(prompts, encoded, rows)
    if not there and any(kind in tokens for kind in KEPT):
        with_pictures = encoding(clip, clip.tokenize(text, llama_template=OMNI))
        there = found_places(prompts, with_pictures, rows, OMNI_SHIFT)
    return settled(prompts, there, len(encoded), rows, any(kind in tokens for kind in CUT), who)


def places_of(
    prompts: Sequence[Prompt], encoded: Tensor, rows: Sequence[int], who: str
) -> dict[int, list[Place]]:
    """`places_of_text` for a text of CLIP's that is encoded already (columns, width)."""
    return settled(prompts, found_places(prompts, encoded, rows), len(encoded), rows, False, who)


def settled(
    prompts: Sequence[Prompt], there: dict[int, list[Place]], count: int, rows: Sequence[int],
    has_pictures_first: bool, who: str,
) -> dict[int, list[Place]]:  # fmt: skip
    """The places found of a text of `count` tokens, or if there are none those that are assumed."""
    if there:
        if others := [row for row in rows if row not in there]:
            which = ", ".join(map(str, others))
            notice(f"{who}: rows {which} were made with other words than text, so they have no maps here.")
        return there
    if len(prompts) > 1:
        raise ValueError(
            f"{who}: text is none of the {len(prompts)} prompts that the picture was made with; write one of "
            "them, or connect its text to both."
        )
    offset = assumed(prompts[0], count, has_pictures_first, who)
    return {row: [Place(prompts[0], offset)] for row in rows}


def assumed(prompt: Prompt, count: int, has_pictures_first: bool, who: str) -> int:
    """Where a text of `count` tokens is taken to begin in a prompt that is not it, by a notice."""
    columns = prompt.embedding.shape[1]
    if count > columns:
        raise ValueError(
            f"{who}: text has {count} tokens but the prompt of the recorded run has {columns}; write the "
            "text that the picture was made with."
        )
    if has_pictures_first and count < columns:
        notice(
            f"{who}: text is not the prompt that the picture was made with, or was encoded after pictures; "
            "the maps are of the words at its places, counted from the end. Connect one text to both."
        )
        return columns - count
    notice(
        f"{who}: text is not the prompt that the picture was made with, or was encoded by another CLIP; the "
        "maps are of the words at its places. Connect one text to both."
    )
    return 0


def encoding(clip: Any, tokens: Any) -> Tensor:
    """The states of a tokenized text: columns, width."""
    return clip.encode_from_tokens_scheduled(tokens)[0][0][0].float().cpu()


def found_places(
    prompts: Sequence[Prompt], encoded: Tensor, rows: Sequence[int], shift: int = 0
) -> dict[int, list[Place]]:
    """Where a text's states are in the prompts, by row; rows without it are left out."""
    found = {
        row: [Place(prompt, at + shift) for prompt in prompts for at in offsets(encoded, of_row(prompt, row))]
        for row in rows
    }
    return {row: places for row, places in found.items() if places}


def of_row(prompt: Prompt, row: int) -> Tensor:
    """The embedding (columns, width) that a row was made with; ComfyUI repeats them."""
    return prompt.embedding[row % len(prompt.embedding)].float()


def offsets(encoded: Tensor, embedding: Tensor) -> list[int]:
    """The columns from which on an embedding is the encoded text."""
    length = len(encoded)
    if encoded.shape[-1] != embedding.shape[-1]:
        return []
    step = CHUNK if length % CHUNK == 0 else 1
    starts = range(0, len(embedding) - length + 1, step)
    return [at for at in starts if is_same(encoded, embedding[at : at + length])]


def is_same(first: Tensor, second: Tensor) -> bool:
    """Whether every column is the same but for rounding."""
    difference = (first - second).norm(dim=-1)
    return bool((difference <= SAME * second.norm(dim=-1).clamp(min=1e-6)).all())
