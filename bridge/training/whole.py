"""Trainings in which all weights of a network learn, outside of ComfyUI's memory management."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import comfy.model_management as management
import torch
from torch import Tensor, nn

from ...training.loop import TrainConfig
from .hosted import differentiable

STATE_SIZES = 4  # of all weights: themselves, their gradients and AdamW's two
HALVES = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Settings:
    """How a whole model is trained."""

    steps: int = 2000
    learning_rate: float = 1e-5
    warmup: int = 500
    batch: int = 4
    accumulation: int = 1
    size: int = 512
    views: int = 16
    checkpointing: bool = False
    seed: int = 0

    @property
    def plan(self) -> TrainConfig:
        """The loop's own settings: the rate stays after its warm-up."""
        return TrainConfig(
            self.steps, self.learning_rate, warmup=self.warmup, min_lr_ratio=1.0, weight_decay=0.01,
            accumulation=self.accumulation,
        )  # fmt: skip


def check_size(settings: Settings, vae: Any, who: str) -> None:
    """ValueError, one sentence, for a size that the network cannot have."""
    multiple = 8 * int(vae.spacial_compression_encode())
    if settings.size % multiple:
        raise ValueError(f"{who}: size must be a multiple of {multiple}, got {settings.size}; change it.")


def dtype_of(model: Any) -> torch.dtype:
    """The type in which a MODEL's weights are written again: half precision for published checkpoints."""
    dtype = model.model.get_dtype()
    return dtype if dtype in HALVES else torch.float32


def stored(value: Tensor, dtype: torch.dtype) -> Tensor:
    """A copy of a weight on the CPU, of a type if it is a number with a fraction."""
    return value.detach().to("cpu", dtype if value.is_floating_point() else value.dtype, copy=True)


def half_precision(device: torch.device) -> AbstractContextManager[Any]:
    """bf16 autocast where the device has one that gradients pass; the weights stay in single precision."""
    if device.type == "cuda" and management.should_use_bf16(device):
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


@contextmanager
def placed(
    inner: Any, others: Sequence[nn.Module], device: torch.device, checkpointing: bool
) -> Iterator[None]:
    """Within, the model `inner` and other networks are on the device and differentiable."""
    networks = (inner, *others)
    weights = [value for each in networks for value in each.parameters()]
    room = STATE_SIZES * sum(value.numel() * value.element_size() for value in weights)
    management.free_memory(room, device)
    for each in networks:
        each.to(device)
    with differentiable(inner, checkpointing):
        yield
