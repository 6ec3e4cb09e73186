"""The one rule for batches: a batch of one fits any other."""

from __future__ import annotations

from torch import Tensor


def broadcast(tensor: Tensor, batch: int, name: str) -> Tensor:
    """View a batch of one as a batch of `batch`; raises ValueError if it is neither."""
    if len(tensor) not in (1, batch):
        raise ValueError(f"{name} has a batch of {len(tensor)} but {batch} is needed; connect 1 or {batch}.")
    return tensor.expand(batch, *tensor.shape[1:])


def common_batch(tensors: dict[str, Tensor | None]) -> int:
    """The batch that named tensors (None = not connected) share, one fitting any; else ValueError."""
    counts = {name: len(tensor) for name, tensor in tensors.items() if tensor is not None}
    batch = max(counts.values())
    if any(count not in (1, batch) for count in counts.values()):
        got = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(f"The batches do not fit together: {got}; connect batches of 1 or of equal length.")
    return batch
