"""The self-attention layers of a model in the order in which they run, whatever its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from comfy.ldm.flux.model import Flux
from comfy.ldm.lumina.model import NextDiT
from comfy.ldm.modules.attention import SpatialTransformer, SpatialVideoTransformer
from comfy.ldm.modules.diffusionmodules.mmdit import MMDiT
from comfy.ldm.modules.diffusionmodules.openaimodel import Downsample, UNetModel, Upsample
from comfy.ldm.qwen_image.model import QwenImageTransformer2DModel

# Where a layer is: for a UNet input, middle or output, the number of the block there and of the layer in it;
# for a transformer double or single, and the number of the block.
Place = tuple[str, int, int]
UNET, JOINT, UNMARKED, LUMINA = "UNet", "joint", "unmarked joint", "Lumina"
# Cells along the shorter side from which on a layer's map shows shapes.
LEAST_CELLS = 16
# Published sets of layers by (layers in the encoder, middle, decoder) or (double, single blocks).
# MasaCtrl for Stable Diffusion 1 and SDXL; Stable Flow's vital layers for FLUX.1.
PUBLISHED = {(6, 1, 9): "10-15", (24, 10, 36): "44-69", (19, 38): "0,1,17,18,25,28,53,54,56"}


@dataclass(frozen=True)
class Network:
    """What a patch needs to know of a diffusion network."""

    kind: str
    layers: Sequence[Place]
    words: Mapping[str, Sequence[int]]  # names of groups of layers, by layer number
    default: str | None  # the published layers as a text
    patch: int = 1  # side of a picture's token in latent cells
    multiple: int = 1  # the picture's tokens are padded to a multiple of this
    halvings: Sequence[int] = ()  # how often the latent's sides are halved at each layer of a UNet

    def words_at(self, before: int, count: int, references: Sequence[int]) -> int:
        """Where the `count` columns of a prompt begin among the tokens `before` the picture, or below 0.

        They come right before the picture, padding before them. In Lumina they come first, padding after
        them, but after the texts of `references`, by their numbers of columns.
        """
        if self.kind != LUMINA:
            return before - count
        return sum(self.multiple * max(1, -(-each // self.multiple)) for each in references)


def diffusion_network(model: Any) -> Any:
    """ComfyUI's network of a MODEL, also of one that torch has compiled."""
    net = model.get_model_object("diffusion_model")
    return getattr(net, "_orig_mod", net)


def network_of(model: Any, who: str) -> Network:
    """The network of a MODEL; ValueError, one sentence that names the model, if it is none of those known."""
    net = diffusion_network(model)
    if isinstance(net, UNetModel) and not is_video(net):
        return unet(net)
    if isinstance(net, Flux):
        counts = {"double": len(net.double_blocks), "single": len(net.single_blocks)}
        return joint(JOINT, counts, net.patch_size)
    if isinstance(net, QwenImageTransformer2DModel):
        return joint(JOINT, {"double": len(net.transformer_blocks)}, net.patch_size)
    if isinstance(net, MMDiT):
        return joint(UNMARKED, {"double": len(net.joint_blocks)}, net.patch_size)
    if isinstance(net, NextDiT):
        return joint(LUMINA, {"double": len(net.layers)}, net.patch_size, net.pad_tokens_multiple or 1)
    raise ValueError(
        f"{who} works with SD1, SD2, SDXL, SD3, Flux, Qwen-Image and Z-Image but the model is a "
        f"{type(model.model).__name__}; connect one of these."
    )


def unet_of(model: Any, who: str, known: str = "SD1, SD2 and SDXL") -> Network:
    """The layers of a MODEL's UNet; ValueError, one sentence that names the model, if it has none."""
    net = diffusion_network(model)
    if isinstance(net, UNetModel) and not is_video(net):
        return unet(net)
    raise ValueError(
        f"{who} works with {known} but the model is a {type(model.model).__name__}; connect one of these."
    )


def fine_layers(network: Network, cells: Sequence[int]) -> list[int]:
    """The decoder's layers whose maps of a latent (height, width) can show a shape, or its finest ones."""
    sides = {layer: min(cells) >> network.halvings[layer] for layer in network.words.get("decoder", ())}
    least = min(LEAST_CELLS, max(sides.values(), default=0))
    return [layer for layer, side in sides.items() if side >= least]


def is_video(net: UNetModel) -> bool:
    """Whether the rows of a batch are a video's frames."""
    return any(isinstance(each, SpatialVideoTransformer) for each in net.modules())


def unet(net: UNetModel) -> Network:
    """The layers of a UNet: encoder (its input blocks), middle, decoder (its output blocks)."""
    parts = {
        "input": list(net.input_blocks),
        "middle": [net.middle_block] if net.middle_block is not None else [],
        "output": list(net.output_blocks),
    }
    layers = [
        (part, number, depth)
        for part, blocks in parts.items()
        for number, block in enumerate(blocks)
        for transformer in block.modules()
        if isinstance(transformer, SpatialTransformer)
        for depth in range(len(transformer.transformer_blocks))
    ]
    names = {"encoder": "input", "middle": "middle", "decoder": "output"}
    groups = {word: [i for i, each in enumerate(layers) if each[0] == names[word]] for word in names}
    return replace(described(UNET, layers, groups), halvings=halvings(parts, layers))


def halvings(parts: Mapping[str, Sequence[Any]], layers: Sequence[Place]) -> list[int]:
    """How often the latent's sides were halved where each layer is."""
    level, found = 0, dict[tuple[str, int], int]()
    for part, blocks in parts.items():
        for number, block in enumerate(blocks):
            level += any(isinstance(each, Downsample) for each in block.modules())
            found[part, number] = level  # a block's layers come after its Downsample, before its Upsample
            level -= any(isinstance(each, Upsample) for each in block.modules())
    return [found[layer[:2]] for layer in layers]


def joint(kind: str, counts: Mapping[str, int], patch: int, multiple: int = 1) -> Network:
    """The layers of a transformer that joins words and picture; the double blocks come before the single."""
    layers = [(part, number, 0) for part, count in counts.items() for number in range(count)]
    groups = {part: [i for i, each in enumerate(layers) if each[0] == part] for part in counts}
    return described(kind, layers, groups if len(groups) > 1 else {}, patch, multiple)


def described(
    kind: str, layers: list[Place], groups: Mapping[str, list[int]], patch: int = 1, multiple: int = 1
) -> Network:
    """A network with the words for its layers and the published choice of them."""
    words = {word: numbers for word, numbers in groups.items() if numbers} | {"all": range(len(layers))}
    default = PUBLISHED.get(tuple(len(numbers) for numbers in groups.values()))
    return Network(kind, layers, words, default, patch, multiple)
