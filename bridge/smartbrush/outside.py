"""SmartBrush's training outside of a server, in one process or in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import comfy.model_management as management
import comfy.sd
import numpy as np
import torch
from torch import Tensor

from ...core import annotations
from ...core.annotations import FEWEST, Instance
from ...core.concepts.folder import caption
from ...training.parallel import Group, group
from ..models import weights
from ..picture_files import opened, size_of
from ..training import memory
from ..training.whole import Settings, check_size
from . import files
from .data import Examples, Object, Picture
from .load import of_weights
from .training import WHO, SmartBrushTraining

STATUS = 10  # steps between two lines


class Sources(NamedTuple):
    """A checkpoint to start from, where things are, and the pictures of COCO's file."""

    checkpoint: Path
    data: Path
    pictures: Path | None = None


def train_files(
    sources: Sources, settings: Settings, out: Path, save_every: int, show: Callable[[str], None]
) -> Path:
    """Train on a data set's things and write the checkpoint to `out`; its state lies beside it.

    The same call goes on from there. ValueError by a sentence. Every process of a launcher calls this.
    """
    full = f"{WHO} ran out of memory; lower --batch-size or --size, or give --gradient-checkpointing."
    with group(management.get_torch_device()) as processes, torch.inference_mode(), memory.explained(full):
        show_first = show if processes.first else lambda _: None
        found = annotations.read(sources.data, sources.pictures)
        objects, small = objects_of(found)
        pictures = pictures_of(found)
        model, clip, vae = loaded(sources.checkpoint)
        check_size(settings, vae, WHO)
        training = SmartBrushTraining(model, clip, vae, settings)
        del model
        show_first(f"{len(objects)} things, {small} too small, {len(pictures)} pictures")
        process = training.inner.process_latent_in
        examples = Examples(objects, pictures, settings.size, settings.views, settings.seed, vae, process)
        run(training, examples, out, save_every, show_first, processes)
    return out


def run(
    training: SmartBrushTraining, examples: Examples, out: Path, save_every: int, show: Callable[[str], None],
    processes: Group,
) -> None:  # fmt: skip
    """Train to the end, show the losses, and write the checkpoint at each saving."""
    settings = training.settings
    for report in training.run(
        examples, out.with_suffix(".state"), save_every, partial(training.write, out), processes
    ):
        if not report.step % STATUS or report.step == settings.steps:
            show(f"step {report.step} of {settings.steps}, loss {report.loss:.6f}")


def loaded(path: Path) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE of a text-to-image checkpoint or of a SmartBrush one; ValueError by a sentence."""
    if path.suffix == ".safetensors" and files.PRECISION in weights.read(path):
        raw, stated = files.read(path)
        return of_weights(raw, path.name, stated.get("prediction"))
    try:
        found = comfy.sd.load_checkpoint_guess_config(str(path), output_vae=True, output_clip=True)
    # Which errors a file that is no checkpoint causes is no promise of ComfyUI.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{path} is no checkpoint that ComfyUI can load ({reason}); give another file."
        ) from error
    if not found or any(each is None for each in found[:3]):
        raise ValueError(f"{path} holds not all of model, CLIP and VAE; give a whole checkpoint.")
    return found[:3]


def objects_of(found: Sequence[Instance]) -> tuple[list[Object], int]:
    """The things that can be seen, and how many are too small; ValueError, one sentence, for bad masks."""
    objects = []
    for each in found:
        if mask_of(each).sum() >= FEWEST:
            objects.append(Object(partial(shown, each), each.label, each.caption))
    if not objects:
        raise ValueError(f"Expected things of at least {FEWEST} px, got none that large; check the masks.")
    return objects, len(found) - len(objects)


def pictures_of(found: Sequence[Instance]) -> list[Picture]:
    """The pictures that have a caption beside them, else all of them with the names of their things."""
    labels: dict[Path, list[str]] = {}
    for each in found:
        labels.setdefault(each.picture, []).append(each.label)
    captions = {path: caption(path) for path in labels}
    known = {path: text for path, text in captions.items() if text}
    texts = known or {path: f"a photo of {', '.join(dict.fromkeys(names))}" for path, names in labels.items()}
    return [Picture(partial(opened, path), text) for path, text in texts.items()]


def shown(each: Instance) -> tuple[Tensor, Tensor]:
    """A thing's picture 3,H,W and mask 1,H,W."""
    return opened(each.picture), torch.from_numpy(mask_of(each).astype(np.float32))[None]


def mask_of(each: Instance) -> np.ndarray:
    """A thing's mask (bool H,W); ValueError, one sentence, for one that is none of its picture."""
    width, height = size_of(each.picture)
    try:
        return each.mask(width, height)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{WHO}: the mask of a {each.label} in {each.picture.name} cannot be read ({error}); correct it."
        ) from error
