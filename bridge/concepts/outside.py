"""A concept's training outside of a server, in one process or in several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import comfy.model_management as management
import comfy.sd
import torch
from torch import Tensor

from ...core.concepts import folder, formats
from ...training.parallel import Group, group
from ..picture_files import opened
from ..training import memory
from .files import write
from .train import WHO, ConceptTraining, Settings
from .trainer import Given, check, prepared

STATUS = 10  # steps between two lines


def train_files(
    checkpoint: Path,
    given: Given,
    settings: Settings,
    out: Path,
    save_every: int,
    show: Callable[[str], None],
) -> Path:
    """Train on pictures with a checkpoint file and write the concept to `out`; its state lies beside it.

    The same call goes on from there. ValueError by a sentence. Every process of a launcher calls this.
    """
    full = "The training ran out of memory; lower --batch-size or --size, or give --gradient-checkpointing."
    with group(management.get_torch_device()) as processes, torch.inference_mode(), memory.explained(full):
        model, clip, vae = loaded(checkpoint)
        check(settings, vae)
        training = ConceptTraining(model, clip, settings)
        own, prior = prepared(training, model, clip, vae, given)
        run(training, own, prior, out, save_every, show if processes.first else lambda _: None, processes)
    return out


def run(
    training: ConceptTraining, own: Any, prior: Any, out: Path, save_every: int, show: Callable[[str], None],
    processes: Group,
) -> None:  # fmt: skip
    """Train to the end, show the losses, and write the concept at each saving."""
    settings = training.settings

    def saved(step: int) -> None:
        tensors, metadata = formats.ours(training.concept())
        write([(out, tensors, {**metadata, "steps": str(step)})], WHO)

    for report in training.run(own, prior, out.with_suffix(".state"), save_every, saved, processes):
        if not report.step % STATUS or report.step == settings.steps:
            show(f"step {report.step} of {settings.steps}, loss {report.loss:.6f}")


def loaded(checkpoint: Path) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE of a checkpoint file; ValueError where it has not all three."""
    try:
        found = comfy.sd.load_checkpoint_guess_config(str(checkpoint), output_vae=True, output_clip=True)[:3]
    # Which errors a file that is no checkpoint causes is no promise of ComfyUI.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{checkpoint} is no checkpoint that ComfyUI can load ({reason}); give another file."
        ) from error
    if any(each is None for each in found):
        raise ValueError(f"{checkpoint} holds not all of model, CLIP and VAE; give a whole checkpoint.")
    return found


def image(path: Path) -> Tensor:
    """A picture file as IMAGE, 1,H,W,3; ValueError for any other file."""
    return opened(path).movedim(0, -1)[None]


def given_of(pictures: Path, masks: Path | None, prior: Path | None, prior_pictures: int) -> Given:
    """The pictures, masks and captions of folders."""
    own = folder.pictures(pictures)
    others = folder.pictures(prior) if prior is not None else []
    return Given(
        [image(path) for path in own],
        [image(path)[..., 0] for path in folder.masks(masks, own)],
        folder.captions(own),
        [image(path) for path in others],
        folder.captions(others),
        prior_pictures,
    )
