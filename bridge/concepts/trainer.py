"""Train Concept from the node's inputs to its outputs: pictures, prior, previews, a state to go on from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import comfy.utils
import folder_paths
import torch
from PIL import Image
from torch import Tensor

from ...core.concepts.concept import Concept
from ...core.texts import lines
from .. import layouts
from ..choices import CONCEPTS
from ..notices import notice, show_status
from ..training import memory
from .data import Examples, examples
from .load import applied, base_weights
from .prior import painted, prior_pictures
from .train import (
    KEYS_AND_VALUES,
    WHO,
    ConceptTraining,
    Settings,
    fingerprint,
    prompts,
    sums,
    trained_names,
)
from .words import pattern

SHEET_STEPS, SHEET = 20, 4  # steps and pictures of a row of the contact sheet
STATUS = 10  # steps between two texts below the node
PLACES = ("", " on a beach", " in the snow", " in a street at night")


@dataclass(frozen=True)
class Given:
    """The pictures that a concept is learned from, and those of its class."""

    images: Sequence[Tensor]
    masks: Sequence[Tensor] = ()
    captions: Sequence[str] = ()
    prior_images: Sequence[Tensor] = ()
    prior_captions: Sequence[str] = ()
    prior_pictures: int = 0


@dataclass
class Sheet:
    """Rows of pictures at a fixed prompt and seed: before the training, and at each saving."""

    vae: Any
    settings: Settings
    rows: list[Tensor] = field(default_factory=list)

    def add(self, model: Any, clip: Any, thing: str) -> None:
        """Paint one more row."""
        row = []
        with torch.no_grad():
            negative = clip.encode_from_tokens_scheduled(clip.tokenize(""))
            for number, place in enumerate(PLACES[:SHEET]):
                positive = clip.encode_from_tokens_scheduled(clip.tokenize(f"photo of a {thing}{place}"))
                seed = self.settings.seed + number
                row.append(
                    painted(model, self.vae, positive, negative, [seed], self.settings.size, SHEET_STEPS)
                )
        self.rows.append(torch.cat([each[0].cpu() for each in row], 1))

    def picture(self) -> Tensor:
        """All rows as one IMAGE, 1,H,W,3."""
        return torch.cat(self.rows)[None]

    def preview(self) -> tuple[str, Image.Image, int]:
        """The last row, as ComfyUI shows a preview."""
        pixels = (self.rows[-1].clamp(0, 1) * 255).round().byte().numpy()
        return ("JPEG", Image.fromarray(pixels), max(pixels.shape[:2]))


def read(given: Mapping[str, Any]) -> tuple[Given, Settings]:
    """The node's inputs in two parts: pictures, and how to train."""
    pictures = {each.name for each in fields(Given)}
    names = {"batch_size": "batch", "augmentation": "augment", "gradient_checkpointing": "checkpointing"}
    others = {names.get(name, name): value for name, value in given.items() if name not in pictures}
    others["class_word"] = others["class_word"].strip()
    return Given(**{name: value for name, value in given.items() if name in pictures}), Settings(**others)


def train_concept(
    model: Any, clip: Any, vae: Any, given: Given, settings: Settings, save_every: int
) -> tuple[Any, Any, Concept, Tensor]:
    """MODEL and CLIP with the trained concept, the concept, its contact sheet; ValueError by a sentence."""
    check(settings, vae)
    with memory.explained(
        f"{WHO} ran out of memory; lower batch_size or size, or turn on gradient_checkpointing."
    ):
        training = ConceptTraining(model, clip, settings)
        own, prior = prepared(training, model, clip, vae, given)
        sheet = Sheet(vae, settings)
        sheet.add(model, clip, settings.class_word or "thing")
        state = state_path(training, own, prior)
        run(training, own, prior, state, save_every, sheet)
    concept = training.concept()
    made = applied(model, clip, concept, 1.0, WHO)
    state.unlink(missing_ok=True)
    return *made, concept, sheet.picture()


def run(
    training: ConceptTraining, own: Examples, prior: Examples | None, state: Path, save_every: int,
    sheet: Sheet,
) -> None:  # fmt: skip
    """Train to the end, with progress, losses and a row of pictures at each saving."""
    settings, hosted = training.settings, training.hosted
    bar, losses = comfy.utils.ProgressBar(settings.steps), list[float]()

    def saved(step: int) -> None:
        sheet.add(hosted.patcher, training.clip, " ".join([*settings.words, settings.class_word]).strip())
        bar.update_absolute(step, settings.steps, sheet.preview())
        # Sampling and decoding may have moved it.
        hosted.load()
        training.clip.load_model()

    for report in training.run(own, prior, state, save_every, saved):
        losses = [*losses[1 - STATUS :], report.loss]
        bar.update_absolute(report.step, settings.steps)
        if not report.step % STATUS:
            mean = sum(losses) / len(losses)
            show_status(f"{WHO}: step {report.step} of {settings.steps}, loss {mean:.4f}")


def check(settings: Settings, vae: Any) -> None:
    """ValueError, one sentence, for settings that cannot be trained with."""
    if not settings.words:
        raise ValueError(f"{WHO}: token is empty; write a new word such as <new1>.")
    multiple = 8 * int(vae.spacial_compression_encode())
    if settings.size % multiple:
        raise ValueError(f"{WHO}: size must be a multiple of {multiple}, got {settings.size}; change it.")


def prepared(
    training: ConceptTraining, model: Any, clip: Any, vae: Any, given: Given
) -> tuple[Examples, Examples | None]:
    """The cached latents of the thing's pictures and of its class's."""
    settings = training.settings
    pictures, others = single(given.images, "images"), single(given.prior_images, "prior_images")
    masks = [mask for batch in given.masks for mask in masks_of(batch)]
    texts = prompts(settings, with_token(settings, captions_of(given.captions)), len(pictures))
    own = encoded(training, vae, pictures, fitting(masks, pictures), texts, settings.augment)
    text = f"photo of a {settings.class_word or 'thing'}"
    if not others and given.prior_pictures:
        made = prior_pictures(
            model, clip, vae, text, given.prior_pictures, settings.size, settings.seed, kind_of(model)
        )
        others = list(layouts.image_from_comfy(made).split(1))
    if not others:
        return own, None
    plain = replace(settings, token="", class_word=settings.class_word or "thing")
    captions = prompts(plain, captions_of(given.prior_captions), len(others))
    return own, encoded(training, vae, others, fitting([], others), captions, False)


def kind_of(model: Any) -> str:
    """What tells a model from others, whatever is trained of it."""
    weights = base_weights(model, trained_names(model, KEYS_AND_VALUES))
    return sums(hashlib.sha256(), weights).hexdigest()[:8]


def single(images: Sequence[Tensor], name: str) -> list[Tensor]:
    """The pictures 1,3,H,W of several IMAGE, which may differ in size, without transparency."""
    batches = [layouts.image_from_comfy(batch, f"{WHO}: {name}") for batch in images]
    return [picture[:, :3].cpu() for batch in batches for picture in batch.split(1)]


def masks_of(batch: Tensor) -> list[Tensor]:
    """The masks 1,1,H,W of a MASK."""
    found = layouts.mask_from_comfy(batch, name=f"{WHO}: masks")
    return [] if found is None else list(found.cpu().split(1))


def encoded(
    training: ConceptTraining,
    vae: Any,
    pictures: list[Tensor],
    masks: list[Tensor],
    texts: list[str],
    vary: bool,
) -> Examples:
    """Examples in the model's units."""
    process = training.hosted.inner.process_latent_in
    return examples(
        [each[0] for each in pictures], [each[0] for each in masks], texts, training.settings.size,
        int(vae.spacial_compression_encode()), vary, training.settings.seed,
        lambda picture: process(vae.encode(picture.movedim(1, -1)).float().cpu()),
    )  # fmt: skip


def fitting(masks: list[Tensor], pictures: list[Tensor]) -> list[Tensor]:
    """A mask for each picture: all of it where none are given; ValueError for another number or size."""
    if not masks:
        return [torch.ones(1, 1, *each.shape[-2:]) for each in pictures]
    if len(masks) not in (1, len(pictures)):
        raise ValueError(
            f"{WHO}: masks has {len(masks)} for {len(pictures)} pictures; connect one, or one for each."
        )
    found = masks * (len(pictures) if len(masks) == 1 else 1)
    for mask, picture in zip(found, pictures, strict=True):
        if mask.shape[-2:] != picture.shape[-2:]:
            raise ValueError(
                f"{WHO}: a mask is {tuple(mask.shape[-2:])} and its picture {tuple(picture.shape[-2:])}; "
                "connect masks of the pictures."
            )
    return found


def captions_of(texts: Sequence[str]) -> list[str]:
    """The lines of texts that hold something; a text of a list is one caption even over several lines."""
    some = [text for text in texts if text.strip()]
    if len(some) > 1:
        return [" ".join(text.split()) for text in some]
    return [line for text in some for line in lines(text)]


def with_token(settings: Settings, captions: Sequence[str]) -> list[str]:
    """Captions with the new words: before the class where they lack them, else at their end."""
    found, absent = [], 0
    for caption in captions:
        if not any(pattern(word).search(caption) for word in settings.words):
            place = pattern(settings.class_word).search(caption) if settings.class_word else None
            if place:
                start = place.start()
                caption = f"{caption[:start]}{' '.join(settings.words)} {caption[start:]}"
            else:
                absent += 1
                caption = f"{caption}, {' '.join(settings.words)} {settings.class_word}".rstrip()
        found.append(caption)
    if absent:
        notice(
            f"{WHO}: {absent} of {len(captions)} captions have neither {settings.token} nor the class "
            f"{settings.class_word!r}, so both are added at their end; write them where the thing is named."
        )
    return found


def state_path(training: ConceptTraining, own: Examples, prior: Examples | None) -> Path:
    """The file that the same training goes on from."""
    folder = Path(folder_paths.get_output_directory()) / CONCEPTS / "unfinished"
    return folder / f"{fingerprint(training.settings, own, prior, training.base)}.state"
