"""ComfyUI's modules in a process without a server."""

from __future__ import annotations

import torch
from comfy.cli_args import args


def prepare() -> None:
    """Let ComfyUI work on the CPU where torch finds no GPU; its model management must not be imported yet."""
    if not torch.cuda.is_available():
        args.cpu = not torch.backends.mps.is_available()
