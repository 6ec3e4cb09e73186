"""Write result files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .ending import Failure
from .words import line, plain

TRIAL = 1 << 20  # bytes that must fit before the work begins
LONGEST_NAME, DEEPEST = 180, 8  # bytes of a part of a path, which gets a number more; subfolders
NOT_IN_NAMES = frozenset('<>:"|?*')


class SavingError(Failure):
    """A sentence for the user about a file that could not be written."""


def sentence(error: OSError, path: Path) -> str:
    """What happened to `path`, in one sentence."""
    return f"Cannot write {line(path)}: {error.strerror or error}; nothing was left half-written."


def prepare(folder: Path) -> list[Path]:
    """Make the folder, see that pictures fit in it before any work is done, and return what was made."""
    made = []
    try:
        for each in (*reversed(folder.parents), folder):
            if not each.exists():
                each.mkdir(exist_ok=True)
                made.append(each)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(os.urandom(TRIAL))
            trial.flush()
            os.fsync(trial.fileno())
    except (OSError, ValueError) as error:
        clear(made)
        why = getattr(error, "strerror", None) or error
        raise SavingError(f"Cannot write into {line(folder)}: {why}; choose another --out.") from error
    return made


def clear(made: list[Path]) -> None:
    """Remove folders that were made and are empty, the last one with its empty subfolders."""
    for each in reversed(made):
        for root, _, _ in os.walk(each, topdown=False):
            with contextlib.suppress(OSError):
                Path(root).rmdir()


@contextlib.contextmanager
def into(*folders: Path) -> Iterator[None]:
    """Prepare the folders; those made for it go again where nothing was saved."""
    made: list[Path] = []
    try:
        for folder in folders:
            made += prepare(folder)
        yield
    finally:
        clear(made)


def safe_name(name: str, subfolder: str = "") -> str:
    """The relative path that a server's file name gets here; it cannot lead out of the folder."""
    parts = [*PurePosixPath(subfolder.replace("\\", "/")).parts, PurePosixPath(name.replace("\\", "/")).name]
    kept = [part.lstrip(".") or "_" for part in parts if part not in ("/", ".", "..", "")]
    return "/".join(_fitting(part) for part in kept[-DEEPEST:]) or "_"


def _fitting(part: str) -> str:
    """A part of a path that every file system takes: plain characters, and not too many."""
    unfit = {mark for mark in part if mark in NOT_IN_NAMES or mark in "\n\t" or plain(mark) != mark}
    shown = "".join("_" if mark in unfit else mark for mark in part)
    stem, dot, ending = shown.rpartition(".")
    ending = f".{ending}" if dot and stem and len(ending) <= 10 else ""
    room = LONGEST_NAME - len(ending.encode())
    return shown.removesuffix(ending).encode()[:room].decode(errors="ignore") + ending


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
