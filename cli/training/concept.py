"""`cli train concept` with ComfyUI at hand."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...bridge.training import alone
from ..ending import Failure, Misuse


def train(options: argparse.Namespace) -> Path:
    """Train as the options say and return the file of the concept; Misuse or Failure by a sentence."""
    alone.prepare()
    from ...bridge.concepts.outside import given_of, train_files
    from ...bridge.concepts.train import Settings

    settings = Settings(
        options.token, options.class_word.strip(), options.train, options.steps, options.learning_rate,
        options.batch_size, options.accumulation, options.size, not options.no_augmentation, 1.0,
        options.gradient_checkpointing, options.seed,
    )  # fmt: skip
    try:
        given = given_of(options.pictures, options.masks, options.prior, options.prior_pictures)
        return train_files(
            options.checkpoint,
            given,
            settings,
            options.out,
            options.save_every,
            lambda text: print(text, flush=True),
        )
    except ValueError as error:
        raise Misuse(str(error)) from error
    except (RuntimeError, OSError) as error:
        raise Failure(str(error)) from error
