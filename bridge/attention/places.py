"""Where a text is among the prompts of a recorded run: in which of them, and from which column on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from ...core.attention.record import Prompt
from ..notices import notice

# How much the same text's encoding may differ: half precision and another batch make less, a word more.
SAME = 0.1
CHUNK = 77  # tokens that CLIP encodes at once


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
    return places_of(prompts, encoded_text(clip, text), rows, who)


def encoded_text(clip: Any, text: str) -> Tensor:
    """A text as a CLIP encodes it: rows, columns, width; float32 on the CPU."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))[0][0].float().cpu()


def places_of(
    prompts: Sequence[Prompt], encoded: Tensor, rows: Sequence[int], who: str
) -> dict[int, list[Place]]:
    """`places_of_text` for a text that is encoded already."""
    found = {
        row: [Place(prompt, at) for prompt in prompts for at in offsets(encoded[0], of_row(prompt, row))]
        for row in rows
    }
    there = {row: places for row, places in found.items() if places}
    if there:
        if others := [row for row in found if row not in there]:
            which = ", ".join(map(str, others))
            notice(f"{who}: rows {which} were made with other words than text, so they have no maps here.")
        return there
    if len(prompts) > 1:
        raise ValueError(
            f"{who}: text is none of the {len(prompts)} prompts that the picture was made with; write one of "
            "them, or connect its text to both."
        )
    if len(encoded[0]) > prompts[0].embedding.shape[1]:
        raise ValueError(
            f"{who}: text has {len(encoded[0])} tokens but the prompt of the recorded run has "
            f"{prompts[0].embedding.shape[1]}; write the text that the picture was made with."
        )
    notice(
        f"{who}: text is not the prompt that the picture was made with, or was encoded by another CLIP; the "
        "maps are of the words at its places. Connect one text to both."
    )
    return {row: [Place(prompts[0], 0)] for row in rows}


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
