"""The demo models, assembled once per version of their parts."""

from __future__ import annotations

from pathlib import Path

from .. import version as versions
from ..files import replacing
from ..places import WEIGHTS
from ..toy import table


def version(weights: Path) -> str:
    """A short name that changes when a model or the way it is put together changes."""
    models = [model.name for model in table.MODELS.values() if model.installed]
    return versions.version(["lab.toy.assemble"], models, weights=weights)


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
                with replacing(models) as unfinished:
                    assemble.assemble(weights, unfinished)
    except OSError as error:
        raise RuntimeError(f"Cannot write the demo models into {cache}: {error.strerror}.") from error
    return models
