"""Which errors mean that memory is full."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch


@pytest.fixture
def memory(comfy: ModuleType) -> ModuleType:
    from recompose.bridge.training import memory

    return memory


def test_a_full_gpu_and_a_full_machine_become_the_sentence(memory: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^lower size$"), memory.explained("lower size"):
        torch.empty(2**60, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"^lower size$"), memory.explained("lower size"):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")


def test_other_errors_stay_what_they_are(memory: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot"), memory.explained("lower size"):
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    with pytest.raises(KeyError, match="step"), memory.explained("lower size"):
        raise KeyError("step")
