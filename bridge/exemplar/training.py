"""Train Exemplar Model: a network of SD1 and an encoder's head learn to paint an object into a photo."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import comfy.model_management as management
import comfy.model_patcher
import torch
from torch import Tensor

from ...core.exemplar import names
from ...training.loop import Report
from ...training.parallel import Group
from ...training.task import Task, train
from ..training.hosted import VELOCITY, error_of
from ..training.whole import Settings, dtype_of, half_precision, placed, stored
from .data import Batch, Batches, Examples
from .encoder import ExemplarEncoder
from .files import STORED, Parts
from .network import EXEMPLAR, WITH_SKETCH
from .start import head_from, network_from

WHO = "Train Exemplar Model"


class ExemplarTraining:
    """A training on copies of MODEL and encoder."""

    def __init__(self, model: Any, encoder: ExemplarEncoder, vae: Any, settings: Settings) -> None:
        self.settings, self.encoder, self.vae = settings, encoder, vae
        self.inner, self.head = network_from(model, WHO), head_from(encoder)
        check(self.inner, self.head.sizes.word)
        self.stored = dtype_of(model)
        self.device = management.get_torch_device()

    @property
    def sigmas(self) -> Tensor:
        """The levels of noise that the network was made for, ascending."""
        return self.inner.model_sampling.sigmas

    def loss(self, batch: Batch) -> Tensor:
        """The squared error of the prediction, of a fifth of the rows with the learned word of no object."""
        management.throw_exception_if_processing_interrupted()
        latents, known, pooled, without, noise, levels = (each.to(self.device) for each in batch)
        words = torch.where(without[:, None, None], self.head.null, self.head(pooled))
        sigma = self.sigmas.to(self.device)[levels].float()
        wrong = error_of(self.inner, latents, noise, sigma, {}, c_concat=known, c_crossattn=words)
        return wrong.square().mean()

    @cached_property
    def patcher(self) -> Any:
        """The network as a MODEL, to look at what it has learned."""
        return comfy.model_patcher.ModelPatcher(self.inner, self.device, self.device)

    def placed(self) -> AbstractContextManager[None]:
        """Within, it is on its device, where ComfyUI's memory management leaves it alone."""
        return placed(self.inner, [self.head], self.device, self.settings.checkpointing)

    def run(
        self, examples: Examples, state: Path | None, save_steps: int,
        saved: Callable[[int], None] = lambda step: None, group: Group | None = None,
    ) -> Iterator[Report]:  # fmt: skip
        """Train to the end, a report after each step; `saved` is called with the step after each saving."""
        settings, processes = self.settings, group or Group()
        batches = Batches(examples, settings.batch, len(self.sigmas), settings.seed, processes)
        networks = {"network": self.inner.diffusion_model, "head": self.head}
        task = Task(
            networks,
            self.loss,
            batches,
            around=partial(half_precision, self.device),
            average=processes.average,
        )

        def kept(name: str, _weights: Any, how: Any) -> None:
            if name == "head":  # the last of them
                saved(how.steps)

        with self.placed():
            yield from train(
                task,
                settings.plan,
                kept,
                ema_decay=0.0,
                state=state,
                save_steps=save_steps,
                writes=processes.first,
            )

    def parts(self) -> Parts:
        """The model as it is now."""
        unet = {
            name: stored(value, self.stored)
            for name, value in self.inner.diffusion_model.state_dict().items()
        }
        head = {name: stored(value, torch.float32) for name, value in self.head.state_dict().items()}
        tower = self.encoder.network.tower.state_dict()
        stated = {
            "heads": self.inner.model_config.unet_config["num_heads"],
            "tower_heads": self.encoder.tower["num_attention_heads"],
            "activation": self.encoder.tower["hidden_act"],
            "velocity": self.inner.model_type in VELOCITY,
        }
        return Parts(unet, dict(self.vae.get_sd()), tower, head, stated)


def check(inner: Any, word: int) -> None:
    """ValueError, one sentence, for a network that this does not train, or that takes other words."""
    sizes = inner.model_config.unet_config
    if sizes["in_channels"] == WITH_SKETCH:
        raise ValueError(
            f"{WHO}: the model has the {WITH_SKETCH} input channels of a sketch, and models of {EXEMPLAR} "
            "are trained; connect one of these."
        )
    if sizes["context_dim"] != word:
        raise ValueError(
            f"{WHO}: the model takes words of {sizes['context_dim']} numbers and the encoder gives {word}; "
            "connect the encoder of this model, or clip_vision."
        )


def checkpoint(parts: Parts) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file in the authors' layout, and what it says of itself."""
    found = {names.UNET + name: value for name, value in parts.unet.items()}
    found |= {names.VAE + name: value for name, value in parts.vae.items()}
    prefix = f"{names.STAGE}transformer."
    found |= {prefix + name: value for name, value in parts.tower.items() if name.startswith(names.TOWER)}
    blocks = len({name.split(".")[1] for name in parts.head if name.startswith("blocks.")})
    return found | names.checkpoint_head(parts.head, blocks), {STORED: json.dumps(parts.stated)}


def fingerprint(training: ExemplarTraining, examples: Examples) -> str:
    """What tells a training from others: its settings, its start, and its objects."""
    held = hashlib.sha256(repr(sorted(asdict(training.settings).items())).encode())
    for network in (training.inner.diffusion_model, training.head):
        for name, value in network.state_dict().items():
            held.update(f"{name} {float(value.double().sum()):.9g}".encode())
    for one in examples.objects:
        held.update(repr(tuple(one.box)).encode())
    held.update(examples.shown(0, 0).photo.numpy().tobytes())
    return held.hexdigest()[:16]
