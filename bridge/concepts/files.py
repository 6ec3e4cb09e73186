"""Files of concepts: those to choose from, what they hold, and new ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from ...core.concepts import formats
from ...core.concepts.concept import Concept
from ...core.files import replacing
from ..choices import CONCEPT_ENDINGS, CONCEPTS
from ..inputs import shown
from ..models import folders

WHO = "Load Concept"


def found(name: str | None) -> Path | None:
    """The file of that name in the first folder that has it; None where none has."""
    for root in folders.roots_and_output(CONCEPTS):
        path = root / (name or "")
        # Of a name that no file can have, too long for one or with a zero, pathlib raises.
        with contextlib.suppress(OSError, ValueError):
            if path.is_file() and path.resolve().is_relative_to(root.resolve()):
                return path
    return None


def problem(name: str | None) -> str | None:
    """One sentence on why a file cannot be used, or None; a name that is not known yet has no problem."""
    if name is None or found(name):
        return None
    return f"{WHO}: models/{CONCEPTS} has no file {shown(name)}; put the concept's file there and choose it."


def fingerprint(name: str | None) -> list[tuple[str, int, int]]:
    """Name, size and time of the files that a concept is read from."""
    path = found(name)
    return folders.stamps([path, *beside(path)]) if path else []


def beside(path: Path) -> list[Path]:
    """The files of new words in the folder of diffusers' weights."""
    if path.stem != formats.DIFFUSERS_WEIGHTS:
        return []
    return [
        each for each in sorted(path.parent.iterdir())
        if each.suffix in CONCEPT_ENDINGS and formats.WORD.fullmatch(each.stem)
    ]  # fmt: skip


def load(name: str) -> Concept:
    """The concept of a file, with the new words beside it; ValueError, one sentence, for anything else."""
    if trouble := problem(name):
        raise ValueError(trouble)
    path = found(name)
    assert path is not None
    raw: dict[str, Any] = {}
    for each in (*beside(path), path):
        raw |= read(each)
    try:
        return formats.read(raw)
    except formats.NotAConcept as error:
        raise ValueError(
            f"{WHO}: {name} is no concept, as {error}; choose a file of Custom Diffusion."
        ) from error


def read(path: Path) -> Mapping[str, Any]:
    """What a file holds by name, running no code from it; ValueError, one sentence, for a damaged one."""
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path, device="cpu")
        held = torch.load(path, map_location="cpu", weights_only=True)
    # Which errors a damaged file causes is no promise of torch or safetensors.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{WHO}: {path.name} is damaged or holds more than weights ({reason}); "
            "take it from its source again."
        ) from error
    if not isinstance(held, dict):
        raise ValueError(f"{WHO}: {path.name} holds no weights by name; choose a file of Custom Diffusion.")
    return {str(name): value for name, value in held.items()}


def write(
    files: Iterable[tuple[Path, Mapping[str, torch.Tensor], Mapping[str, str]]], who: str
) -> list[Path]:
    """Write files of tensors and metadata, all or none; RuntimeError, one sentence, where they cannot be."""
    written: list[Path] = []
    for path, tensors, metadata in files:
        plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        try:
            with replacing(path) as unfinished:
                safetensors.torch.save_file(plain, unfinished, dict(metadata))
                unfinished.chmod(0o644)
        # A name may also be too long for a file, or no text at all.
        except (OSError, UnicodeError, safetensors.SafetensorError) as error:
            for each in written:
                each.unlink()
            clear(path.parent)
            reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            raise RuntimeError(
                f"{who}: the file {shown(path.name)} could not be written ({reason[:200]}); make room on the "
                "disk, or choose another name."
            ) from error
        written.append(path)
    return written


def clear(folder: Path) -> None:
    """Remove a folder if it is empty."""
    with contextlib.suppress(OSError):
        folder.rmdir()
