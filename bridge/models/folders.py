"""Model folders under ComfyUI's models/ and the files in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import folder_paths


def roots(category: str) -> list[Path]:
    """The folders of a model category: those of extra_model_paths.yaml, then models/<category>."""
    own = str(Path(folder_paths.models_dir) / category)
    folder_paths.add_model_folder_path(category, own)
    folder_paths.folder_names_and_paths[category][1].update(folder_paths.supported_pt_extensions)
    return [Path(path) for path in folder_paths.get_folder_paths(category)]


def roots_and_output(category: str) -> list[Path]:
    """The folders of a model category, and the one below ComfyUI's output that such files are saved to."""
    return [*roots(category), Path(folder_paths.get_output_directory()) / category]


def model_folders(category: str) -> dict[str, Path]:
    """The folders that hold a config.json, by name; where two roots share a name the first wins.

    A folder in the layout of Hugging Face's cache stands under its own name for its current snapshot.
    """
    found: dict[str, Path] = {}
    for root in roots(category):
        for config in sorted(root.glob("*/config.json")):
            found.setdefault(config.parent.name, config.parent)
        for cached in sorted(root.glob("models--*/snapshots")):
            if folder := snapshot(cached.parent):
                found.setdefault(cached.parent.name, folder)
    return dict(sorted(found.items()))


def snapshot(cached: Path) -> Path | None:
    """The snapshot that refs/main of a cached repository names, else the newest one with a config.json."""
    whole = [path.parent for path in cached.glob("snapshots/*/config.json") if path.is_file()]
    try:
        named = (cached / "refs" / "main").read_text("utf-8").strip()
    except (OSError, ValueError):
        named = ""
    chosen = [folder for folder in whole if folder.name == named]
    return max(chosen or whole, key=lambda folder: (folder.stat().st_mtime_ns, folder.name), default=None)


def find(category: str, name: str) -> Path | None:
    """The model file of that name in the first of the category's folders that has it, None where none has."""
    return next((root / name for root in roots(category) if (root / name).is_file()), None)


def stamps(files: Iterable[Path | None]) -> list[tuple[str, int, int]]:
    """Name, size and time of files, so that a changed one is noticed; None stands for a missing one."""
    found = [(path, path.stat()) for path in files if path is not None]
    return [(path.name, stat.st_size, stat.st_mtime_ns) for path, stat in found]
