"""The demo model taught and painted with, by the product's own code, in this process."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ...toy import world
from ..cells import CELL
from ..checkpoint import Checkpoint
from . import plan

SIDE, STEPS, CFG = 128, 20, 4.0
SAMPLER, SCHEDULER = "euler", "normal"
Loaded = tuple[Any, Any]  # MODEL and CLIP


class Lesson(NamedTuple):
    """A picture H,W,3 uint8 and its caption."""

    image: np.ndarray
    caption: str


class Taught(NamedTuple):
    """What a training cost: processor seconds, steps, and bytes of its file."""

    seconds: float
    steps: int
    bytes: int


class Classroom(Checkpoint):
    """Trains concepts and paints with them."""

    @property
    def base(self) -> Loaded:
        return self.model, self.clip

    def training(self, row: plan.Row, setting: plan.Setting, words: str) -> Any:
        """A training of new words and of a row's weights."""
        train = importlib.import_module("recompose.bridge.concepts.train")
        settings = train.Settings(
            token=words, train=row.train or train.CROSS_ATTENTION, steps=setting.steps,
            learning_rate=setting.rate, batch=plan.BATCH, size=SIDE, augment=False,
        )  # fmt: skip
        names = None
        if not row.train:
            load = importlib.import_module("recompose.bridge.concepts.load")
            names = [name for name in self.model.model.state_dict() if name.startswith(load.UNET)]
        return train.ConceptTraining(self.model, self.clip, settings, names)

    def teach(
        self, row: plan.Row, setting: plan.Setting, words: str, lessons: Sequence[Lesson],
        files: dict[int, Path],
    ) -> Taught:  # fmt: skip
        """Train on lessons and keep the concept in `files` after their numbers of steps, the last one the
        end; what was stopped goes on."""
        trainer = importlib.import_module("recompose.bridge.concepts.trainer")
        written = importlib.import_module("recompose.bridge.concepts.files").write
        ours = importlib.import_module("recompose.core.concepts.formats").ours
        given = trainer.Given(
            [torch.from_numpy(np.array(each.image))[None].float() / 255 for each in lessons],
            captions=[each.caption for each in lessons],
        )
        every = min(files)
        last = files[setting.steps]
        last.parent.mkdir(parents=True, exist_ok=True)
        with torch.inference_mode():
            training = self.training(row, setting, words)
            own, _ = trainer.prepared(training, self.model, self.clip, self.vae, given)

            def saved(step: int) -> None:
                if step in files:
                    written([(files[step], *ours(training.concept()))], "figures")

            state, start, count = last.with_suffix(".state"), time.process_time(), 0
            for _ in training.run(own, None, state, every, saved):
                count += 1
        took = (time.process_time() - start) / max(count, 1) * setting.steps
        state.unlink(missing_ok=True)
        return Taught(round(took, 1), setting.steps, last.stat().st_size)

    def concept(self, file: Path) -> Any:
        """The concept of a file."""
        files = importlib.import_module("recompose.bridge.concepts.files")
        return importlib.import_module("recompose.core.concepts.formats").read(files.read(file))

    def applied(self, *files: Path) -> Loaded:
        """MODEL and CLIP with the concepts of files, one upon the other."""
        load = importlib.import_module("recompose.bridge.concepts.load")
        with torch.inference_mode():
            loaded = self.base
            for file in files:
                loaded = load.applied(*loaded, self.concept(file), 1.0, "figures")
        return loaded

    def merged(self, files: Sequence[Path], classes: Sequence[str]) -> Loaded:
        """MODEL and CLIP with the concepts of files, merged in closed form."""
        merge = importlib.import_module("recompose.bridge.concepts.merge")
        captions = "\n".join(world.closer(seed, "train").caption for seed in range(plan.CAPTIONS))
        with torch.inference_mode():
            concepts = [self.concept(file) for file in files]
            return merge.merge_concepts(
                *self.base, concepts, ", ".join(classes), merge.CLOSED_FORM, captions
            )[:2]

    def paint_with(self, loaded: Loaded, prompts: Sequence[str]) -> list[np.ndarray]:
        """Pictures H,W,3 uint8 of prompts, each with the noise of its place."""
        sample = importlib.import_module("comfy.sample")
        model, clip = loaded
        found = []
        with torch.inference_mode():
            negative = clip.encode_from_tokens_scheduled(clip.tokenize(""))
            for seed, text in enumerate(prompts):
                positive = clip.encode_from_tokens_scheduled(clip.tokenize(text))
                empty = torch.zeros(1, 4, SIDE // CELL, SIDE // CELL)
                noise = sample.prepare_noise(empty, seed)
                latent = sample.sample(
                    model, noise, STEPS, CFG, SAMPLER, SCHEDULER, positive, negative, empty,
                    seed=seed, disable_pbar=True,
                )  # fmt: skip
                found += list(self.pixels(latent))
        return found

    def through(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Pictures as the autoencoder gives them back."""
        return [self.pixels(self.encoded(image))[0] for image in images]
