"""The names of a UNet's weights in Stable Diffusion's own layout and in diffusers'.

Both lie in levels of two blocks: `input_blocks.4.1` is `down_blocks.1.attentions.0`.
"""

from __future__ import annotations

import re

LEVEL = 3  # blocks of a level: two with attention and one that changes the size
OWN = re.compile(r"(input_blocks|output_blocks)\.(\d+)\.1\.(.+)|middle_block\.1\.(.+)")
THEIRS = re.compile(r"(down|up)_blocks\.(\d+)\.attentions\.(\d+)\.(.+)|mid_block\.attentions\.0\.(.+)")


def own(name: str) -> str | None:
    """The name in Stable Diffusion's layout of a weight named in either; None for any other name."""
    name = name.removeprefix("model.").removeprefix("diffusion_model.").removeprefix("unet.")
    if OWN.fullmatch(name):
        return name
    found = THEIRS.fullmatch(name)
    if not found:
        return None
    side, level, block, rest, middle = found.groups()
    if middle:
        return f"middle_block.1.{middle}"
    if side == "down":
        return f"input_blocks.{1 + LEVEL * int(level) + int(block)}.1.{rest}"
    return f"output_blocks.{LEVEL * int(level) + int(block)}.1.{rest}"


def theirs(name: str) -> str:
    """The name in diffusers' layout of a weight named in Stable Diffusion's; ValueError for any other."""
    found = OWN.fullmatch(name)
    if not found:
        raise ValueError(f"Expected the name of a weight of a Stable Diffusion UNet, got {name}; check it.")
    side, block, rest, middle = found.groups()
    if middle:
        return f"mid_block.attentions.0.{middle}"
    if side == "input_blocks":
        level, number = divmod(int(block) - 1, LEVEL)
        return f"down_blocks.{level}.attentions.{number}.{rest}"
    level, number = divmod(int(block), LEVEL)
    return f"up_blocks.{level}.attentions.{number}.{rest}"
