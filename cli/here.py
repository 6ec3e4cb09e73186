"""Training in this process: the libraries and the ComfyUI that it needs."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from .ending import Misuse
from .words import line

LIBRARIES = {"torch": "torch", "safetensors": "safetensors", "Pillow": "PIL"}  # by the names that import them


def check_libraries() -> None:
    """Misuse for libraries that are missing."""
    missing = [name for name, module in LIBRARIES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise Misuse(
            f"Expected the libraries {', '.join(LIBRARIES)} beside this Python, "
            f"got no {', no '.join(missing)}; start this with the Python that runs ComfyUI."
        )


def comfyui(given: Path | None) -> Path:
    """ComfyUI's folder; Misuse where it is unknown."""
    around = Path(__file__).resolve().parents[3]  # custom_nodes/<this pack>/cli/here.py
    named = os.environ.get("COMFYUI_PATH")
    folder = given or (Path(named) if named else around)
    if not (folder / "comfy" / "sd.py").is_file():
        raise Misuse(
            f"Expected ComfyUI in {line(folder)}, got no comfy/sd.py there; give its folder by --comfyui."
        )
    return folder.resolve()


def make_importable(folder: Path) -> None:
    """Let ComfyUI's modules be imported."""
    sys.path.insert(0, str(folder))


def check_out(out: Path) -> None:
    """Misuse for a file that is not named like one of weights."""
    if out.suffix != ".safetensors":
        raise Misuse(f"Expected a name that ends in .safetensors, got {line(out)}; give --out another.")


def check_least(given: object, least: dict[str, int]) -> None:
    """Misuse for options that are below their least value, or a rate that is not above 0."""
    for name, value in least.items():
        if getattr(given, name) < value:
            option = f"--{name.replace('_', '-')}"
            raise Misuse(f"Expected {option} of at least {value}, got {getattr(given, name)}; raise it.")
    rate = getattr(given, "learning_rate", 1.0)
    if not rate > 0:
        raise Misuse(f"Expected a learning rate above 0, got {rate}; raise it.")
