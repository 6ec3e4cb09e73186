"""How the toy models' weights are stored: symmetric int8 quantisation per output channel.

A floating tensor w with two or more dimensions is rounded to fp16 and stored as whole numbers q (int8, under
its own key), and beside it one scale s for each index of its first dimension (fp32, under its key and
SUFFIX):

    s = max|w| / 127,    q = round(w / s), halves to even,    w ≈ q · s

The first dimension is the output channel of a convolution or linear layer and the row of an embedding table
(of a transposed convolution it is the input channel). A channel of zeros has the scale 1. Everything else
(biases, norms, statistics, single numbers, tensors of whole numbers) is stored as fp16. Storing what was
restored gives the same q and s again: max|w| comes back exactly, and fp16 is off by less than half of s.

The scales are fp32 because fp16 cannot hold them: fp16 weights lie between 2⁻²⁴ and 65504, their scales
between 5e-10 and 516, and the small ones would become zero or lose their digits.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

SUFFIX = ".int8_scale"
LARGEST = 127  # -128 stays unused, so that a weight and its negative are stored alike


def scales(weight: Tensor) -> Tensor:
    """The scale of each index of the first dimension, fp32; 1 where no weight differs from zero."""
    with_zero = functional.pad(weight.abs().flatten(1), (1, 0))  # a channel may have no weights at all
    largest = with_zero.amax(1).float()
    return torch.where(largest > 0, largest / LARGEST, 1.0)


def along_first(scale: Tensor, weight: Tensor) -> Tensor:
    """Scales N in the shape that multiplies a tensor N,…"""
    return scale.view(-1, *[1] * (weight.dim() - 1))


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The int8 numbers and fp32 scales of a finite fp16 tensor with two or more dimensions."""
    scale = scales(weight)
    # In fp64, so that a quotient is never rounded onto a half from beside it.
    levels = (weight.double() / along_first(scale, weight).double()).round()
    return levels.to(torch.int8), scale


def stored(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a file holds of weights that are finite in fp16: the rule's tensors, and all others as fp16.

    ValueError for a key that would be taken for a scale's.
    """
    found: dict[str, Tensor] = {}
    for key, value in weights.items():
        if key.endswith(SUFFIX):
            raise ValueError(f"Expected keys that do not end with {SUFFIX}, got {key}; rename that weight.")
        half = value.half().contiguous()
        if value.is_floating_point() and value.dim() > 1:
            found[key], found[key + SUFFIX] = quantised(half)
        else:
            found[key] = half
    return found


def restored(held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of what a file holds, the quantised ones as fp16; ValueError where the file is damaged."""
    found: dict[str, Tensor] = {}
    for key, value in held.items():
        if key.endswith(SUFFIX):
            matrix = held.get(key.removesuffix(SUFFIX))
            if matrix is None or matrix.dtype != torch.int8:
                raise ValueError(f"{key} has no int8 tensor")
        elif value.dtype == torch.int8:
            found[key] = matrix_of(key, value, held.get(key + SUFFIX))
        else:
            found[key] = value
    return found


def matrix_of(key: str, levels: Tensor, scale: Tensor | None) -> Tensor:
    """The fp16 tensor of int8 numbers and their scales; ValueError where they do not fit together."""
    if scale is None:
        raise ValueError(f"{key} has no scales")
    if scale.dtype != torch.float32 or levels.dim() < 2 or scale.shape != levels.shape[:1]:
        raise ValueError(f"{key} has scales of another type or shape")
    weight = (levels.float() * along_first(scale, levels)).half()
    if not ((scale > 0).all() and torch.isfinite(weight).all()):
        raise ValueError(f"{key} has scales that are no positive numbers of fp16's range")
    return weight
