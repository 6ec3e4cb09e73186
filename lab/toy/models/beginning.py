"""Where the captioner's eye starts: each head already looks at a neighbouring patch, as a convolution would.

Vision transformers find out slowly that neighbours belong together; told so, they need far fewer pictures
(after Zheng, Li & Lucey 2024, "Structured Initialization for Attention in Vision Transformers").
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

# How many patches away the heads of the first layers look; the layers after them look anywhere.
REACH = (1, 1, 2, 3)
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))  # columns, rows; further heads look anywhere
SHARPNESS = 2.2
FREE = 0.3  # of the usual spread, for what heads that look at a neighbour ask of its content


@torch.no_grad()
def begin(network: nn.Module) -> None:
    """Set the first weights of a BlipForConditionalGeneration from torch's random state."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and layer.weight.shape[0] < 10_000:
            layer.weight.normal_(0, layer.weight[0].numel() ** -0.5)  # LeCun et al. 1998, §4.6
            nn.init.zeros_(layer.bias)
    vision: Any = network.vision_model
    places(vision.embeddings)
    layers = vision.encoder.layers
    for number, layer in enumerate(layers):
        head = layer.self_attn.head_dim
        for last in (layer.self_attn.projection, layer.mlp.fc2):
            last.weight.mul_((2 * len(layers)) ** -0.5)
            last.weight[:head] = 0  # so that the places stay readable
        if number < len(REACH):
            look(layer.self_attn, REACH[number], vision.embeddings.num_patches)


def places(embeddings: Any) -> None:
    """The first channels, as many as one head has, hold where a patch is, as waves of column and row."""
    width, side = embeddings.embed_dim, math.isqrt(embeddings.num_patches)
    count = width // embeddings.config.num_attention_heads // 4
    at = torch.arange(side)[:, None] * frequencies(count, side)
    waves = torch.stack([at.cos(), at.sin()], 2).flatten(1)  # side, 2·count
    columns, rows = waves.repeat(side, 1), waves.repeat_interleave(side, 0)
    embeddings.patch_embedding.weight[: 4 * count] = 0
    embeddings.class_embedding.normal_(0, 0.5)
    embeddings.position_embedding.zero_()
    embeddings.position_embedding[0, 1:, : 4 * count] = torch.cat([columns, rows], 1)


def frequencies(count: int, side: int) -> Tensor:
    """Radians per patch, none of which repeats within the picture."""
    return torch.arange(1, count + 1) * (math.pi / side)


def look(attention: Any, reach: int, patches: int) -> None:
    """Let the first four heads look `reach` patches right, left, down and up."""
    head, width = attention.head_dim, attention.embed_dim
    query, key, _ = attention.qkv.weight.view(3, attention.num_heads, head, width)
    for number, (columns, rows) in enumerate(SIDES):
        query[number] *= FREE
        key[number] *= FREE
        key[number, :, :head] = torch.eye(head)
        steps = frequencies(head // 4, math.isqrt(patches)) * reach
        turns = [rotation(float(step) * by) for by in (columns, rows) for step in steps]
        query[number, :, :head] = SHARPNESS * torch.block_diag(*turns)


def rotation(angle: float) -> Tensor:
    """The 2,2 matrix that takes (cos a, sin a) to (cos(a + angle), sin(a + angle))."""
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s], [s, c]])
