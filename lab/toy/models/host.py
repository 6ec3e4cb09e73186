"""ComfyUI's own classes for a process that is not ComfyUI."""

from __future__ import annotations

import sys
from pathlib import Path

import torch


def make_importable(comfyui: Path) -> None:
    """Put ComfyUI's folder on the import path and keep it off a GPU that is not there."""
    if not (comfyui / "comfy" / "options.py").is_file():
        raise RuntimeError(
            f"Expected ComfyUI in {comfyui} but there is no comfy/options.py; name ComfyUI's folder."
        )
    if str(comfyui) not in sys.path:
        sys.path.insert(0, str(comfyui))
    from comfy.cli_args import args

    args.cpu = args.cpu or not torch.cuda.is_available()
    args.use_pytorch_cross_attention = True
