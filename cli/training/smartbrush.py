"""`cli train smartbrush` with ComfyUI at hand."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...bridge.training import alone
from ..ending import Failure, Misuse


def train(options: argparse.Namespace) -> Path:
    """Train as the options say and return the model's file; Misuse or Failure by a sentence."""
    alone.prepare()
    from ...bridge.smartbrush.outside import Sources, train_files
    from ...bridge.smartbrush.training import Settings

    sources = Sources(options.checkpoint, options.data, options.pictures)
    settings = Settings(
        options.steps, options.learning_rate, options.warmup, options.batch_size, options.accumulation,
        options.size, options.views, options.gradient_checkpointing, options.seed,
    )  # fmt: skip
    try:
        return train_files(
            sources, settings, options.out, options.save_every, lambda text: print(text, flush=True)
        )
    except ValueError as error:
        raise Misuse(str(error)) from error
    except (RuntimeError, OSError) as error:
        raise Failure(str(error)) from error
