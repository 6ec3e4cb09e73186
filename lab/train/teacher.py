"""Another UNet and ControlNet with their own text encoder, which a training imitates on the whole view.

With a new text encoder a UNet must learn anew what to read from words, and little else. Its cross-attention
layers learn that best one by one: each is shown what the teacher's layer was shown, and learns what that gave
(layer-wise distillation; Hinton et al. 2015, Romero et al. 2015). Then the networks learn the teacher's
velocity, which has no noise of its own, in place of the true one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..toy.control import controlled
from ..toy.models import attention, networks
from .latent_cache import Batch
from .places import Places, frozen

CROSS = ".attn2"  # how ComfyUI's cross-attention layers are called


class Student(NamedTuple):
    """What is trained, with the text encoder that it is to understand."""

    text: nn.Module
    unet: nn.Module
    control: nn.Module


class Call(NamedTuple):
    """What the teacher's layer was shown and gave, both B,N,C, and the student's layer."""

    layer: nn.Module
    shown: Tensor
    given: Tensor


def cross_attention(network: nn.Module) -> list[nn.Module]:
    """The layers that read words, in the order of the network's modules."""
    return [layer for name, layer in network.named_modules() if name.endswith(CROSS)]


def only_cross_attention(network: nn.Module) -> None:
    """Leave everything else of a network as it is."""
    network.requires_grad_(False)
    for layer in cross_attention(network):
        layer.requires_grad_(True)


class Teacher:
    """The networks of a folder of weights; nothing here learns."""

    def __init__(self, places: Places, student: Student) -> None:
        if places.teacher is None:
            raise ValueError("Expected the folder of a teacher's weights, got none; name it by --teacher.")
        folder = replace(places, weights=places.teacher)
        self.text = frozen(networks.text_encoder(), folder, "text")
        self.unet = frozen(networks.inpaint_unet(), folder, "unet")
        self.control = frozen(networks.controlnet(), folder, "openpose")
        ours = cross_attention(student.unet) + cross_attention(student.control)
        theirs = cross_attention(self.unet) + cross_attention(self.control)
        self.pairs = list(zip(theirs, ours, strict=True))

    @torch.no_grad()
    def velocity(self, x: Tensor, batch: Batch, steps: Tensor) -> Tensor:
        """What the teacher predicts of B,9,h,w for the batch's words and skeletons."""
        states = networks.text_states(self.text, batch.words)
        if len(batch.hints):
            return controlled(self.unet, self.control, x, batch.hints, steps, states)
        return self.unet(x, steps.float(), states)

    @contextmanager
    def watched(self) -> Iterator[list[Call]]:
        """Collects the calls of the cross-attention layers of what the teacher predicts within."""
        calls: list[Call] = []
        handles = [
            theirs.register_forward_hook(
                lambda _layer, shown, given, ours=ours: calls.append(Call(ours, shown[0], given))
            )
            for theirs, ours in self.pairs
        ]
        try:
            yield calls
        finally:
            for handle in handles:
                handle.remove()

    def layers(
        self, x: Tensor, batch: Batch, steps: Tensor, states: Tensor, recorder: attention.AttentionRecorder
    ) -> Tensor:
        """The mean over layers of the squared error in shares of what the teacher's layer gives' variance.

        The recorder gets the UNet's attention maps; `states` are the student's words.
        """
        with self.watched() as calls:
            self.velocity(x, batch, steps)
        options: dict[str, Any] = {"optimized_attention_override": recorder.override}
        own = {id(ours) for _, ours in self.pairs[: len(cross_attention(self.unet))]}
        total = []
        for layer, shown, given in calls:
            seen = options if id(layer) in own else {}
            ours = layer(shown.clone(), context=states[: len(shown)], transformer_options=seen).float()
            given = given.float()
            spread = (given - given.mean((0, 1), keepdim=True)).square().mean()
            total.append((ours - given).square().mean() / spread)
        return torch.stack(total).mean()
