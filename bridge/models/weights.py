"""Weight files, and the place of their models in ComfyUI's memory management."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import comfy.model_management as management
import comfy.model_patcher
import comfy.utils
import torch
from torch import Tensor, nn


class Managed(nn.Module):
    """Holds a module of another library for ComfyUI's model patcher, which needs a `device` it can set."""

    def __init__(self, inner: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.inner = inner
        self.device = device


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .bin file, running no code from it; ValueError if it is neither."""
    try:
        state = comfy.utils.load_torch_file(str(path), safe_load=True)
    # Which errors a damaged file causes is no promise of torch, safetensors or ComfyUI.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{path} is damaged or holds no model weights ({reason}); download it again."
        ) from error
    if not isinstance(state, dict) or not all(_is_named_tensor(*entry) for entry in state.items()):
        raise ValueError(f"{path} holds other things than named tensors; download the model weights again.")
    for name, value in state.items():
        if value.is_floating_point() and value.numel() and not torch.isfinite(value.float()).all():
            raise ValueError(f"{path} holds NaN or infinite weights ({name}); download it again.")
    return state


def _is_named_tensor(name: object, value: object) -> bool:
    """Whether an entry has a text for its name and numbers of its own in plain layout for its value."""
    if not isinstance(name, str) or not isinstance(value, Tensor):
        return False
    return value.layout == torch.strided and not value.is_meta and not value.is_quantized


class Devices(NamedTuple):
    """Where a model computes and where it waits."""

    load: torch.device
    offload: torch.device


def devices_for_text() -> Devices:
    """ComfyUI's devices for text encoders and their like."""
    return Devices(management.text_encoder_device(), management.text_encoder_offload_device())


def devices_for_pictures() -> Devices:
    """ComfyUI's devices for networks that work on pictures."""
    return Devices(management.get_torch_device(), management.unet_offload_device())


def place(module: nn.Module, memory_required: int, devices: Devices) -> comfy.model_patcher.ModelPatcher:
    """Bring a module to the device it computes on with `memory_required` bytes of room beside it.

    The caller keeps the returned patcher while it computes and drops it to let ComfyUI reclaim the memory.
    """
    # Read at call time: ComfyUI puts its dynamic patcher there when it starts.
    patcher = comfy.model_patcher.CoreModelPatcher(
        Managed(module, devices.offload), load_device=devices.load, offload_device=devices.offload
    )
    management.load_models_gpu([patcher], memory_required=memory_required, force_full_load=True)
    # With --novram ComfyUI leaves weights behind that only its own layers can fetch one by one.
    if any(weight.device != patcher.load_device for weight in module.parameters()):
        module.to(patcher.load_device)
    return patcher


def compute_dtype(device: torch.device) -> torch.dtype:
    """Half precision where ComfyUI holds it to be sound on this device, else float32 (always on the CPU)."""
    return (
        torch.float16 if management.should_use_fp16(device, prioritize_performance=False) else torch.float32
    )
