"""The sentence for a training that needs more memory than there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import comfy.model_management as management

CPU_ALLOCATOR = "DefaultCPUAllocator"  # how torch's error begins where main memory is full


@contextmanager
def explained(sentence: str) -> Iterator[None]:
    """ValueError with a sentence in place of torch's error where memory is full; others pass."""
    try:
        yield
    except Exception as error:
        if not full(error):
            raise
        raise ValueError(sentence) from error


def full(error: Exception) -> bool:
    """Whether an error means that the memory of the GPU or of the machine is full."""
    if CPU_ALLOCATOR in str(error):
        return True
    # Where torch has no such error ComfyUI takes any for one.
    return management.OOM_EXCEPTION is not Exception and management.is_oom(error)
