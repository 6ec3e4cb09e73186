"""The patch beside an editor as the authors describe it: it counts the calls of the attention modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor
from torch.nn.functional import interpolate

FAR = -1e9  # added to the scores of keys that are not to be seen
STEPS, START, FIRST, LAYERS = 4, 1, 10, 16
MASKS = (torch.zeros(1, 1, 128, 128), torch.zeros(1, 1, 128, 128))
# Edges on whole tokens of every layer: how a mask is resized is not what is compared.
MASKS[0][..., :64] = 1
MASKS[1][..., 64:, :] = 1


def softmax(q: Tensor, k: Tensor, v: Tensor, heads: int, added: Tensor | float = 0.0) -> Tensor:
    """Attention of rows (rows, tokens, channels) written out in double precision."""
    q, k, v = (each.double().unflatten(-1, (heads, -1)).transpose(1, 2) for each in (q, k, v))
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + added
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2).float()


def replace(q: Tensor, k: Tensor, v: Tensor, source: int, heads: int, side: int) -> Tensor:
    return softmax(q, k[source, None], v[source, None], heads)


def union(q: Tensor, k: Tensor, v: Tensor, source: int, heads: int, side: int) -> Tensor:
    both = [torch.cat((each[source], each[source + 1]))[None] for each in (k, v)]
    return softmax(q, *both, heads)


def masked(q: Tensor, k: Tensor, v: Tensor, source: int, heads: int, side: int) -> Tensor:
    seen, wanted = (interpolate(mask, (side, side), mode="nearest").flatten().double() for mask in MASKS)
    inside = softmax(q, k[source, None], v[source, None], heads, FAR * (1 - seen))
    outside = softmax(q, k[source, None], v[source, None], heads, FAR * seen)
    return inside * wanted[:, None].float() + outside * (1 - wanted[:, None].float())


@contextmanager
def edited(network: Any, target: Callable[..., Tensor]) -> Iterator[None]:
    """Every self-attention of a UNet by this editor; rows are source and target, of each prompt."""
    blocks = [each for each in network.modules() if type(each).__name__ == "BasicTransformerBlock"]
    calls = [0]

    def forward(module: Any) -> Callable[..., Tensor]:
        def attention(x: Tensor, **_more: Any) -> Tensor:
            step, layer = divmod(calls[0], LAYERS)
            calls[0] += 1
            q, k, v, heads = module.to_q(x), module.to_k(x), module.to_v(x), module.heads
            out = softmax(q, k, v, heads)
            if step >= START and layer >= FIRST:
                side = round(x.shape[1] ** 0.5)
                for source in range(0, len(x), 2):
                    row = slice(source + 1, source + 2)
                    out[row] = target(q[row], k, v, source, heads, side)
            return module.to_out(out)

        return attention

    try:
        for block in blocks:
            block.attn1.forward = forward(block.attn1)
        yield
    finally:
        for block in blocks:
            del block.attn1.forward


@pytest.mark.parametrize("target", [replace, union, masked], ids=lambda each: each.__name__)
def test_it_makes_what_the_editor_makes(target: Callable, mutual: Callable, comfy: ModuleType) -> None:
    world = models.unet("V_PREDICTION")
    plain = world.run(steps=STEPS)
    with edited(world.model.model.diffusion_model, target):
        expected = world.run(steps=STEPS)
    given = dict(zip(("mask_source", "mask_target"), (mask[0] for mask in MASKS), strict=True))
    mode = {"mode": target.__name__, **(given if target is masked else {})}
    out = world.run(mutual(world.model, steps=f"{START}-", layers=f"{FIRST}-", **mode), steps=STEPS)
    edit = (expected[1] - plain[1]).abs().max()
    assert (out - expected).abs().max() < 0.002 * edit
    assert (out[0] - plain[0]).abs().max() == 0
