"""Write result files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path, PurePosixPath


class SavingError(RuntimeError):
    """A sentence for the user about a file that could not be written."""


def sentence(error: OSError, path: Path) -> str:
    """What happened to `path`, in one sentence."""
    return f"Cannot write {path}: {error.strerror or error}; nothing was left half-written."


def prepare(folder: Path) -> None:
    """Make the folder and see that files can be made in it, before any work is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SavingError(
            f"Cannot write into {folder}: {error.strerror or error}; choose another --out."
        ) from error


def safe_name(name: str, subfolder: str = "") -> str:
    """The relative path that a server's file name gets here; it cannot lead out of the folder."""
    parts = [*PurePosixPath(subfolder.replace("\\", "/")).parts, PurePosixPath(name.replace("\\", "/")).name]
    kept = [part.lstrip(".") or "_" for part in parts if part not in ("/", ".", "..", "")]
    return "/".join(part.replace(":", "_") for part in kept) or "_"


def unused(path: Path, taken: set[Path]) -> Path:
    """`path`, or `name (2).ext` and so on where that exists already."""
    candidate, number = path, 1
    while candidate.exists() or candidate in taken:
        number += 1
        candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return candidate


def save(folder: Path, files: list[tuple[str, bytes]], overwrite: bool = False) -> list[Path]:
    """Write all files (relative name, content) or none, and return where they are.

    Every content is first on the disk under a temporary name and only then gets its own.
    """
    ready: list[tuple[Path, Path]] = []
    target = folder
    try:
        for name, content in files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not overwrite:
                target = unused(target, {path for _, path in ready})
            handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
            ready.append((Path(temporary), target))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for temporary, target in ready:
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(target)
    except OSError as error:
        raise SavingError(sentence(error, target)) from error
    finally:
        for temporary, _ in ready:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return [target for _, target in ready]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
