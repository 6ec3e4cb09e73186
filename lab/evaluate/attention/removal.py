"""Remove by word: a word's mask, its place painted anew without the thing, the photo stitched around it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch

from ...toy import world
from ..evaluator import Evaluator
from .stage import InpaintStage

PART, COUNT = "test", 40
STEPS, CFG, SAMPLER, SCHEDULER = 30, 2.0, "dpmpp_2m_sde", "karras"
GROW, FEATHER = 8.0, 0.0  # px
Row = dict[str, Any]


class Photo(NamedTuple):
    """A photo, what it shows, the thing to remove and its words, and the text without it."""

    seed: int
    image: np.ndarray
    text: str
    name: str
    words: str
    without: str


def photos() -> Iterator[Photo]:
    """Drawn photos with one thing, without end."""
    for seed in count():
        example = world.closer(seed, PART)
        objects = example.attributes["objects"]
        if len(objects) == 1:
            (name, colour), *_ = objects
            rest = {**example.attributes, "objects": ()}
            words, text = f"{colour} {name}", example.caption
            yield Photo(seed, example.image, text, name, words, world.caption(rest))


class Remover(InpaintStage):
    """Word Mask by the text-to-image model, and the inpaint checkpoint."""

    @torch.inference_mode()
    def removed(self, photo: Photo) -> tuple[np.ndarray, np.ndarray]:
        """The photo without its thing, H,W,3 uint8, and the mask (bool H,W) that was painted."""
        word_mask = importlib.import_module("recompose.bridge.attention.word_mask")
        stitch = importlib.import_module("recompose.bridge.stitch")
        sample = importlib.import_module("comfy.sample")
        image = torch.from_numpy(photo.image.copy())[None].float() / 255
        finish = word_mask.Finish(one_piece=True, grow=GROW, feather=FEATHER)
        mask, _ = word_mask.word_masks(
            self.model, self.clip, self.vae, image, photo.text, photo.words, finish
        )
        positive, negative, latent = self.conditioned(photo.without, image, mask)
        made = sample.sample(
            self.inpaint, sample.prepare_noise(latent["samples"], photo.seed), STEPS, CFG, SAMPLER, SCHEDULER,
            positive, negative, latent["samples"], noise_mask=latent["noise_mask"], seed=photo.seed,
            disable_pbar=True,
        )  # fmt: skip
        joined, _ = stitch.stitch(image, self.vae.decode(made), {"mode": "strict"}, mask, None, None, None)
        pixels = (joined[0].clamp(0, 1) * 255).round().byte().numpy()
        return pixels, mask[0].numpy() > 0


def row(remover: Remover, evaluator: Evaluator, photo: Photo) -> Row:
    """Whether the thing is gone, and how many pixels changed outside of the mask."""
    image, mask = remover.removed(photo)
    before, after = evaluator.look([photo.image, image])
    return {
        "run": "removed",
        "seed": photo.seed,
        "seen before": photo.name in before.things,
        "gone": photo.name not in after.things,
        "changed pixels outside": int((image != photo.image).any(2)[~mask].sum()),
        "mask": round(float(mask.mean()), 4),
    }
