"""Load Concept: a concept's weights on a MODEL, its words in a CLIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...core.concepts.concept import BASES, Concept, difference, renamed, shape_of
from ..notices import notice
from .files import load
from .words import encoders, with_words

WHO = "Load Concept"
UNET = "diffusion_model."


def load_concept(
    model: Any, clip: Any, name: str, strength: float, token: str = ""
) -> tuple[Any, Any, str, Concept]:
    """MODEL and CLIP with the concept of a file, its words, and the concept; ValueError by a sentence."""
    concept = with_names(load(name), token)
    patched, patched_clip = applied(model, clip, concept, strength, WHO)
    if not concept.tokens:
        notice(f"{WHO}: {name} has no new word; write its class in the prompt, or load the file of its word.")
    return patched, patched_clip, " ".join(concept.tokens), concept


def with_names(concept: Concept, token: str) -> Concept:
    """The concept with the words of a text in place of its own; ValueError for another number of words."""
    wanted = token.split()
    if not wanted:
        return concept
    if len(set(wanted)) != len(wanted) or len(wanted) != len(concept.tokens):
        raise ValueError(
            f"{WHO}: token needs {len(concept.tokens)} different words in place of "
            f"{' '.join(concept.tokens) or 'none'}, got {token.strip()!r}; write as many or leave it empty."
        )
    return renamed(concept, dict(zip(concept.tokens, wanted, strict=True)))


def applied(model: Any, clip: Any, concept: Concept, strength: float, who: str) -> tuple[Any, Any]:
    """Clones of MODEL and CLIP with a concept; the caller's stay as they are."""
    base = base_weights(model, [UNET + name for name in concept.weights])
    check(model, concept, base, who)
    patched = model.clone()
    if strength:
        patched.add_patches(
            {
                UNET + name: ("diff", (difference(weight, base[UNET + name]),))
                for name, weight in concept.weights.items()
            },
            strength,
        )
    return patched, with_text(with_words(clip, concept.tokens, who), concept.text, strength)


def base_weights(patcher: Any, names: list[str]) -> dict[str, Tensor]:
    """The weights of those names that a loaded model has before any patch, in fp32 on the CPU."""
    wanted = set(names)
    held = {name: found[0] for name, found in patcher.get_key_patches().items() if name in wanted}
    return {
        name: convert(weight.to("cpu", torch.float32, copy=True), inplace=True)
        for name, (weight, convert) in held.items()
    }


def check(model: Any, concept: Concept, base: Mapping[str, Tensor], who: str) -> None:
    """ValueError, one sentence that names what the file was made for, where a weight has no place."""
    for name, weight in concept.weights.items():
        there = base.get(UNET + name)
        if there is not None and tuple(there.shape) == shape_of(weight):
            continue
        columns = model.model.model_config.unet_config.get("context_dim")
        theirs = f"{concept.base or 'a model'} ({concept.columns} numbers a word)"
        ours = f"{BASES.get(columns, type(model.model).__name__)} ({columns} numbers a word)"
        raise ValueError(
            f"{who}: the concept was made for {theirs} and has {name} in the shape {shape_of(weight)}, which "
            f"the model, {ours}, has not; connect a model of that kind."
        )


def with_text(clip: Any, text: Mapping[str, Tensor], strength: float) -> Any:
    """CLIP with weights that were trained too; the table of words stays, as new words have vectors."""
    if not text or not strength:
        return clip
    first = next(iter(encoders(clip)))
    named = {f"{first}.transformer.{name}": value for name, value in text.items()}
    base = base_weights(clip.patcher, list(named))
    clip.add_patches(
        {
            name: ("diff", (value.float() - base[name],))
            for name, value in named.items()
            if name in base and base[name].shape == value.shape
        },
        strength,
    )
    return clip
