"""A thing to be painted, as a value that travels between nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class BrushObject:
    """Encoded words, a mask (B,1,H,W px, 0…1) and how precise it is, 0 (exact) to 5 (a box)."""

    words: Any
    mask: Tensor
    precision: int
