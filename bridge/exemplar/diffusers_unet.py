"""A UNet of diffusers' by the names of Stable Diffusion's own code, of any width and depth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import comfy.utils
from torch import Tensor


def renamed(weights: Mapping[str, Tensor], who: str) -> dict[str, Tensor]:
    """The weights by their other names; ValueError, one sentence, where some have none."""
    table = comfy.utils.unet_to_diffusers(structure(weights))
    unknown = sorted(weights.keys() - table.keys())
    missing = sorted(table.keys() - weights.keys())
    lacking = [name for name in missing if belongs(name, weights)]
    if unknown or lacking:
        bad = (unknown or lacking)[0]
        raise ValueError(f"{who} is no UNet of Stable Diffusion 1 ({bad}); take it from its source again.")
    return {table[name]: value for name, value in weights.items()}


def belongs(name: str, weights: Mapping[str, Tensor]) -> bool:
    """Whether a name of the table, which is the same for all, must be there: others of its layer are."""
    layer = name.rpartition(".")[0]
    return any(other.startswith(f"{layer}.") for other in weights)


def count(weights: Mapping[str, Tensor], pattern: str) -> int:
    """How many numbers a place in the names has."""
    found = re.compile(pattern + r"\.(\d+)\.")
    return 1 + max((int(match[1]) for name in weights if (match := found.match(name))), default=-1)


def structure(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """What ComfyUI's table of names needs to know of a UNet."""
    levels = count(weights, r"down_blocks")
    depth = r"\.transformer_blocks"
    blocks = [count(weights, rf"down_blocks\.{level}\.resnets") for level in range(levels)]
    # Each list is in the order of ComfyUI's own: the way down forwards, the way up from its end.
    down = [
        count(weights, rf"down_blocks\.{level}\.attentions\.{number}{depth}")
        for level in range(levels)
        for number in range(blocks[level])
    ]
    up = [
        count(weights, rf"up_blocks\.{level}\.attentions\.{number}{depth}")
        for level in range(levels)
        for number in range(blocks[-1 - level] + 1)
    ]
    return {
        "num_res_blocks": blocks,
        "channel_mult": [1] * levels,
        "transformer_depth": down,
        "transformer_depth_output": up[::-1],
        "transformer_depth_middle": count(weights, rf"mid_block\.attentions\.0{depth}"),
    }
