"""Memory for large pictures: what it looks like, and what of it is taken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from recompose.core import memory
from recompose.core.shapes import Size

CPU = torch.device("cpu")


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_a_large_picture_is_channels_last_and_nobody_else_s() -> None:
    size = Size(2503, 2801)
    first, second = (memory.empty_picture(1, 3, size, CPU) for _ in range(2))
    assert first.shape == (1, 3, 2801, 2503) and first.dtype == torch.float32
    assert first.permute(0, 2, 3, 1).is_contiguous()
    first.fill_(0.25)
    second.fill_(0.75)
    assert (first == 0.25).all() and (second == 0.75).all()
    assert memory.empty_picture(2, 4, Size(5, 7), CPU).shape == (2, 4, 7, 5)


def test_more_than_there_is_is_refused_as_numpy_does() -> None:
    with pytest.raises(MemoryError, match="Unable to allocate"):
        memory.sparse_zeros(1 << 20, 1 << 20, 1 << 10)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
@pytest.mark.parametrize(
    "make", [lambda: memory.sparse_zeros(1, 8192, 8192, 3), lambda: memory.zeros((1, 8192, 8192, 3), CPU)]
)
def test_zeros_take_memory_where_they_are_written(make) -> None:
    before = resident()
    picture = make()
    picture[0, 4000, 100:200] = 1
    assert resident() - before < 32 << 20
    assert picture.sum() == 300 and picture[0, 4000, 150].tolist() == [1, 1, 1]
