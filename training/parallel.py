"""One training in several processes, as `accelerate launch` or `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as processes


@dataclass(frozen=True)
class Group:
    """The number of this process among all of one training."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that saves and reports."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's rows of a batch of `count`; ValueError where they cannot be shared evenly."""
        if count % self.size:
            raise ValueError(
                f"Expected a batch that {self.size} processes can share, got {count} rows; give it a "
                f"multiple of {self.size}."
            )
        each = count // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Make tensors, in place, the mean of those of all processes."""
        if self.size == 1:
            return
        for tensor in tensors:
            processes.all_reduce(tensor)
            tensor /= self.size


@contextmanager
def group(device: torch.device) -> Iterator[Group]:
    """The processes that the launcher has started; one alone without a launcher."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group()
        return
    processes.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(processes.get_rank(), size)
    finally:
        processes.destroy_process_group()
