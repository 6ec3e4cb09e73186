"""Libraries that ComfyUI does not bring: imported when they are needed, missing in a sentence."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, user: str, packages: str) -> ModuleType:
    """The imported `module`; RuntimeError saying that `user` needs it and how pip installs `packages`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RuntimeError(
            f"{user} needs the library {module.partition('.')[0]}, which cannot be imported ({error}); "
            f"install it with: python -m pip install {packages}"
        ) from error
