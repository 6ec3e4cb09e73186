"""Where the training of an exemplar model starts: SD1's network with more input channels, and an encoder."""

from __future__ import annotations

from typing import Any

import comfy.supported_models
import torch
from torch import Tensor

from ...core.exemplar import names
from ...core.exemplar.head import Head, Sizes
from ...training.networks import learning
from ..training.hosted import NOISE, VELOCITY, copied
from .encoder import ExemplarEncoder, encoder_of
from .files import Parts
from .network import EXEMPLAR, LATENT, ExemplarModel

FIRST = "input_blocks.0.0.weight"
BLOCKS, INNER = 5, 4  # of the published head: blocks, and their inner layer in widths


def network_from(model: Any, who: str) -> ExemplarModel:
    """A network to be trained, in single precision, that answers as the MODEL does before it has learned:
    what is new in it is zero. The MODEL stays. ValueError by a sentence for another kind."""
    check(model, who)
    config, inner = model.model.model_config, copied(model).model
    weights = {name: value.float() for name, value in inner.diffusion_model.state_dict().items()}
    further = EXEMPLAR - weights[FIRST].shape[1]
    if further > 0:
        zeros = weights[FIRST].new_zeros(len(weights[FIRST]), further, *weights[FIRST].shape[2:])
        weights[FIRST] = torch.cat([weights[FIRST], zeros], 1)
    sizes = {**config.unet_config, "in_channels": weights[FIRST].shape[1]}
    made = type(config)(sizes)
    made.unet_config["num_heads"] = config.unet_config["num_heads"]
    made.set_inference_dtype(torch.float32, None)
    with learning():
        network = ExemplarModel(made, model.model.model_type)
        network.diffusion_model.load_state_dict(weights)
        network.diffusion_model.requires_grad_(True)
    return network


def check(model: Any, who: str) -> None:
    """ValueError, one sentence, for a MODEL that an exemplar model cannot be made from."""
    inner, base = model.model, comfy.supported_models.SD15
    kind = getattr(inner, "model_type", None)
    channels = getattr(inner.model_config, "unet_config", {}).get("in_channels")
    if not isinstance(inner.model_config, base) or kind not in (*VELOCITY, *NOISE):
        raise ValueError(
            f"{who} trains models of SD1, got {type(inner.model_config).__name__}; connect a "
            "text-to-image model of SD1 or an exemplar model."
        )
    if channels != LATENT and not isinstance(inner, ExemplarModel):
        raise ValueError(
            f"{who}: the model has {channels} input channels of another kind; connect its text-to-image "
            "model, or an exemplar model."
        )


def encoder_from(vision: Any, word: int, seed: int, who: str) -> ExemplarEncoder:
    """An encoder of a CLIP_VISION whose further blocks have learned nothing yet; ValueError for another."""
    config = getattr(vision, "config", None)
    if not isinstance(config, dict) or config.get("model_type", "clip_vision_model") != "clip_vision_model":
        raise ValueError(
            f"{who}: clip_vision is no CLIP vision model; connect Load CLIP Vision, of ViT-L/14."
        )
    stated = {"tower_heads": config.get("num_attention_heads"), "activation": config.get("hidden_act")}
    return fresh(names.tower(vision.model.state_dict()), stated, word, seed, "clip_vision")


def fresh(
    tower: dict[str, Tensor], stated: dict[str, Any], word: int, seed: int, name: str
) -> ExemplarEncoder:
    """An encoder of a tower's weights with blocks that have learned nothing yet."""
    width = len(tower[f"{names.TOWER}embeddings.class_embedding"])
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = Head(Sizes(width, word, BLOCKS, INNER * width))
        torch.nn.init.normal_(head.null)
    return encoder_of(Parts({}, {}, tower, head.state_dict(), stated), name)


def head_from(encoder: ExemplarEncoder) -> Head:
    """A copy of an encoder's head that learns."""
    with learning():
        head = Head(encoder.network.head.sizes)
        head.load_state_dict(
            {name: value.clone() for name, value in encoder.network.head.state_dict().items()}
        )
    return head
