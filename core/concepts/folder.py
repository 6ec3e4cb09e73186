"""A folder of pictures to learn from: their captions are .txt files beside them, their masks in another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..folders import of_stem, pictures_in


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder by name; ValueError by a sentence where there are none."""
    found = pictures_in(folder)
    if not found:
        raise ValueError(f"Expected pictures in {folder}, got none; put 4 to 20 of them there.")
    return found


def captions(paths: Sequence[Path]) -> list[str]:
    """The captions of pictures, of all or of none; ValueError by a sentence where some lack one."""
    found = [caption(path) for path in paths]
    missing = [path for path, text in zip(paths, found, strict=True) if text is None]
    if missing and len(missing) < len(paths):
        raise ValueError(
            f"Expected a caption beside every picture of {missing[0].parent} or none, got none for "
            f"{missing[0].name}; add its .txt file."
        )
    return [text for text in found if text is not None]


def caption(path: Path) -> str | None:
    """The text of the .txt file beside a picture on one line, None where there is none."""
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        return None
    try:
        return " ".join(beside.read_text(encoding="utf-8-sig").split())
    except UnicodeDecodeError as error:
        raise ValueError(
            f"Expected a caption in UTF-8, got other bytes in {beside}; save it anew."
        ) from error


def masks(folder: Path | None, paths: Sequence[Path]) -> list[Path]:
    """The masks of pictures by their names, none without a folder; ValueError where one is missing."""
    if folder is None:
        return []
    found = []
    for path in paths:
        mask = of_stem(folder, path.stem)
        if mask is None:
            raise ValueError(f"Expected a mask for {path.name} in {folder}, got none; add it.")
        found.append(mask)
    return found
