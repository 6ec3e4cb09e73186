"""Where the commands run: a Python, a ComfyUI and a cache folder, set up on first use."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import stages
from .packages import SetupError, size
from .progress import megabytes

__all__ = ["Environment", "SetupError", "cache_folder", "ensure"]

MINORS = ("3.11", "3.12", "3.13")
PYTHONS = (".venv/bin/python", "venv/bin/python", ".venv/Scripts/python.exe", "venv/Scripts/python.exe")
PROBE = "import importlib.util as u, sys; print(*sys.version_info[:2], u.find_spec('torch') is not None)"


@dataclass(frozen=True)
class Environment:
    """What a command may use; the paths are absolute."""

    python: Path  # the interpreter that has torch and ComfyUI's requirements
    comfyui: Path  # the folder with ComfyUI's main.py
    cache: Path  # this project's folder outside the checkout; commands may make folders in it
    tools: Path | None = None  # import path of pytest, ruff and Node; only for `test`
    overlays: dict[str, Path] = field(default_factory=dict)  # import paths of further libraries, by name
    node: Path | None = None  # the node executable; only for `test`
    node_packages: Path | None = None  # the folder with node_modules/ and chromium/; only for `test`

    def reach_overlays(self) -> None:
        """Make the libraries of the overlays importable; what the environment itself has goes first."""
        sys.path += [str(site) for site in self.overlays.values()]

    def variables(self) -> dict[str, str]:
        """What the tests and the programs they start find in their environment variables."""
        found = {
            "COMFYUI_PATH": self.comfyui,
            "RECOMPOSE_CACHE": self.cache,
            "RECOMPOSE_TOOLS": self.tools,
            "RECOMPOSE_NODE": self.node,
            "RECOMPOSE_NODE_PACKAGES": self.node_packages,
        }
        found |= {f"RECOMPOSE_OVERLAY_{name.upper()}": path for name, path in self.overlays.items()}
        # Two runs on one machine must not spin against each other: a waiting OpenMP thread sleeps.
        fixed = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        return {name: str(value) for name, value in found.items()} | fixed


def cache_folder() -> Path:
    """The folder outside the checkout: $RECOMPOSE_CACHE or ~/.cache/recompose."""
    return Path(os.environ.get("RECOMPOSE_CACHE") or "~/.cache/recompose").expanduser().absolute()


def refusal(system: str, machine: str, version: str) -> str | None:
    """One sentence when the set-up cannot work on this machine, else None; version as in "3.12"."""
    if system != "Linux" or machine not in ("x86_64", "AMD64"):
        return (
            f"The set-up works on Linux x86-64 but this is {system} {machine}; "
            "set COMFYUI_PATH to a ComfyUI that is installed here."
        )
    if version not in MINORS:
        return (
            f"The set-up works with Python {', '.join(MINORS)} but this is {version}; "
            "start it as python3.12 cli instead."
        )
    return None


def this_version() -> str:
    """The running Python's version, as in "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def ensure_platform(version: str | None = None) -> None:
    """SetupError unless the set-up works on this machine with that Python, or with the running one."""
    refused = refusal(platform.system(), platform.machine(), version or this_version())
    if refused:
        raise SetupError(refused)


def existing_python(comfyui: Path) -> tuple[Path, str]:
    """The interpreter of an installed ComfyUI and its version: its own environment's, or else this one."""
    if not (comfyui / "main.py").is_file():
        raise SetupError(f"COMFYUI_PATH is {comfyui} but it holds no main.py; name ComfyUI's own folder.")
    own = [folder / python for folder in (comfyui, comfyui.parent) for python in PYTHONS]
    own.append(comfyui.parent / "python_embeded" / "python.exe")
    python = next((path for path in own if path.exists()), Path(sys.executable))
    probe = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False)
    major, minor, torch = probe.stdout.split() if probe.returncode == 0 else ("", "", "False")
    if torch != "True":
        raise SetupError(
            f"{python} has no torch, so it cannot run the ComfyUI in {comfyui}; "
            "start this with the Python that ComfyUI uses."
        )
    return python, f"{major}.{minor}"


def ensure(
    need_tests: bool = False, overlays: tuple[str, ...] = (), locks: Path = stages.LOCKS
) -> Environment:
    """Set up what is missing and return it; SetupError says in one sentence what stands in the way.

    The named overlays come along where the set-up works on this machine; elsewhere the given ComfyUI's Python
    has to have their libraries. For the tests there are all of them.
    """
    cache, given = cache_folder(), os.environ.get("COMFYUI_PATH")
    python, version = Path(sys.executable), this_version()
    comfyui = Path(given).expanduser().absolute() if given else None
    if comfyui is not None:
        python, version = existing_python(comfyui)
    if comfyui is None or need_tests:
        ensure_platform(version)
    setup = stages.Setup(cache, locks, python, "py" + version.replace(".", ""))
    runtime = stages.runtime(setup)
    needed = [] if comfyui else [stages.source(setup), runtime]
    works = refusal(platform.system(), platform.machine(), version) is None
    others = stages.overlays(setup, stages.OVERLAYS if need_tests else overlays if works else ())
    needed += others.values()
    if need_tests:
        needed += [stages.tools(setup), stages.node_packages(setup)]
    if stages.ensure_built(cache, needed) and (old := stages.older(setup)):
        print(
            f"No lock describes these older set-ups in {cache} any more, so they may be deleted: "
            f"{', '.join(folder.name for folder in old)} ({megabytes(sum(map(size, old)))}).",
            file=sys.stderr,
        )
    if comfyui is None:
        python, comfyui = runtime.folder / "venv" / "bin" / "python", runtime.folder / "ComfyUI"
    paths = {name: stage.folder / "site" for name, stage in others.items()}
    if not need_tests:
        return Environment(python, comfyui, cache, overlays=paths)
    site = stages.tools(setup).folder / "site"
    packages = stages.node_packages(setup).folder
    return Environment(python, comfyui, cache, site, paths, stages.node(site), packages)
