"""Train SmartBrush from the node's inputs to its outputs: things, progress, a state to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import comfy.utils
import folder_paths
from torch import Tensor

from ...core.annotations import FEWEST
from ...core.texts import lines
from .. import layouts
from ..choices import BRUSHES
from ..notices import show_status
from ..training import memory
from ..training.whole import Settings, check_size
from .data import Examples, Object, Picture
from .files import UNET
from .load import below, config_of, model_of
from .training import WHO, SmartBrushTraining, fingerprint

STATUS = 10  # steps between two texts below the node
NAMES = {"batch_size": "batch", "gradient_checkpointing": "checkpointing"}


class Given(NamedTuple):
    """Pictures, the mask of the thing in each, what each is called, and captions of the things."""

    images: Sequence[Tensor]
    masks: Sequence[Tensor]
    labels: Sequence[str]
    captions: Sequence[str]


def read(given: Mapping[str, Any]) -> tuple[Given, Settings]:
    """The node's inputs in two parts: what is learned, and how."""
    texts = {name: given.get(name) or () for name in ("masks", "labels", "captions")}
    others = {name: value for name, value in given.items() if name not in Given._fields}
    settings = Settings(**{NAMES.get(name, name): value for name, value in others.items()})
    return Given(given["images"], **texts), settings


def train_smartbrush(
    model: Any, clip: Any, vae: Any, given: Given, settings: Settings, prefix: str, save_every: int
) -> tuple[Any, str]:
    """The trained MODEL and the name of its file; ValueError by a sentence."""
    check_size(settings, vae, WHO)
    objects, pictures = things_of(given)
    with memory.explained(
        f"{WHO} ran out of memory; lower batch_size or size, or turn on gradient_checkpointing."
    ):
        training = SmartBrushTraining(model, clip, vae, settings)
        examples = Examples(
            objects, pictures, settings.size, settings.views, settings.seed, vae,
            training.inner.process_latent_in,
        )  # fmt: skip
        state = Path(folder_paths.get_output_directory()) / BRUSHES / "unfinished"
        state /= f"{fingerprint(training, examples)}.state"
        run(training, examples, state, save_every)
    made = finished(training, prefix)
    state.unlink(missing_ok=True)
    return made


def run(training: SmartBrushTraining, examples: Examples, state: Path, save_every: int) -> None:
    """Train to the end, with progress and losses."""
    settings = training.settings
    bar, losses = comfy.utils.ProgressBar(settings.steps), list[float]()
    for report in training.run(examples, state, save_every):
        losses = [*losses[1 - STATUS :], report.loss]
        bar.update_absolute(report.step, settings.steps)
        if not report.step % STATUS:
            mean = sum(losses) / len(losses)
            show_status(f"{WHO}: step {report.step} of {settings.steps}, loss {mean:.4f}")


def finished(training: SmartBrushTraining, prefix: str) -> tuple[Any, str]:
    """The trained MODEL, and the name of the file that the checkpoint was written to."""
    root = folder_paths.get_output_directory()
    folder, name, counter, _, _ = folder_paths.get_save_image_path(prefix, root)
    path = Path(folder) / f"{name}_{counter:05}_.safetensors"
    training.write(path, training.settings.steps)
    unet = below(training.unet(), UNET)
    config = config_of(unet, path.name)
    config.unet_config["num_heads"] = training.inner.model_config.unet_config["num_heads"]
    return model_of(config, unet, path.name, training.prediction), path.relative_to(root).as_posix()


def things_of(given: Given) -> tuple[list[Object], list[Picture]]:
    """The things of IMAGEs, one a picture, each where its mask is, and the pictures themselves; ValueError by
    a sentence."""
    batches = [layouts.image_from_comfy(batch, f"{WHO}: images") for batch in given.images]
    pictures = [picture[:, :3].cpu() for batch in batches for picture in batch.split(1)]
    known = [layouts.mask_from_comfy(batch, name=f"{WHO}: masks") for batch in given.masks]
    masks = [mask.cpu() for batch in known if batch is not None for mask in batch.split(1)]
    count = len(pictures)
    if len(masks) != count:
        raise ValueError(
            f"{WHO}: masks has {len(masks)} for {count} pictures; connect one for each, and a picture again "
            "for its second thing."
        )
    labels = texts_of(given.labels, count, "labels")
    if not all(labels):
        raise ValueError(f"{WHO}: labels is empty; write what the things are, one line for each picture.")
    captions = texts_of(given.captions, count, "captions")
    for number, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        check_mask(picture, mask, number)
    pairs = [(picture[0], mask[0]) for picture, mask in zip(pictures, masks, strict=True)]
    objects = [
        Object(lambda pair=pair: pair, label, caption)
        for pair, label, caption in zip(pairs, labels, captions, strict=True)
    ]
    whole = [
        Picture(lambda pair=pair: pair[0], f"a photo of {caption or label}")
        for pair, label, caption in zip(pairs, labels, captions, strict=True)
    ]
    return objects, whole


def check_mask(picture: Tensor, mask: Tensor, number: int) -> None:
    """ValueError, one sentence, for a mask of another size or with too little in it."""
    if mask.shape[-2:] != picture.shape[-2:]:
        raise ValueError(
            f"{WHO}: a mask is {layouts.size_of(mask)} and its picture {layouts.size_of(picture)}; connect "
            "masks of the pictures."
        )
    found = int((mask >= 0.5).sum())
    if found < FEWEST:
        raise ValueError(
            f"{WHO}: the mask of picture {number} shows {found} px; paint over a thing of at least {FEWEST}."
        )


def texts_of(texts: Sequence[str], count: int, name: str) -> list[str]:
    """A text for each picture, of a list or of lines; one stands for all, none is empty."""
    some = [" ".join(each.split()) for each in texts if each.strip()]
    if len(some) == 1:
        some = [line for text in texts for line in lines(text)]
    if len(some) in (0, 1):
        return (some or [""]) * count
    if len(some) != count:
        raise ValueError(
            f"{WHO}: {name} needs one line, or one for each of {count} pictures, got {len(some)}; write as "
            "many."
        )
    return some
