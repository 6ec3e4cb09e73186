"""Word Mask: where words are in a photo, by the attention of any checkpoint and without generating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import comfy.model_management as management
import comfy.sample
import comfy.samplers
import comfy.utils
import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.attention.record import Record
from ...core.attention.words import Word, text_of, wanted
from ...core.mask.feather import feather
from ...core.mask.pieces import largest
from ...core.shapes import Size
from .. import layouts
from ..inputs import check_conditioning
from ..latent import check_model, check_numbers
from .blocks import fine_layers, unet_of
from .columns import words_in
from .concepts import concept_masks, has_concepts
from .maps import DAAM, HEAT, Look, Painter, check_count
from .places import Place
from .recorder import TOGETHER, record

WHO = "Word Mask"
KNOWN = "SD1, SD2, SDXL and FLUX.1"
# Shares of the way down at which the photo is looked at: at earlier ones little of it can be seen.
LEVELS = (0.7, 0.8, 0.9)
# Cells that a side has at least, as networks halve it three times; a smaller picture is continued.
LEAST_SIDE = 8


class Finish(NamedTuple):
    """What is made of a map to a mask."""

    threshold: float = 0.0  # 0: Otsu's
    one_piece: bool = False
    grow: float = 0.0  # px
    feather: float = 0.0  # px


class Looking(comfy.samplers.Sampler):
    """Asks the model once at each level, with the latent noised to it, and gives the latent back."""

    def sample(
        self, model_wrap, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None,
        disable_pbar=False,
    ) -> Tensor:  # fmt: skip
        """Run as ComfyUI runs any sampler."""
        assert latent_image is not None
        scaling, options = model_wrap.inner_model.model_sampling, extra_args["model_options"]
        for sigma in sigmas[:-1]:
            management.throw_exception_if_processing_interrupted()
            noised = scaling.noise_scaling(sigma, noise, latent_image, False)
            level = noised.new_full((len(noised),), float(sigma))
            model_wrap(noised, level, model_options=options, seed=extra_args.get("seed"))
        return latent_image


def word_masks(
    model: Any, clip: Any, vae: Any, image: Tensor, text: str, words: str, finish: Finish,
    layers: str = "", seed: int = 0,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The masks and the maps of words in each picture of an IMAGE, B·words,H,W; ValueError by a sentence.

    `text` says what the picture shows; empty, the words are the text. All words of a picture come one after
    the other, then those of the next picture.
    """
    picture = layouts.image_from_comfy(image, f"{WHO}: image")
    if not wanted(words):
        raise ValueError(
            f"{WHO}: words is empty; write what the mask is to be of, for example shirt, red ball."
        )
    concepts = list(dict.fromkeys(wanted(words))) if has_concepts(model) else []
    if not concepts:
        unet_of(model, WHO, KNOWN)
    said = text if text.strip() else text_of(words)
    found = [] if concepts else words_in(clip, said, words, WHO)
    size = layouts.size_of(picture)
    check_count(len(concepts or found) * len(picture), size, WHO)
    padded = to_whole_cells(picture, int(vae.spacial_compression_encode()))
    samples, whole = vae.encode(padded.permute(0, 2, 3, 1)), layouts.size_of(padded)
    if concepts:
        made = concept_masks(model, clip, samples, concepts, said, whole, finish.threshold, layers, seed, WHO)
    else:
        made = of_words(looked_at(model, clip, samples, said, layers, seed), found, whole, finish.threshold)
    masks, maps = (
        torch.stack(some)[:, None, : size.height, : size.width] for some in zip(*made, strict=True)
    )
    return layouts.mask_to_comfy(finished(masks, finish)), layouts.mask_to_comfy(maps)


def of_words(
    record: Record, words: Sequence[Word], size: Size, threshold: float
) -> list[tuple[Tensor, Tensor]]:
    """The mask and the map of each word in each picture that was looked at, picture by picture."""
    painter = Painter(record, Look(HEAT, DAAM, threshold), size, WHO, "picture")
    places = [Place(prompt, 0) for prompt in record.prompts]
    return [
        painter.masked(painter.chosen(word, places, row), word, row)
        for row in range(len(record.result))
        for word in words
    ]


def finished(masks: Tensor, finish: Finish) -> Tensor:
    """Masks (B,1,H,W) of one piece if asked for, grown and feathered."""
    kept = largest(masks) if finish.one_piece else masks
    return feather(kept, finish.grow, finish.feather)


def to_whole_cells(picture: Tensor, cell: int) -> Tensor:
    """Pictures (B,3 or 4,H,W) without alpha, their last rows and columns repeated to enough whole cells."""
    least = LEAST_SIDE * cell
    right, down = (max(-side % cell, least - side) for side in (picture.shape[-1], picture.shape[-2]))
    return F.pad(picture[:, :3], (0, right, 0, down), mode="replicate")


def looked_at(
    model: Any, clip: Any, samples: Tensor, text: str, layers: str, seed: int,
    levels: Sequence[float] = LEVELS, detail: str = TOGETHER,
) -> Record:  # fmt: skip
    """The cross-attention of latents that are noised to some levels, one model call for each."""
    check_model(samples, model, WHO)
    check_numbers(samples, f"{WHO}: the encoded picture")
    chosen = layers.strip() or usual_layers(model, samples)
    patched, records = record(model, detail, "", chosen, WHO)
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(text))
    check_conditioning(conditioning, f"{WHO}: the encoded text")
    sampling = model.get_model_object("model_sampling")
    sigmas = torch.tensor([*(float(sampling.percent_to_sigma(each)) for each in levels), 0.0])
    # One noise for all pictures: what is found in one depends on no other.
    noise = comfy.sample.prepare_noise(samples, seed, [0] * len(samples))
    comfy.sample.sample_custom(
        patched, noise, 1.0, Looking(), sigmas, conditioning, conditioning, samples,
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED, seed=seed,
    )  # fmt: skip
    return seen(records.held[-1])


def seen(record: Record) -> Record:
    """The record; ValueError where another patch of the model left nothing to look at."""
    if not record.prompts:
        raise ValueError(
            f"{WHO}: the model's attention cannot be read, as {record.missed or 'it has no prompt'}; connect "
            "the model without that patch."
        )
    return record


def usual_layers(model: Any, samples: Tensor) -> str:
    """The layers that are looked at where none are named, as a text."""
    return ",".join(map(str, fine_layers(unet_of(model, WHO), samples.shape[-2:])))
