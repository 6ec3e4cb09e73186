"""Train SmartBrush: a model of SD1 learns to paint a thing in a mask of any precision, and to predict it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import comfy.model_management as management
import comfy.supported_models
import torch
from torch import Tensor

from ...core.smartbrush.loss import loss
from ...training.loop import Report
from ...training.networks import learning
from ...training.parallel import Group
from ...training.task import Task, train
from ..training.hosted import NOISE, VELOCITY, copied, error_of
from ..training.whole import Settings, dtype_of, half_precision, placed, stored
from . import files, load
from .data import Batch, Batches, Examples
from .files import UNET
from .network import BRUSH, LATENT, Brush, SmartBrushModel

WHO = "Train SmartBrush"
TEXTS = 4096  # encoded texts in memory


class SmartBrushTraining:
    """A training on a copy of MODEL, with its CLIP and VAE as they are."""

    def __init__(self, model: Any, clip: Any, vae: Any, settings: Settings) -> None:
        self.settings, self.clip, self.vae = settings, clip, vae
        self.inner = network_from(model)
        self.stored = dtype_of(model)
        self.device = management.get_torch_device()
        self.texts: dict[str, Tensor] = {}

    @property
    def sigmas(self) -> Tensor:
        """The levels of noise that the network was made for, ascending."""
        return self.inner.model_sampling.sigmas

    def loss(self, batch: Batch) -> Tensor:
        """The error of what is predicted in the mask, and that of the predicted mask."""
        management.throw_exception_if_processing_interrupted()
        latents, masks, exact, levels, objects, noise, steps = (each.to(self.device) for each in batch[:-1])
        sigma = self.sigmas.to(self.device)[steps].float()
        brush = Brush(masks, masks, latents, levels)
        wrong = error_of(
            self.inner, latents, noise, sigma, {BRUSH: brush}, c_crossattn=self.words(batch.prompts)
        )
        return loss(wrong, masks, brush.logit(), exact, objects)

    @torch.no_grad()
    def words(self, prompts: list[str]) -> Tensor:
        """The encoded words of prompts (B,N,C); shorter ones are repeated, as ComfyUI does in a batch."""
        for text in prompts:
            if text not in self.texts:
                with torch.inference_mode():
                    found = self.clip.encode_from_tokens(self.clip.tokenize(text))
                if len(self.texts) >= TEXTS:
                    self.texts.clear()
                self.texts[text] = found.float().cpu()
        some = [self.texts[text].clone() for text in prompts if text in self.texts]
        longest = max(each.shape[1] for each in some)
        made = [each.repeat(1, -(-longest // each.shape[1]), 1)[:, :longest] for each in some]
        return torch.cat(made).to(self.device)

    def placed(self) -> AbstractContextManager[None]:
        """Within, it is on its device, where ComfyUI's memory management leaves it alone."""
        return placed(self.inner, [], self.device, self.settings.checkpointing)

    def run(
        self, examples: Examples, state: Path | None, save_steps: int,
        saved: Callable[[int], None] = lambda step: None, group: Group | None = None,
    ) -> Iterator[Report]:  # fmt: skip
        """Train to the end, a report after each step; `saved` is called with the step after each saving."""
        settings, processes = self.settings, group or Group()
        batches = Batches(examples, settings.batch, len(self.sigmas), settings.seed, processes)
        task = Task(
            {"network": self.inner.diffusion_model},
            self.loss,
            batches,
            around=partial(half_precision, self.device),
            average=processes.average,
        )
        with self.placed():
            yield from train(
                task, settings.plan, lambda _name, _weights, how: saved(how.steps), ema_decay=0.0,
                state=state, save_steps=save_steps, writes=processes.first,
            )  # fmt: skip

    @property
    def prediction(self) -> str:
        """What the network predicts, as files have it."""
        return files.VELOCITY if self.inner.model_type in VELOCITY else files.NOISE

    def unet(self) -> dict[str, Tensor]:
        """The network's weights as they are now."""
        return {
            UNET + name: stored(value, self.stored)
            for name, value in self.inner.diffusion_model.state_dict().items()
        }

    def write(self, path: Path, step: int) -> None:
        """Write the whole checkpoint."""
        config = self.inner.model_config
        text = config.process_clip_state_dict_for_saving(dict(self.clip.get_sd()))
        pictures = config.process_vae_state_dict_for_saving(dict(self.vae.get_sd()))
        files.write(path, {**self.unet(), **text, **pictures}, self.prediction, step)


def network_from(model: Any) -> SmartBrushModel:
    """A network to be trained, in single precision; a MODEL of SD1 gets the further channels, all zero, so
    that it predicts as before for a mask of ones. The MODEL stays. ValueError by a sentence for another."""
    check(model)
    inner = copied(model).model
    weights = {UNET + name: value.float() for name, value in inner.diffusion_model.state_dict().items()}
    if files.PRECISION not in weights:
        weights = files.extended(weights)
    unet = load.below(weights, UNET)
    config = load.config_of(unet, WHO)
    config.unet_config["num_heads"] = model.model.model_config.unet_config["num_heads"]
    config.set_inference_dtype(torch.float32, None)
    with learning():
        network = SmartBrushModel(config, model.model.model_type)
        network.diffusion_model.load_state_dict(unet)
        network.diffusion_model.requires_grad_(True)
    return network


def check(model: Any) -> None:
    """ValueError, one sentence, for a MODEL that SmartBrush cannot be made from."""
    inner = model.model
    kind, sizes = getattr(inner, "model_type", None), getattr(inner.model_config, "unet_config", {})
    if not isinstance(inner.model_config, comfy.supported_models.SD15) or kind not in (*VELOCITY, *NOISE):
        raise ValueError(
            f"{WHO} trains models of SD1, got {type(inner.model_config).__name__}; connect a text-to-image "
            "model of SD1 or a SmartBrush model."
        )
    if sizes.get("in_channels") != LATENT and not isinstance(inner, SmartBrushModel):
        raise ValueError(
            f"{WHO}: the model has {sizes.get('in_channels')} input channels of another kind; connect its "
            "text-to-image model, or a SmartBrush model."
        )


def fingerprint(training: SmartBrushTraining, examples: Examples) -> str:
    """What sets a training apart from others: its settings, its start, and its things."""
    held = hashlib.sha256(repr(sorted(asdict(training.settings).items())).encode())
    for name, value in training.inner.diffusion_model.state_dict().items():
        held.update(f"{name} {float(value.double().sum()):.9g}".encode())
    held.update("\n".join(f"{each.label} {each.caption}" for each in examples.objects).encode())
    held.update("\n".join(each.caption for each in examples.pictures).encode())
    held.update(examples.encoded(True, 0, 0).mask.numpy().tobytes())
    return held.hexdigest()[:16]
