"""The networks of an exemplar model, as ComfyUI's MODEL and VAE."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import comfy.model_detection
import comfy.model_management as management
import comfy.model_patcher
import comfy.sd
import comfy.supported_models
import comfy.utils
import torch
from comfy.conds import CONDConstant
from comfy.model_base import BaseModel, ModelType
from torch import Tensor

from ...core.attention.steps import step_of
from ...core.exemplar import sketch as sketches
from ...core.exemplar.kinds import FAMILIES
from ...core.exemplar.sketch import BLANK
from .files import WHO, Parts

LATENT, EXEMPLAR, WITH_SKETCH = 4, 9, 12  # input channels: a latent, mask and photo, a sketch
# What the conditioning holds of a sketch: its cells; until when it is seen, and what is seen after that.
SKETCH, PLAN = "recompose_sketch", "recompose_sketch_plan"
PUBLISHED_VAE = 128  # channels of Stable Diffusion's autoencoder, which ComfyUI knows


class ExemplarModel(BaseModel):
    """SD1's network that is also given the masked photo, then 1 where the photo stays, then a sketch if it
    has the channels."""

    def __init__(self, config: Any, model_type: ModelType, device: Any = None) -> None:
        super().__init__(config, model_type, device)
        self.set_inpaint()
        self.concat_keys = ("masked_image", "mask_inverted")
        self.sketch_channels = config.unet_config["in_channels"] - EXEMPLAR

    def concat_cond(self, **given: Any) -> Tensor:
        """What the network gets beside the latent."""
        found = super().concat_cond(**given)
        assert found is not None
        if not self.sketch_channels:
            return found
        sketch = given.get(SKETCH)
        if sketch is None:
            sketch = found.new_full((1, self.sketch_channels, *found.shape[2:]), BLANK)
        if sketch.shape[2:] != found.shape[2:]:
            size = (found.shape[3], found.shape[2])
            sketch = comfy.utils.common_upscale(sketch, *size, "bilinear", "center")
        sketch = comfy.utils.resize_to_batch_size(sketch.to(found), len(found))
        return torch.cat([found, sketch], 1)

    def extra_conds(self, **given: Any) -> dict[str, Any]:
        """As of any model, and until when the sketch is seen."""
        found = super().extra_conds(**given)
        return found | ({PLAN: CONDConstant(given[PLAN])} if PLAN in given else {})

    def apply_model(
        self, x: Tensor, t: Tensor, c_concat: Tensor | None = None, c_crossattn: Any = None,
        control: Any = None, transformer_options: Mapping[str, Any] = MappingProxyType({}), **given: Any,
    ) -> Tensor:  # fmt: skip
        """As of any model; after some of a run's steps the sketch is not seen any more."""
        plan, sigmas = given.pop(PLAN, None), transformer_options.get("sample_sigmas")
        if plan and self.sketch_channels and c_concat is not None and sigmas is not None:
            until, after = plan
            step = step_of(float(t[0]), sigmas.tolist())
            if not sketches.with_sketch(step, len(sigmas) - 1, until):
                c_concat = c_concat.clone()
                c_concat[:, -self.sketch_channels :] = after
        return super().apply_model(x, t, c_concat, c_crossattn, control, dict(transformer_options), **given)


def model_of(parts: Parts, name: str) -> Any:
    """The MODEL; ValueError, one sentence, for a network that is none of an exemplar model."""
    config = config_of(parts, name)
    kind = ModelType.V_PREDICTION if parts.stated.get("velocity") else config.model_type(parts.unet, "")
    number = comfy.utils.calculate_parameters(parts.unet)
    device = management.get_torch_device()
    dtypes = list(config.supported_inference_dtypes)
    dtype = management.unet_dtype(
        model_params=number, supported_dtypes=dtypes, weight_dtype=comfy.utils.weight_dtype(parts.unet)
    )
    config.set_inference_dtype(dtype, management.unet_manual_cast(dtype, device, dtypes))
    inner = ExemplarModel(config, kind)
    check_shapes(inner.diffusion_model, parts.unet, name)
    patcher = comfy.model_patcher.CoreModelPatcher(
        inner, load_device=device, offload_device=management.unet_offload_device()
    )
    inner.to(patcher.offload_device)
    inner.load_model_weights(dict(parts.unet), "", assign=patcher.is_dynamic())
    return patcher


def config_of(parts: Parts, name: str) -> Any:
    """ComfyUI's configuration of the UNet, of any width; ValueError for another kind of network."""
    found = comfy.model_detection.detect_unet_config(parts.unet, "")
    if found is None or found.get("context_dim") is None:
        raise ValueError(f"{WHO}: {name} has no UNet of Stable Diffusion 1; choose an exemplar model.")
    check_channels(found, parts.head, name)
    base = comfy.supported_models.SD15
    kinds = [each for each in comfy.supported_models.models if issubclass(each, base)]
    config = next((each for each in kinds if each.matches(found)), base)(found)
    heads = parts.stated.get("heads")
    if heads is not None:
        some = heads if isinstance(heads, list) else [heads]
        if not all(isinstance(each, int) and each > 0 for each in some) or len(set(some)) != 1:
            raise ValueError(
                f"{WHO}: {name} has {heads} heads of attention, and Stable Diffusion 1 has one number; "
                "choose an exemplar model."
            )
        config.unet_config["num_heads"] = some[0]
    return config


def check_channels(config: Mapping[str, Any], head: Mapping[str, Tensor], name: str) -> None:
    """ValueError for a UNet with other input channels, or that takes other words than its encoder gives."""
    channels, width = config["in_channels"], config["context_dim"]
    if channels not in (EXEMPLAR, WITH_SKETCH):
        raise ValueError(
            f"{WHO}: {name} has {channels} input channels, and an exemplar model has {EXEMPLAR}, or "
            f"{WITH_SKETCH} with a sketch; choose one of these."
        )
    word = head["project.weight"].shape[0]
    if width != word:
        theirs = f"{width} numbers ({FAMILIES.get(width, 'no known kind')})"
        raise ValueError(
            f"{WHO}: the UNet of {name} takes words of {theirs} and its image encoder gives {word}; take the "
            "whole model from one source."
        )


def check_shapes(network: torch.nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """ValueError where weights are missing or of another shape."""
    wanted = network.state_dict()
    bad = [each for each in wanted if each not in weights or weights[each].shape != wanted[each].shape]
    if bad:
        raise ValueError(
            f"{WHO}: {name} lacks {len(bad)} weights of its network ({bad[0]}, …) or has them in another "
            "shape; take it from its source again."
        )


def vae_of(weights: Mapping[str, Tensor], name: str) -> Any:
    """The VAE; ValueError, one sentence, for what is none."""
    found = comfy.sd.VAE(sd=dict(weights), config=narrow_vae(weights))
    if found.first_stage_model is None:
        raise ValueError(f"{WHO}: {name} has no autoencoder (VAE) that ComfyUI knows; take the whole model.")
    return found


def narrow_vae(weights: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """ComfyUI's description of an autoencoder like Stable Diffusion's of another width; None for its own."""
    first, last = weights.get("encoder.conv_in.weight"), weights.get("decoder.conv_in.weight")
    if first is None or last is None or first.shape[0] == PUBLISHED_VAE:
        return None
    width = first.shape[0]
    levels = [f"encoder.down_blocks.{level}.resnets.0.conv1.weight" for level in range(4)]
    if levels[0] not in weights:
        levels = [f"encoder.down.{level}.block.0.conv1.weight" for level in range(4)]
    sizes = {
        "double_z": True, "z_channels": last.shape[1], "resolution": 256, "in_channels": first.shape[1],
        "out_ch": first.shape[1], "ch": width, "num_res_blocks": 2, "attn_resolutions": [], "dropout": 0.0,
        "ch_mult": [weights[level].shape[0] // width for level in levels if level in weights],
    }  # fmt: skip
    return {"params": {"ddconfig": sizes, "embed_dim": last.shape[1]}}
