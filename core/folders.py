"""Folders of picture files."""

from __future__ import annotations

from pathlib import Path

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def is_picture(path: Path) -> bool:
    """Whether a file is named like a picture; macOS's companions of files (._photo.jpg) are none."""
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".")


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name; none where there is no folder."""
    return sorted(path for path in folder.iterdir() if is_picture(path)) if folder.is_dir() else []


def of_stem(folder: Path, stem: str) -> Path | None:
    """The picture of a folder with a name before its ending; None where there is none."""
    return next((each for ending in ENDINGS if (each := folder / f"{stem}{ending}").is_file()), None)


def inside(path: Path, folder: Path) -> bool:
    """Whether a path stays in a folder."""
    return path.resolve().is_relative_to(folder.resolve())
