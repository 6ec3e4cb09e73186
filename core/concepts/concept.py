"""What a concept is: cross-attention weights of a UNet and the vectors of new words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

# How wide the words are that a UNet's cross-attention reads, and the text encoders that give them.
BASES = {768: "SD1", 1024: "SD2", 2048: "SDXL"}
ENCODERS = {768: "clip_l", 1024: "clip_h", 1280: "clip_g"}
FIRST = "clip_l"


class LowRank(NamedTuple):
    """A change of a weight (out,in) of small rank: u (out,r) @ v (r,in)."""

    u: Tensor
    v: Tensor


# A weight as it shall be, or what is added to the base's.
Weight = Tensor | LowRank


@dataclass(frozen=True)
class Concept:
    """Weights by their names in the UNet (`input_blocks.1.1.….attn2.to_k.weight`), the vectors of each new
    word by text encoder, and weights of the text encoders by name, if those were trained as well."""

    weights: Mapping[str, Weight] = field(default_factory=dict)
    tokens: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    text: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def columns(self) -> int | None:
        """How wide the words are that its keys and values are for; None without any."""
        wide = (each for name, each in self.weights.items() if name.endswith(("to_k.weight", "to_v.weight")))
        found = next(wide, None)
        return None if found is None else shape_of(found)[1]

    @property
    def base(self) -> str | None:
        """The family of models that it was made for; None if its shapes tell none."""
        if self.columns is not None:
            return BASES.get(self.columns)
        encoders = {name for vectors in self.tokens.values() for name in vectors}
        named = {"clip_g": "SDXL", "clip_h": "SD2", "clip_l": "SD1"}
        return next((base for encoder, base in named.items() if encoder in encoders), None)


def shape_of(weight: Weight) -> tuple[int, ...]:
    """The shape of the weight that it replaces or is added to."""
    if isinstance(weight, LowRank):
        return (weight.u.shape[0], weight.v.shape[1])
    return tuple(weight.shape)


def difference(weight: Weight, base: Tensor) -> Tensor:
    """What is to be added to the base's weight, in fp32."""
    if isinstance(weight, LowRank):
        return weight.u.float() @ weight.v.float()
    return weight.float() - base.float()


def whole(weight: Weight, base: Tensor) -> Tensor:
    """The weight as it shall be, in fp64."""
    base = base.double()
    return base + weight.u.double() @ weight.v.double() if isinstance(weight, LowRank) else weight.double()


def renamed(concept: Concept, names: Mapping[str, str]) -> Concept:
    """The concept with other words; those that are not named stay."""
    tokens = {names.get(token, token): vectors for token, vectors in concept.tokens.items()}
    return Concept(concept.weights, tokens, concept.text)


def finite(concept: Concept) -> bool:
    """Whether all its numbers are."""
    weights = [part for each in concept.weights.values() for part in parts(each)]
    vectors = [vector for each in concept.tokens.values() for vector in each.values()]
    return all(bool(torch.isfinite(part).all()) for part in (*weights, *vectors, *concept.text.values()))


def parts(weight: Weight) -> tuple[Tensor, ...]:
    """The tensors that a weight is kept in."""
    return tuple(weight) if isinstance(weight, LowRank) else (weight,)
