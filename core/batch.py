"""The one rule for batches: a batch of one fits any other."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import TypeVar

from torch import Tensor

Item = TypeVar("Item")


def _check(length: int, batch: int, name: str) -> None:
    if length not in (1, batch):
        raise ValueError(f"{name} has a batch of {length} but {batch} is needed; connect 1 or {batch}.")


def broadcast(tensor: Tensor, batch: int, name: str) -> Tensor:
    """View a batch of one as a batch of `batch`; raises ValueError if it is neither."""
    _check(len(tensor), batch, name)
    return tensor.expand(batch, *tensor.shape[1:])


def repeated(items: Sequence[Item], batch: int, name: str) -> list[Item]:
    """A list of one as a list of `batch` times the same item; raises ValueError if it is neither."""
    _check(len(items), batch, name)
    return [items[index % len(items)] for index in range(batch)]


def common_batch(batches: dict[str, Sized | None]) -> int:
    """The length that named batches (None = not connected) share, one fitting any; else ValueError."""
    counts = {name: len(batch) for name, batch in batches.items() if batch is not None}
    batch = max(counts.values())
    if any(count not in (1, batch) for count in counts.values()):
        got = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(f"The batches do not fit together: {got}; connect batches of 1 or of equal length.")
    return batch
