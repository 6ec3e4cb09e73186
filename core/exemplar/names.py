"""Names of weights: of the published checkpoint, of diffusers' folder, and ours in between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

UNET, VAE, STAGE = "model.diffusion_model.", "first_stage_model.", "cond_stage_model."
TOWER = "vision_model."  # as ComfyUI names it
# Ours, the checkpoint's and diffusers' names of a block's layers; of the query, key and value that the
# checkpoint has as one, only the value counts.
BLOCK = (
    ("norm1", "ln_1", "norm1"),
    ("value", "attn.c_qkv", "attn1.to_v"),
    ("out", "attn.c_proj", "attn1.to_out.0"),
    ("norm2", "ln_2", "norm3"),
    ("wide", "mlp.c_fc", "ff.net.0.proj"),
    ("narrow", "mlp.c_proj", "ff.net.2"),
)
AFTER = (("norm", "cond_stage_model.final_ln", "final_layer_norm"), ("project", "proj_out", "proj_out"))
NULL = ("null", "learnable_vector", "uncond_vector")
CHECKPOINT, DIFFUSERS = 1, 2  # places in the tables
BLOCKS = {CHECKPOINT: "cond_stage_model.mapper.resblocks", DIFFUSERS: "mapper.blocks"}
FUSED = "attn.c_qkv"


def table(blocks: int, layout: int) -> dict[str, str]:
    """A layout's names of a head's weights by ours."""
    found = {NULL[0]: NULL[layout]}
    for number in range(blocks):
        for each in BLOCK:
            for kind in ("weight", "bias"):
                found[f"blocks.{number}.{each[0]}.{kind}"] = (
                    f"{BLOCKS[layout]}.{number}.{each[layout]}.{kind}"
                )
    for each in AFTER:
        found |= {f"{each[0]}.{kind}": f"{each[layout]}.{kind}" for kind in ("weight", "bias")}
    return found


def blocks_of(names: Iterable[str], layout: int) -> int:
    """How many blocks the names of a layout have."""
    pattern = re.compile(re.escape(BLOCKS[layout]) + r"\.(\d+)\.")
    return 1 + max((int(found[1]) for name in names if (found := pattern.match(name))), default=-1)


def head(raw: Mapping[str, Tensor], layout: int) -> dict[str, Tensor]:
    """The weights of a head by our names, as far as they are there."""
    found = {}
    for ours, theirs in table(blocks_of(raw, layout), layout).items():
        value = raw.get(theirs)
        if value is not None:
            found[ours] = value.chunk(3)[2] if FUSED in theirs else value
    return found


def missing(head: Mapping[str, Tensor], layout: int) -> list[str]:
    """The names, as a layout has them, of weights that a head lacks."""
    blocks = 1 + max((int(name.split(".")[1]) for name in head if name.startswith("blocks.")), default=0)
    return [theirs for ours, theirs in table(blocks, layout).items() if ours not in head]


def checkpoint_head(head: Mapping[str, Tensor], blocks: int) -> dict[str, Tensor]:
    """A head's weights by the checkpoint's names; queries and keys, which do not count, are zero."""
    found = {}
    for ours, theirs in table(blocks, CHECKPOINT).items():
        value = head[ours]
        found[theirs] = torch.cat([torch.zeros_like(value)] * 2 + [value]) if FUSED in theirs else value
    return found


def tower(raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a vision tower by ComfyUI's names: of a checkpoint, of diffusers' folder as transformers
    4 or 5 writes it, or of a CLIP vision file; empty where there is none."""
    for prefix in (f"{STAGE}transformer.{TOWER}", f"model.{TOWER}", TOWER, "model.", ""):
        if f"{prefix}embeddings.class_embedding" in raw:
            return {
                TOWER + name.removeprefix(prefix): value
                for name, value in raw.items()
                if name.startswith(tuple(prefix + part for part in PARTS)) and "position_ids" not in name
            }
    return {}


PARTS = ("embeddings.", "encoder.", "pre_layrnorm.", "post_layernorm.")


def below(raw: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights below a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in raw.items() if name.startswith(prefix)}
