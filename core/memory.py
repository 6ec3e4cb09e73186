"""Memory for large pictures."""

from __future__ import annotations

import math
import mmap

import numpy as np
import torch
from torch import Tensor

from .shapes import Size


def zeros(shape: torch.Size | tuple[int, ...], device: torch.device) -> Tensor:
    """Float32 zeros of any shape.

    On the CPU all of it is one and the same page of the kernel's until something is written: what stays 0
    costs neither memory nor the time to fill it, and is read from the processor's cache.
    """
    if device.type == "cpu":
        return torch.from_numpy(np.zeros(tuple(shape), dtype=np.float32))
    return torch.zeros(shape, device=device)


def sparse_zeros(*shape: int) -> Tensor:
    """Float32 zeros on the CPU of which few are going to be written, here and there.

    In `zeros` the first number written to a huge page makes the kernel fill all of its 2 MiB.
    """
    size = max(1, 4 * math.prod(shape))
    try:
        pages = mmap.mmap(-1, size)
    except OSError as error:
        raise MemoryError(f"Unable to allocate {size >> 20} MiB for a picture") from error
    return torch.from_numpy(np.frombuffer(pages, np.float32, math.prod(shape)).reshape(shape))


def empty_picture(batch: int, channels: int, size: Size, device: torch.device) -> Tensor:
    """An uninitialised float32 picture B,C,H,W, channels-last.

    On the CPU the memory comes from numpy, which asks the kernel for huge pages: filling a 4096×4096 picture
    is three times faster than in torch's own, where every 4 KiB are a page fault.
    """
    if device.type == "cpu":
        pixels = np.empty((batch, size.height, size.width, channels), dtype=np.float32)
        return torch.from_numpy(pixels).permute(0, 3, 1, 2)
    shape = (batch, channels, size.height, size.width)
    return torch.empty(shape, device=device, memory_format=torch.channels_last)
