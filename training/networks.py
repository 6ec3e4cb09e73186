"""Parts of networks: what learns, what stays frozen, and how a model that ComfyUI loaded can learn at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn


@contextlib.contextmanager
def learning() -> Iterator[None]:
    """Gradients on, also inside ComfyUI, which runs its nodes in torch's inference mode."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def leave_inference(network: nn.Module) -> nn.Module:
    """Replace, in place, what was made in inference mode by normal tensors; gradients pass no others.

    Also frozen parts need this where gradients flow through them. Shared parameters stay shared.
    """
    replaced: dict[int, Tensor] = {}

    def normal(value: Tensor) -> Tensor:
        if id(value) not in replaced:
            copied = value.clone()
            is_parameter = isinstance(value, nn.Parameter)
            replaced[id(value)] = nn.Parameter(copied, value.requires_grad) if is_parameter else copied
        return replaced[id(value)]

    with torch.inference_mode(False), torch.no_grad():
        for module in network.modules():
            for values in cast(tuple[dict[str, Any], ...], (module._parameters, module._buffers)):
                for name, value in values.items():
                    if value is not None and value.is_inference():
                        values[name] = normal(value)
    return network


def normal_batch(batch: Any) -> Any:
    """A batch (a tensor, or a tuple, list or dictionary of such) without tensors made in inference mode."""
    if isinstance(batch, Tensor):
        return batch.clone() if batch.is_inference() else batch
    if isinstance(batch, dict):
        return {name: normal_batch(value) for name, value in batch.items()}
    if isinstance(batch, list | tuple):
        parts = [normal_batch(value) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch


def freeze(network: nn.Module) -> nn.Module:
    """A network that training leaves alone."""
    return network.requires_grad_(False).eval()


def train_only(network: nn.Module, chosen: Callable[[str], bool]) -> list[str]:
    """Freeze all parameters but those whose names are chosen, and return their names.

    ValueError when none is chosen.
    """
    leave_inference(network)
    named = list(network.named_parameters(remove_duplicate=False))
    wanted = {id(parameter) for name, parameter in named if chosen(name)}
    for _, parameter in named:
        parameter.requires_grad_(id(parameter) in wanted)
    found = [name for name, parameter in named if parameter.requires_grad]
    if not found:
        raise ValueError("Expected at least one parameter to train, got none; choose other names.")
    return found


def learned(network: nn.Module) -> dict[str, Tensor]:
    """What training changes of a network's state: its parameters that are not frozen, and its buffers."""
    named = network.named_parameters(remove_duplicate=False)  # a shared parameter under all its names
    frozen = {name for name, parameter in named if not parameter.requires_grad}
    return {name: value for name, value in network.state_dict().items() if name not in frozen}


def delta(weights: dict[str, Tensor], base: dict[str, Tensor]) -> dict[str, Tensor]:
    """What was added to the base's weights of the same names, in fp32."""
    return {name: value.detach().float() - base[name].detach().float() for name, value in weights.items()}
