"""Files that appear whole or not at all, and lists of files that are quick to ask for again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

# A folder changed later than this may change again without a later time; in nanoseconds.
_RECENT = 2_000_000_000


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file beside `path`, which then takes its place; a failure leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _scanned(folder: str, ending: str, changed: int) -> tuple[list[str], list[str]]:
    """The names of a folder's subfolders and of its files with that ending, as of the time `changed`."""
    folders, files = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(ending) and entry.is_file():
                files.append(entry.name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
    return folders, files


_remembered = lru_cache(maxsize=16384)(_scanned)


def files_below(folder: Path, ending: str) -> list[str]:
    """The paths, relative and with forward slashes, of all files with that ending in a folder and below it.

    Only folders that changed are read again.
    """
    found, waiting = [], [""]
    while waiting:
        inside = waiting.pop()
        current = folder / inside
        try:
            changed = current.stat().st_mtime_ns
            scan = _scanned if time.time_ns() - changed < _RECENT else _remembered
            folders, files = scan(str(current), ending, changed)
        except OSError:
            continue  # gone since, or not ours to read
        waiting += [f"{inside}{name}/" for name in folders]
        found += [inside + name for name in files]
    return found
