"""The demo models, assembled once per version of their parts."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from ..places import LAB, WEIGHTS

TOY = LAB / "toy"


def version(weights: Path) -> str:
    """A short name that changes when a part or the way they are put together changes."""
    digest = hashlib.sha256()
    programs = [TOY / "assemble.py", *sorted((TOY / "models").glob("*.*"))]
    for file in [*programs, *sorted(weights.glob("*.safetensors"))]:
        if file.is_file():
            content = file.read_bytes()
            digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def assembled(cache: Path, weights: Path = WEIGHTS) -> Path:
    """The models folder with the demo checkpoints, made in `cache` where it is missing; never half-made.

    RuntimeError for a missing or damaged part.
    """
    models = cache / f"demo-models-{version(weights)}"
    if models.is_dir():
        return models
    from ..toy import assemble  # Brings torch, which nobody needs once the folder is there.

    try:
        import fcntl
    except ImportError as error:
        raise RuntimeError(
            "Expected Linux to put the demo models together, got no fcntl; run it there."
        ) from error
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "demo-models.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not models.is_dir():
                build(models, cache / "unfinished-demo-models", weights, assemble.assemble)
    except OSError as error:
        raise RuntimeError(f"Cannot write the demo models into {cache}: {error.strerror}.") from error
    return models


def build(models: Path, unfinished: Path, weights: Path, assemble: Callable[[Path, Path], object]) -> None:
    """Assemble beside the final place and move there when whole; what a killed build left is removed."""
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir()
        assemble(weights, unfinished)
        unfinished.rename(models)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
