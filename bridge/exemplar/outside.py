"""An exemplar model's training outside of a server, in one process or in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import comfy.model_management as management
import comfy.sd
import torch

from ...core.exemplar.annotations import LEAST, Objects, read
from ...core.exemplar.views import Box
from ...core.mask.bounds import bounds_of_mask
from ...training.checkpoints import save_weights
from ...training.parallel import Group, group
from ..models import weights
from ..picture_files import opened, size_of
from ..training import memory
from ..training.whole import Settings, check_size
from .data import Object
from .encoder import ExemplarEncoder, encoder_of
from .files import of_checkpoint, of_folder, tower_of
from .network import model_of, vae_of
from .start import fresh
from .trainer import examples_of
from .training import WHO, ExemplarTraining, checkpoint

STATUS = 10  # steps between two lines


class Sources(NamedTuple):
    """A checkpoint to start from, a CLIP vision file where it has none, pictures, and where objects are."""

    checkpoint: Path
    vision: Path | None
    pictures: Path
    boxes: Path


def train_files(
    sources: Sources, settings: Settings, out: Path, save_every: int, show: Callable[[str], None]
) -> Path:
    """Train on the objects of a folder's pictures and write the model to `out`; its state lies beside it.

    The same call goes on from there. ValueError by a sentence. Every process of a launcher calls this.
    """
    full = "The training ran out of memory; lower --batch-size or --size, or give --gradient-checkpointing."
    with group(management.get_torch_device()) as processes, torch.inference_mode(), memory.explained(full):
        objects = objects_of(read(sources.pictures, sources.boxes))
        model, vae, encoder = loaded(sources, settings.seed)
        check_size(settings, vae, WHO)
        training = ExemplarTraining(model, encoder, vae, settings)
        del model
        shown = show if processes.first else lambda _: None
        shown(f"{len(objects)} objects")
        run(training, objects, out, save_every, shown, processes)
    return out


def run(
    training: ExemplarTraining, objects: Sequence[Object], out: Path, save_every: int,
    show: Callable[[str], None], processes: Group,
) -> None:  # fmt: skip
    """Train to the end, show the losses, and write the model at each saving."""
    settings = training.settings

    def saved(step: int) -> None:
        tensors, metadata = checkpoint(training.parts())
        save_weights(out, tensors, {**metadata, "steps": str(step)})

    examples = examples_of(training, objects)
    for report in training.run(examples, out.with_suffix(".state"), save_every, saved, processes):
        if not report.step % STATUS or report.step == settings.steps:
            show(f"step {report.step} of {settings.steps}, loss {report.loss:.6f}")


def loaded(sources: Sources, seed: int) -> tuple[Any, Any, ExemplarEncoder]:
    """MODEL, VAE and encoder: of an exemplar model, or of a text-to-image checkpoint and a vision file.

    ValueError by a sentence.
    """
    path = sources.checkpoint
    if path.is_dir() or "learnable_vector" in weights.read(path):
        parts = of_folder(path) if path.is_dir() else of_checkpoint(path)
        if not parts.tower and sources.vision is not None:
            parts = parts.with_tower(tower_of(sources.vision))
        if not parts.tower:
            raise ValueError(f"{path.name} has no vision tower; give a CLIP ViT-L vision file by --vision.")
        return model_of(parts, path.name), vae_of(parts.vae, path.name), encoder_of(parts, path.name)
    if sources.vision is None:
        raise ValueError(
            f"{path.name} is no exemplar model, so its image encoder begins anew; give a CLIP ViT-L vision "
            "file by --vision."
        )
    model, vae = plain(path)
    word = model.model.model_config.unet_config.get("context_dim")
    return model, vae, fresh(tower_of(sources.vision), {}, word, seed, sources.vision.name)


def plain(path: Path) -> tuple[Any, Any]:
    """MODEL and VAE of a checkpoint; ValueError where it has not both."""
    try:
        found = comfy.sd.load_checkpoint_guess_config(str(path), output_vae=True, output_clip=False)
    # Which errors a file that is no checkpoint causes is no promise of ComfyUI.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{path} is no checkpoint that ComfyUI can load ({reason}); give another file."
        ) from error
    model, vae = (found[0], found[2]) if found else (None, None)
    if model is None or vae is None:
        raise ValueError(f"{path} holds not both of model and VAE; give a whole checkpoint.")
    return model, vae


def objects_of(found: Sequence[Objects]) -> list[Object]:
    """The objects that can be seen in pictures; ValueError, one sentence, where there are none."""
    objects = []
    for each in found:
        width, height = size_of(each.picture)
        some = each
        if each.mask is not None:
            mask = opened(each.mask)[None, :1]
            if mask.shape[-2:] != (height, width):
                raise ValueError(f"{each.mask} has another size than its picture; save it at the picture's.")
            box = bounds_of_mask((mask >= 0.5).float())
            places = [] if box is None else [Box(box.x, box.y, box.right, box.bottom)]
            some = each._replace(boxes=places)
        objects += [Object(partial(opened, each.picture), box) for box in some.within(width, height)]
    if not objects:
        raise ValueError(
            f"Expected objects of at least {LEAST} px a side, got none that large; check the boxes."
        )
    return objects
