"""EXEMPLAR_ENCODER: a CLIP vision tower of ComfyUI's and what makes one word of its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import comfy.ops
import torch
from comfy.clip_model import ACTIVATIONS, CLIPVisionModelProjection
from torch import Tensor, nn

from ...core.exemplar.head import Head, sizes_of
from ...core.exemplar.names import TOWER
from ..models import weights
from .files import WHO, Parts

HEAD_WIDTH = 64  # of attention in CLIP's towers, where no file says otherwise
ACTIVATION = "quick_gelu"
TOGETHER = 8
BYTES_PER_PICTURE = 64 * 2**20


class ExemplarNetwork(nn.Module):
    """Pictures B,3,S,S as CLIP sees them become words B,1,N."""

    def __init__(self, tower: CLIPVisionModelProjection, head: Head) -> None:
        super().__init__()
        self.tower, self.head = tower, head

    def pooled(self, pixels: Tensor) -> Tensor:
        """What the tower makes of pictures, before any projection."""
        return self.tower.vision_model(pixels)[2]

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.pooled(pixels))


class ExemplarEncoder:
    """The network in ComfyUI's memory management; `side` is that of its pictures in pixels.

    Of the UNet beside it: whether it takes a sketch, and whether it learned from those shrunk with antialias.
    """

    takes_sketch = antialias = False

    def __init__(self, network: ExemplarNetwork, side: int, tower: Mapping[str, Any]) -> None:
        self.network, self.side, self.tower = network, side, tower

    @property
    def null(self) -> Tensor:
        """The word of no picture (1,1,N)."""
        return self.network.head.null.detach().cpu().clone()

    def encode(self, pixels: Tensor) -> Tensor:
        """The words (B,1,N) of pictures B,3,S,S as CLIP sees them."""
        return self.run(self.network, pixels)

    def pooled(self, pixels: Tensor) -> Tensor:
        """What the tower makes of pictures (B,C), before any projection."""
        return self.run(self.network.pooled, pixels)

    def run(self, function: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
        """A function of the network for pictures, a few at a time."""
        some = min(TOGETHER, len(pixels))
        patcher = weights.place(self.network, some * BYTES_PER_PICTURE, weights.devices_for_text())
        with torch.no_grad():
            parts = [function(each.to(patcher.load_device)).cpu() for each in pixels.split(some)]
        return torch.cat(parts)


def encoder_of(parts: Parts, name: str) -> ExemplarEncoder:
    """The encoder, in single precision: a half's rounding shows in the picture, and it runs once a picture.

    ValueError, one sentence, for a tower that does not fit.
    """
    config = tower_config(parts, name)
    tower = CLIPVisionModelProjection(config, torch.float32, torch.device("cpu"), comfy.ops.manual_cast)
    wanted = tower.state_dict()
    held = {each: value.float() for each, value in parts.tower.items() if each in wanted}
    bad = [each for each in wanted if each not in held or held[each].shape != wanted[each].shape]
    if bad:
        raise ValueError(
            f"{WHO}: the vision tower of {name} lacks {len(bad)} weights ({bad[0]}, …) or has them in "
            "another shape; take it from its source again."
        )
    tower.load_state_dict(held)
    head = Head(sizes_of(parts.head))
    head.load_state_dict({each: value.float() for each, value in parts.head.items()})
    network = ExemplarNetwork(tower, head).eval().requires_grad_(False)
    return ExemplarEncoder(network, config["image_size"], config)


def tower_config(parts: Parts, name: str) -> dict[str, Any]:
    """ComfyUI's description of the tower, by its shapes; ValueError where it is too narrow or too wide."""
    embeddings = f"{TOWER}embeddings."
    patch = parts.tower[f"{embeddings}patch_embedding.weight"]
    width, side = patch.shape[0], patch.shape[-1]
    wanted = sizes_of(parts.head).width
    if width != wanted:
        raise ValueError(
            f"{WHO}: the vision tower of {name} is {width} wide and its encoder needs {wanted}; choose the "
            f"tower {'of CLIP ViT-L/14' if wanted == 1024 else 'it was made with'}."
        )
    activation = parts.stated.get("activation") or ACTIVATION
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"{WHO}: the vision tower of {name} has the activation {activation!r}, which ComfyUI's has not; "
            "take it from its source again."
        )
    cells = parts.tower[f"{embeddings}position_embedding.weight"].shape[0] - 1
    layers = {each.split(".")[3] for each in parts.tower if each.startswith(f"{TOWER}encoder.layers.")}
    return {
        "model_type": "clip_vision_model",
        "hidden_size": width,
        "num_hidden_layers": len(layers),
        "num_attention_heads": parts.stated.get("tower_heads") or max(1, width // HEAD_WIDTH),
        "intermediate_size": parts.tower[f"{TOWER}encoder.layers.0.mlp.fc1.weight"].shape[0],
        "hidden_act": activation,
        "image_size": round(cells**0.5) * side,
        "patch_size": side,
        "num_channels": 3,
    }
