"""Files of concepts: five that are published, told apart by their keys, and ours.

| written by                       | layout                                                              |
|----------------------------------|---------------------------------------------------------------------|
| custom-diffusion (CompVis)       | `state_dict`: `model.diffusion_model.….attn2.to_k.weight`, `embed`   |
| the same, compressed             | values `{"u", "v"}`: what is added, of small rank                    |
| custom-diffusion (diffusers)     | `unet`, `modifier_token`, `text_encoder`                             |
| diffusers                        | `….attn2.processor.to_k_custom_diffusion.weight`                     |
| diffusers, a word                | `{"<new1>": vector}`                                                 |
| Recompose                        | `unet.NAME`, `unet.NAME.u` and `.v`, `token.<new1>.clip_l`, `text.NAME` |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .concept import ENCODERS, FIRST, Concept, LowRank, Weight, finite
from .names import own, theirs

FORMAT, VERSION = "recompose_concept", "1"
UNET, TOKEN, TEXT = "unet.", "token.", "text."
DIFFUSERS_WEIGHTS = "pytorch_custom_diffusion_weights"
PROCESSOR = re.compile(r"(.+\.attn2)\.processor\.to_(k|v|q|out)_custom_diffusion(\.0)?\.(weight|bias)")
TRAINED = re.compile(r".+\.attn2\.(to_k|to_v|to_q|to_out\.0)\.(weight|bias)")
WORD = re.compile(r"<[^<>\s]+>")
Raw = Mapping[str, Any]


class NotAConcept(ValueError):
    """The file holds something else; the sentence says what was expected."""


def read(raw: Raw) -> Concept:
    """The concept of a file's contents; NotAConcept, a part of a sentence, for anything else."""
    inner = raw.get("state_dict", raw)
    if not isinstance(inner, Mapping):
        raise NotAConcept("its state_dict holds no weights")
    nested = isinstance(inner.get("unet"), Mapping) or isinstance(inner.get("modifier_token"), Mapping)
    if nested:
        concept = from_nested(inner)
    elif any(str(key).startswith((UNET, TOKEN)) for key in inner):
        concept = from_ours(inner)
    else:
        concept = from_flat(inner)
    if not concept.weights and not concept.tokens:
        raise NotAConcept("it has neither cross-attention weights nor new words")
    if not finite(concept):
        raise NotAConcept("some of its weights are not finite")
    return concept


def from_nested(raw: Raw) -> Concept:
    """`unet`, `modifier_token` and `text_encoder`."""
    tokens = {str(name): vectors_of(value) for name, value in (raw.get("modifier_token") or {}).items()}
    text = {str(k): v for k, v in (raw.get("text_encoder") or {}).items() if isinstance(v, Tensor)}
    return Concept(unet_weights(raw.get("unet") or {}), tokens, text)


def from_flat(raw: Raw) -> Concept:
    """Weights by their names, vectors by `<word>`, or unnamed ones in `embed`."""
    tokens = {str(name): vectors_of(value) for name, value in raw.items() if WORD.fullmatch(str(name))}
    embed = raw.get("embed")
    if isinstance(embed, Tensor):
        rows = embed.reshape(-1, embed.shape[-1])
        tokens |= {f"<new{number}>": vectors_of(row) for number, row in enumerate(rows, 1)}
    return Concept(unet_weights(raw), tokens)


def from_ours(raw: Raw) -> Concept:
    """As `ours` writes it."""
    plain = {key[len(UNET) :]: value for key, value in raw.items() if key.startswith(UNET)}
    weights: dict[str, Weight] = {}
    for key, value in plain.items():
        if key.endswith(".u") and f"{key[:-2]}.v" in plain:
            weights[key[:-2]] = LowRank(value, plain[f"{key[:-2]}.v"])
        elif not key.endswith((".u", ".v")):
            weights[key] = value
    tokens: dict[str, dict[str, Tensor]] = {}
    for key, value in raw.items():
        if key.startswith(TOKEN):
            word, encoder = key[len(TOKEN) :].rsplit(".", 1)
            tokens.setdefault(word, {})[encoder] = value
    text = {key[len(TEXT) :]: value for key, value in raw.items() if key.startswith(TEXT)}
    return Concept(weights, tokens, text)


def unet_weights(raw: Raw) -> dict[str, Weight]:
    """The weights of cross-attention; empty entries of other layers, and whatever else, are left out."""
    found: dict[str, Weight] = {}
    for key, value in raw.items():
        processor = PROCESSOR.fullmatch(str(key))
        plain = str(key)
        if processor:
            layer, which, _, kind = processor.groups()
            plain = f"{layer}.to_{which}{'.0' if which == 'out' else ''}.{kind}"
        name, weight = own(plain), weight_of(value)
        if name and weight is not None and TRAINED.fullmatch(name):
            found[name] = weight
    return found


def weight_of(value: Any) -> Weight | None:
    """A weight, or one of small rank; None for anything else."""
    if isinstance(value, Tensor) and value.ndim in (1, 2):
        return value
    if (
        isinstance(value, Mapping)
        and isinstance(value.get("u"), Tensor)
        and isinstance(value.get("v"), Tensor)
    ):
        u, v = value["u"], value["v"]
        if u.ndim == v.ndim == 2 and u.shape[1] == v.shape[0]:
            return LowRank(u, v)
    return None


def vectors_of(value: Any) -> dict[str, Tensor]:
    """The vectors of a word by text encoder, told by their sizes; NotAConcept for more or none.

    One of another size is the first encoder's.
    """
    if isinstance(value, Mapping):
        parts = list(value.values())
    else:
        parts = [value] if isinstance(value, Tensor) else list(value)
    vectors = [part.reshape(-1) for part in parts if isinstance(part, Tensor) and part.numel()]
    if not vectors or len(vectors) != len(parts):
        raise NotAConcept("a new word has no vector")
    found = {ENCODERS.get(len(vector), FIRST): vector for vector in vectors}
    if len(found) != len(vectors):
        raise NotAConcept("a new word has several vectors for the same text encoder")
    return found


def ours(concept: Concept) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of our file."""
    found: dict[str, Tensor] = {}
    for name, weight in concept.weights.items():
        if isinstance(weight, LowRank):
            found |= {f"{UNET}{name}.u": weight.u, f"{UNET}{name}.v": weight.v}
        else:
            found[f"{UNET}{name}"] = weight
    for word, vectors in concept.tokens.items():
        found |= {f"{TOKEN}{word}.{encoder}": vector for encoder, vector in vectors.items()}
    found |= {f"{TEXT}{name}": value for name, value in concept.text.items()}
    return found, {"format": FORMAT, "version": VERSION, "base": concept.base or ""}


def diffusers(
    weights: Mapping[str, Tensor], tokens: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, dict[str, Tensor]]:
    """The files of diffusers' layout by their names without ending: whole weights, and one for each word."""
    found: dict[str, dict[str, Tensor]] = {}
    if weights:
        found[DIFFUSERS_WEIGHTS] = {processor_name(name): value for name, value in weights.items()}
    for word, vectors in tokens.items():
        alone = list(vectors.values())
        found[word] = {word: alone[0]} if len(alone) == 1 else dict(vectors)
    return found


def processor_name(name: str) -> str:
    """The name of a weight in diffusers' file: …attn2.processor.to_k_custom_diffusion.weight."""
    layer, rest = theirs(name).split(".attn2.", 1)
    which, _, kind = rest.partition(".")
    return f"{layer}.attn2.processor.{which}_custom_diffusion.{kind}"
