"""A UNet whose attention to chosen words is planted, and a CLIP for it."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from recompose.tests.in_comfyui.attention.models import UNET, World, patcher, randomised
from recompose.tests.in_comfyui.attention.test_word_mask import Clip
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

TEXT = "a red ball and a dog on the grass"
# What a query is, in lengths of the key that it is to find.
STRONG = 60.0


def inpaint() -> World:
    """A UNet that takes a mask and a masked picture beside the latent."""
    base = importlib.import_module("comfy.model_base")
    settings = UNET | {"in_channels": 9}
    found = importlib.import_module("comfy.supported_models").SD15(settings)
    inner = base.BaseModel(found, base.ModelType.EPS)
    randomised(inner.diffusion_model)
    inner.set_inpaint()
    return World(patcher(inner), 4, UNET["context_dim"])


def planted(model: Any, regions: list[tuple[str, Tensor]], text: str = TEXT, rows: int = 1) -> Any:
    """A MODEL whose cells in a region (rows or 1, height, width) look at a word, others at the first token.

    The queries are solved for through each layer's own projection, so what the layer computes is planted.
    """
    words = importlib.import_module("recompose.bridge.attention.columns").words_in
    clip, network = Clip(), importlib.import_module("recompose.bridge.attention.blocks").network_of(model, "")
    encoded = clip.encode_from_tokens_scheduled(clip.tokenize(text))[0][0][0]
    columns = [(words(clip, text, word, "")[0].columns[-1], region) for word, region in regions]
    blocks = layers(model, network)

    def patch(query: Tensor, context: Tensor, value: Tensor, extra: dict) -> tuple[Tensor, Tensor, Tensor]:
        attention = blocks[(*extra["block"], extra["block_index"])]
        height, width = extra["activations_shape"][-2:]
        keys = encoded.to(query) @ attention.to_k.weight.T
        wanted = torch.zeros(len(query) // rows, rows, height, width, dtype=torch.long)
        for column, region in columns:
            where = adaptive_max_pool2d(region[:, None].float(), (height, width))[:, 0] > 0
            wanted[:, where.expand(rows, -1, -1)] = column
        unit = keys / keys.norm(dim=-1, keepdim=True)
        found = STRONG * unit[wanted.reshape(len(query), -1)]
        return found @ torch.linalg.inv(attention.to_q.weight).T, context, value

    model = model.clone()
    model.set_model_attn2_patch(patch)
    return model


def layers(model: Any, network: Any) -> dict[tuple, Any]:
    """The cross-attention modules of a UNet by their places."""
    net = model.get_model_object("diffusion_model")
    parts = {"input": net.input_blocks, "output": net.output_blocks, "middle": [net.middle_block]}
    found = {}
    for name, number, depth in network.layers:
        stack = parts[name][number if name != "middle" else 0]
        inner = next(each for each in stack if hasattr(each, "transformer_blocks"))
        found[name, number, depth] = inner.transformer_blocks[depth].attn2
    return found
