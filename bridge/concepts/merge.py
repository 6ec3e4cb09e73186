"""Merge Concepts: several concepts in one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...core.concepts import merge
from ...core.concepts.captions import captions as own_captions
from ...core.concepts.concept import Concept, whole
from ...core.texts import lines
from .load import UNET, applied, base_weights, check
from .words import pattern, place_count, with_words

WHO = "Merge Concepts"
CLOSED_FORM, AVERAGE = "closed form", "average"
PROMPTS = ("{}", "photo of a {}")
KEYS_AND_VALUES = ("attn2.to_k.weight", "attn2.to_v.weight")


def merge_concepts(
    model: Any, clip: Any, concepts: Sequence[Concept], classes: str, method: str, captions: str = ""
) -> tuple[Any, Any, Concept]:
    """MODEL and CLIP that have all concepts, and these as one; ValueError by a sentence."""
    together = joined(concepts)
    names = sorted({name for concept in concepts for name in concept.weights})
    base = base_weights(model, [UNET + name for name in names])
    for concept in concepts:
        check(model, concept, base, WHO)
    bases = {name: base[UNET + name] for name in names}
    if method == AVERAGE:
        merged = {
            name: merge.average(weight, wholes(concepts, name, weight)) for name, weight in bases.items()
        }
    else:
        merged = closed(clip, concepts, bases, targets(concepts, classes), lines(captions) or own_captions())
    found = Concept({name: weight.float() for name, weight in merged.items()}, together)
    return *applied(model, clip, found, 1.0, WHO), found


def wholes(concepts: Sequence[Concept], name: str, base: Tensor) -> list[Tensor]:
    """The weight of a name in each concept that changes it."""
    return [whole(concept.weights[name], base) for concept in concepts if name in concept.weights]


def joined(concepts: Sequence[Concept]) -> dict[str, Any]:
    """The words of all concepts; ValueError where two have the same one."""
    found: dict[str, Any] = {}
    for concept in concepts:
        for word, vectors in concept.tokens.items():
            if word in found:
                raise ValueError(
                    f"{WHO}: two concepts have the word {word}; rename one by token in Load Concept."
                )
            found[word] = vectors
        if concept.text:
            raise ValueError(
                f"{WHO}: a concept changes the text encoder, which cannot be merged; use one that does not."
            )
    return found


def targets(concepts: Sequence[Concept], classes: str) -> list[list[str]]:
    """What each concept is asked for by: its words, each with its class from a comma-separated text."""
    words = [list(concept.tokens) for concept in concepts]
    count = sum(map(len, words))
    given = [each.strip() for each in classes.split(",")] if classes.strip() else [""] * count
    if len(given) != count:
        raise ValueError(
            f"{WHO}: classes needs one word for each of {count} new words, with commas between them, got "
            f"{len(given)}; write for example cat, pot."
        )
    left = iter(given)
    return [[f"{word} {next(left)}".strip() for word in some] for some in words]


def closed(
    clip: Any,
    concepts: Sequence[Concept],
    bases: dict[str, Tensor],
    asked: list[list[str]],
    captions: list[str],
) -> dict[str, Tensor]:
    """The keys' and values' weights in closed form; ValueError where a concept changes others too."""
    others = [name for name in bases if not name.endswith(KEYS_AND_VALUES)]
    if others:
        raise ValueError(
            f"{WHO}: the closed form merges keys and values, but a concept also changes {others[0]}; "
            f"choose {AVERAGE}."
        )
    regular = torch.cat([features(clip, caption) for caption in captions])
    seen = [
        target_features(with_words(clip, concept.tokens, WHO), phrases, list(concept.tokens))
        for concept, phrases in zip(concepts, asked, strict=True)
    ]
    owner = torch.cat([torch.full((len(rows),), number) for number, rows in enumerate(seen)])
    constrained = torch.cat(seen)
    # Of some text encoders the end of a prompt is the same in all of them: there concepts are averaged.
    groups = merge.grouped(constrained, owner)
    wanted = []
    for name, base in bases.items():
        values = torch.zeros(len(constrained), len(base), dtype=torch.float64)
        for number, concept in enumerate(concepts):
            weight = whole(concept.weights[name], base) if name in concept.weights else base.double()
            rows = owner == number
            values[rows] = constrained[rows].double() @ weight.T
        wanted.append(merge.of_groups(values, groups))
    read = merge.of_groups(constrained, groups)
    return dict(zip(bases, merge.closed_form(list(bases.values()), read, wanted, regular), strict=True))


def features(clip: Any, text: str, start: int = 1) -> Tensor:
    """What the UNet reads at the places of a text from `start` on to its end: rows of numbers."""
    words = clip.encode_from_tokens(clip.tokenize(text))
    return words[0, start : place_count(clip, text) + 1].detach().float().cpu()


def target_features(clip: Any, phrases: Sequence[str], words: Sequence[str]) -> Tensor:
    """What the UNet reads at the new words and after them, in all prompts that ask for them."""
    rows = [
        features(clip, text, 1 + before(clip, text, words))
        for phrase in phrases
        for text in (prompt.format(phrase) for prompt in PROMPTS)
    ]
    wide = features(clip, "a").shape[1]
    return torch.cat(rows) if rows else torch.zeros(0, wide)


def before(clip: Any, text: str, words: Sequence[str]) -> int:
    """How many places the text takes before the first of some words."""
    starts = [found.start() for word in words if (found := pattern(word).search(text))]
    head = text[: min(starts)].strip() if starts else ""
    return place_count(clip, head) - 1 if head else 0
