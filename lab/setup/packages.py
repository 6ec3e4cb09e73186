"""Python packages from a lock: downloaded in small groups that survive a kill, then installed by hash."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .progress import Progress, megabytes

GROUP = 8  # small packages fetched by one run of pip
LARGE = re.compile(r"(torch|triton|nvidia-|cuda-|comfyui-|opencv|scipy|nodejs|uv|transformers)")
NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|ProxyError|Failed to establish|Name or service not known|Max retries"
    r"|Temporary failure in name resolution|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|Read timed out"
)


class SetupError(RuntimeError):
    """Something the set-up needs is missing; the text is one sentence for the user."""


def requirements(lock: Path) -> list[str]:
    """The entries of a lock, each `name==version` with its hashes on following lines."""
    text = "\n".join(line for line in lock.read_text().splitlines() if not line.startswith("#"))
    return [entry.strip() for entry in re.split(r"\n(?=\S)", text) if entry.strip()]


def groups(entries: list[str]) -> list[list[str]]:
    """Entries as they are fetched: large packages alone, small ones several at a time."""
    large = [[entry] for entry in entries if LARGE.match(entry)]
    small = [entry for entry in entries if not LARGE.match(entry)]
    return large + [small[at : at + GROUP] for at in range(0, len(small), GROUP)]


def die_with_parent() -> None:
    """Let the kernel kill a child with the set-up, so that it never writes behind a later run's back."""
    libc = ctypes.CDLL(None)
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def explain(doing: str, log: str) -> str:
    """One sentence for a failed program, from what it wrote."""
    if "No space left on device" in log or "ENOSPC" in log:
        return (
            f"{doing} failed because the disk is full; make room and run again, it goes on where it stopped."
        )
    if "DO NOT MATCH THE HASHES" in log or "EINTEGRITY" in log:
        return f"{doing} failed because what came is not the locked file; run again."
    if NETWORK.search(log):
        return (
            f"{doing} failed because the package index cannot be reached; "
            "check the network and run again, it goes on where it stopped."
        )
    wrong = [line.strip() for line in log.splitlines() if "error" in line.lower()]
    return f"{doing} failed: {wrong[-1] if wrong else 'the program ended without a word'}."


def run(command: list[str], doing: str, log: Path, watch: Callable[[], None], **variables: str) -> None:
    """Run a program to its end, its output in `log`; SetupError when it fails."""
    start = log.stat().st_size if log.exists() else 0
    with log.open("a") as output:
        # Python swallows a Ctrl-C that comes while it forks.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | variables,
            preexec_fn=die_with_parent,
        )
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
            while process.poll() is None:
                watch()
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        with log.open(errors="replace") as written:
            written.seek(start)
            raise SetupError(f"{explain(doing, written.read())} (log: {log})")


def size(folder: Path) -> int:
    """Bytes of the files in `folder`; files that vanish meanwhile count as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def scratch(folder: Path) -> dict[str, str]:
    """Variables that keep a program's temporary files in `folder` and the user's habits out of pip."""
    folder.mkdir(parents=True, exist_ok=True)
    return {"TMPDIR": str(folder), "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_NO_CACHE_DIR": "1"}


def pip_runner() -> Path:
    """The script that runs this Python's own pip for any interpreter; SetupError when there is none."""
    found = importlib.util.find_spec("pip")
    runner = Path(found.origin).parent / "__pip-runner__.py" if found and found.origin else None
    if runner is None or not runner.exists():
        raise SetupError(
            "This Python has no pip, or one older than 22.3; install or update pip and run again."
        )
    return runner


@dataclass(frozen=True)
class Packages:
    """Gets the packages of locks for one interpreter, by way of the cache."""

    python: Path
    cache: Path
    progress: Progress

    def pip(self, doing: str, arguments: list[str], watch: Callable[[], None], **variables: str) -> None:
        """Run pip; its output goes to the log."""
        command = [
            str(self.python),
            str(pip_runner()),
            "--disable-pip-version-check",
            "--no-input",
            *arguments,
        ]
        run(command, doing, self.cache / "setup.log", watch, **variables)

    def fetch(self, lock: Path, *options: str, **variables: str) -> list[Path]:
        """Download what the lock names and return the folders that hold it."""
        entries = requirements(lock)
        done, loaded, folders = 0, 0, []
        for group in groups(entries):
            text = "\n".join(group) + "\n"
            folder = self.cache / "downloads" / hashlib.sha256(text.encode()).hexdigest()[:16]
            if not folder.exists():
                told = f"downloading {done} of {len(entries)} packages"
                self.fetch_group(text, folder, told, loaded, options, variables)
            done, loaded = done + len(group), loaded + size(folder)
            folders.append(folder)
        self.progress.show(f"downloaded {len(entries)} packages, {megabytes(loaded)}", last=True)
        return folders

    def fetch_group(
        self,
        text: str,
        folder: Path,
        told: str,
        loaded: int,
        options: Iterable[str],
        variables: dict[str, str],
    ) -> None:
        """Download a few packages; their folder appears only when it is whole."""
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        temporary = scratch(part / "temporary")
        asked = part / "requirements.txt"
        asked.write_text(text)
        names = ", ".join(re.findall(r"^([^\s=]+)==", text, re.MULTILINE))

        def watch() -> None:
            self.progress.show(f"{told}, {megabytes(loaded + size(part))}")

        arguments = ["download", "--no-deps", "--require-hashes", f"--dest={part}", f"--requirement={asked}"]
        self.pip(f"Downloading {names}", [*arguments, *options], watch, **temporary, **variables)
        shutil.rmtree(part / "temporary")
        part.rename(folder)

    def install(self, lock: Path, folders: Iterable[Path], target: Path | None = None) -> None:
        """Install downloaded packages into the interpreter's environment, or as a plain import path."""
        site = target or next((self.python.parent.parent / "lib").glob("python*")) / "site-packages"
        count = len(requirements(lock))
        arguments = ["install", "--no-deps", "--require-hashes", "--no-index", "--only-binary=:all:"]
        arguments += [f"--find-links={folder}" for folder in folders]
        arguments += [f"--target={target}"] if target else []

        def watch() -> None:
            self.progress.show(f"installing {sum(1 for _ in site.glob('*.dist-info'))} of {count} packages")

        temporary = scratch(self.cache / "downloads" / "temporary")
        self.pip(f"Installing {lock.stem}", [*arguments, f"--requirement={lock}"], watch, **temporary)
        self.progress.show(f"installed {count} packages", last=True)


def new_environment(folder: Path) -> Path:
    """Make an empty virtual environment of this Python and return its interpreter."""
    venv.EnvBuilder(symlinks=True, with_pip=False, clear=True).create(folder)
    return folder / "bin" / "python"
