"""Train Exemplar Model from the node's inputs to its outputs: objects, previews, a state to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import comfy.utils
import folder_paths
from torch import Tensor

from ...core.exemplar.annotations import LEAST
from ...core.exemplar.views import Box
from ...core.mask.bounds import bounds_of_mask
from ...training.checkpoints import save_weights
from .. import layouts
from ..choices import EXEMPLARS
from ..notices import show_status
from ..training import memory
from ..training.whole import Settings, check_size
from .data import Examples, Object
from .encoder import ExemplarEncoder, encoder_of
from .network import model_of
from .sheet import Sheet
from .start import encoder_from
from .training import WHO, ExemplarTraining, checkpoint, fingerprint

STATUS = 10  # steps between two texts below the node


class Start(NamedTuple):
    """What a training starts from; without an encoder the blocks after clip_vision begin anew."""

    model: Any
    vae: Any
    encoder: ExemplarEncoder | None = None
    clip_vision: Any = None


class Files(NamedTuple):
    """Pictures, where the object of each is, and how the name of the result's file begins."""

    images: Sequence[Tensor]
    masks: Sequence[Tensor]
    prefix: str


def train_exemplar(
    start: Start, settings: Settings, files: Files, save_every: int
) -> tuple[Any, ExemplarEncoder, Tensor, str]:
    """The trained MODEL and encoder, a contact sheet, and the file's name; ValueError by a sentence."""
    check_size(settings, start.vae, WHO)
    objects = objects_of(files.images, files.masks)
    training = ExemplarTraining(start.model, encoder_for(start, settings), start.vae, settings)
    examples = examples_of(training, objects)
    sheet = Sheet(training, examples)
    state = Path(folder_paths.get_output_directory()) / EXEMPLARS / "unfinished"
    with memory.explained(
        f"{WHO} ran out of memory; lower batch_size or size, or turn on gradient_checkpointing."
    ):
        state /= f"{fingerprint(training, examples)}.state"
        run(training, examples, state, save_every, sheet)
    made = finished(training, files.prefix)
    state.unlink(missing_ok=True)
    return *made[:2], sheet.picture(), made[2]


def encoder_for(start: Start, settings: Settings) -> ExemplarEncoder:
    """The encoder to begin with; ValueError, one sentence, where there is nothing to make it from."""
    if start.encoder is not None:
        return start.encoder
    if start.clip_vision is None:
        raise ValueError(
            f"{WHO} needs an encoder; connect encoder of Load Exemplar Model, or a CLIP ViT-L/14 to "
            "clip_vision."
        )
    word = start.model.model.model_config.unet_config.get("context_dim")
    return encoder_from(start.clip_vision, word, settings.seed, WHO)


def finished(training: ExemplarTraining, prefix: str) -> tuple[Any, ExemplarEncoder, str]:
    """The trained MODEL and encoder, and the name of the file that they were written to."""
    parts, root = training.parts(), folder_paths.get_output_directory()
    folder, name, counter, _, _ = folder_paths.get_save_image_path(prefix, root)
    path = Path(folder) / f"{name}_{counter:05}_.safetensors"
    save_weights(path, *checkpoint(parts))
    return model_of(parts, path.name), encoder_of(parts, path.name), str(path.relative_to(root))


def objects_of(images: Sequence[Tensor], masks: Sequence[Tensor]) -> list[Object]:
    """The objects of IMAGEs, one a picture, each where its mask is; ValueError by a sentence."""
    batches = [layouts.image_from_comfy(batch, f"{WHO}: images") for batch in images]
    pictures = [picture[:, :3].cpu() for batch in batches for picture in batch.split(1)]
    known = [layouts.mask_from_comfy(batch, name=f"{WHO}: masks") for batch in masks]
    some = [mask.cpu() for batch in known if batch is not None for mask in batch.split(1)]
    if len(some) != len(pictures):
        raise ValueError(
            f"{WHO}: masks has {len(some)} for {len(pictures)} pictures; connect one for each, and a "
            "picture again for its second object."
        )
    found = []
    for number, (picture, mask) in enumerate(zip(pictures, some, strict=True)):
        box = box_of(mask, picture, number)
        found.append(Object(lambda picture=picture: picture[0], box))
    return found


def box_of(mask: Tensor, picture: Tensor, number: int) -> Box:
    """The box of a mask; ValueError by a sentence where it is of another size or shows too little."""
    if mask.shape[-2:] != picture.shape[-2:]:
        raise ValueError(
            f"{WHO}: a mask is {layouts.size_of(mask)} and its picture {layouts.size_of(picture)}; connect "
            "masks of the pictures."
        )
    box = bounds_of_mask((mask >= 0.5).float())
    if box is None or min(box.size) < LEAST:
        raise ValueError(
            f"{WHO}: the mask of picture {number} shows {'nothing' if box is None else box.size}; paint over "
            f"an object of at least {LEAST} px a side."
        )
    return Box(box.x, box.y, box.right, box.bottom)


def examples_of(training: ExemplarTraining, objects: Sequence[Object]) -> Examples:
    """The views of objects, for a training."""
    settings = training.settings
    return Examples(
        objects, settings.size, settings.views, settings.seed, training.vae, training.encoder,
        training.inner.process_latent_in,
    )  # fmt: skip


def run(training: ExemplarTraining, examples: Examples, state: Path, save_every: int, sheet: Sheet) -> None:
    """Train to the end, with progress, losses and a row of pictures at each saving."""
    settings = training.settings
    bar, losses = comfy.utils.ProgressBar(settings.steps), list[float]()
    sheet.begin()

    def saved(step: int) -> None:
        sheet.add()
        bar.update_absolute(step, settings.steps, sheet.preview())

    for report in training.run(examples, state, save_every, saved):
        losses = [*losses[1 - STATUS :], report.loss]
        bar.update_absolute(report.step, settings.steps)
        if not report.step % STATUS:
            mean = sum(losses) / len(losses)
            show_status(f"{WHO}: step {report.step} of {settings.steps}, loss {mean:.4f}")


def read(given: Mapping[str, Any]) -> tuple[Start, Settings]:
    """The node's inputs in two parts: what to start from, and how to train."""
    start = Start(**{name: value for name, value in given.items() if name in Start._fields})
    names = {"batch_size": "batch", "gradient_checkpointing": "checkpointing"}
    others = {name: value for name, value in given.items() if name not in Start._fields}
    return start, Settings(**{names.get(name, name): value for name, value in others.items()})
