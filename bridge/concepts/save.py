"""Save Concept: a file of ours, or diffusers' files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths

from ...core.concepts import formats
from ...core.concepts.concept import Concept, LowRank
from .files import write

WHO = "Save Concept"
OURS, DIFFUSERS = "Recompose", "diffusers"


def save_concept(concept: Concept, prefix: str, layout: str) -> list[str]:
    """Write a concept below ComfyUI's output folder; the files' names. ValueError by a sentence."""
    root = folder_paths.get_output_directory()
    folder, name, counter, _, _ = folder_paths.get_save_image_path(prefix, root)
    place = Path(folder) / f"{name}_{counter:05}_"
    if layout == OURS:
        tensors, metadata = formats.ours(concept)
        files: list[Any] = [(place.with_name(f"{place.name}.safetensors"), tensors, metadata)]
    else:
        files = [
            (place / f"{each}.safetensors", held, {"format": "pt"}) for each, held in theirs(concept).items()
        ]
    return [str(path.relative_to(root)) for path in write(files, WHO)]


def theirs(concept: Concept) -> dict[str, Any]:
    """diffusers' files; ValueError for what they cannot hold."""
    if concept.text:
        raise ValueError(
            f"{WHO}: diffusers' files hold no weights of the text encoder; choose the layout {OURS}."
        )
    whole = {}
    for name, weight in concept.weights.items():
        if isinstance(weight, LowRank):
            raise ValueError(
                f"{WHO}: diffusers' files hold whole weights, and this concept has what is added to a "
                f"base's; choose the layout {OURS}."
            )
        whole[name] = weight
    return formats.diffusers(whole, concept.tokens)
