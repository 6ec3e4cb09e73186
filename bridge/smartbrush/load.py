"""Load SmartBrush: MODEL, CLIP and VAE of a checkpoint with five channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comfy.model_detection
import comfy.model_management as management
import comfy.model_patcher
import comfy.sd
import comfy.supported_models
import comfy.utils
import folder_paths
from comfy.model_base import ModelType
from torch import Tensor

from . import files
from .files import UNET, WHO
from .network import CHANNELS, SmartBrushModel

VAE, TEXT = "first_stage_model.", "cond_stage_model."


def load_smartbrush(name: str) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE of a file; ValueError by a sentence."""
    if trouble := files.problem(name):
        raise ValueError(trouble)
    path = files.found(name)
    assert path is not None
    raw, stated = files.read(path)
    return of_weights(raw, name, stated.get("prediction"))


def of_weights(raw: Mapping[str, Tensor], name: str, prediction: str | None = None) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE of a checkpoint's weights; ValueError, one sentence, where one is missing."""
    unet = below(raw, UNET)
    config = config_of(unet, name)
    return model_of(config, unet, name, prediction), clip_of(config, raw, name), vae_of(raw, name)


def below(raw: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights below a prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in raw.items() if key.startswith(prefix)}


def config_of(unet: Mapping[str, Tensor], name: str) -> Any:
    """ComfyUI's configuration of a UNet of SD1, of any width, with five channels."""
    found = comfy.model_detection.detect_unet_config(unet, "")
    if found is None or found.get("context_dim") is None:
        raise ValueError(
            f"{WHO}: {name} has no UNet of Stable Diffusion 1; choose a file of Train SmartBrush."
        )
    base = comfy.supported_models.SD15
    kinds = [each for each in comfy.supported_models.models if issubclass(each, base)]
    config = next((each for each in kinds if each.matches(found)), base)(found)
    config.unet_config |= {"in_channels": CHANNELS, "out_channels": CHANNELS}
    return config


def model_of(config: Any, unet: dict[str, Tensor], name: str, prediction: str | None) -> Any:
    """The MODEL."""
    stated = {files.VELOCITY: ModelType.V_PREDICTION, files.NOISE: ModelType.EPS}
    kind = stated.get(prediction or "") or config.model_type(unet, "")
    device, dtypes = management.get_torch_device(), list(config.supported_inference_dtypes)
    dtype = management.unet_dtype(
        model_params=comfy.utils.calculate_parameters(unet), supported_dtypes=dtypes,
        weight_dtype=comfy.utils.weight_dtype(unet),
    )  # fmt: skip
    config.set_inference_dtype(dtype, management.unet_manual_cast(dtype, device, dtypes))
    inner = SmartBrushModel(config, kind)
    check_shapes(inner.diffusion_model.state_dict(), unet, name)
    patcher = comfy.model_patcher.CoreModelPatcher(
        inner, load_device=device, offload_device=management.unet_offload_device()
    )
    inner.to(patcher.offload_device)
    inner.load_model_weights(dict(unet), "", assign=patcher.is_dynamic())
    return patcher


def check_shapes(wanted: Mapping[str, Tensor], unet: Mapping[str, Tensor], name: str) -> None:
    """ValueError where weights are missing or of another shape."""
    bad = [key for key in wanted if key not in unet or unet[key].shape != wanted[key].shape]
    if bad:
        raise ValueError(
            f"{WHO}: {name} lacks {len(bad)} weights of its network ({bad[0]}, …) or has them in another "
            "shape; train it anew."
        )


def clip_of(config: Any, raw: Mapping[str, Tensor], name: str) -> Any:
    """The CLIP."""
    text = config.process_clip_state_dict({key: value for key, value in raw.items() if key.startswith(TEXT)})
    if not text:
        raise ValueError(f"{WHO}: {name} has no text encoder; take the whole checkpoint.")
    return comfy.sd.CLIP(
        config.clip_target(state_dict=text), embedding_directory=folder_paths.get_folder_paths("embeddings"),
        tokenizer_data=text, parameters=comfy.utils.calculate_parameters(text), state_dict=text,
    )  # fmt: skip


def vae_of(raw: Mapping[str, Tensor], name: str) -> Any:
    """The VAE."""
    found = comfy.sd.VAE(sd=below(raw, VAE))
    if found.first_stage_model is None:
        raise ValueError(
            f"{WHO}: {name} has no autoencoder (VAE) that ComfyUI knows; take the whole checkpoint."
        )
    return found
