"""Mask Precision and Guess Precision on ComfyUI's masks."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...core.smartbrush import precision as levels
from ...core.smartbrush.guess import guess
from .. import layouts
from ..notices import notice

MASK, GUESS = "Mask Precision", "Guess Precision"


def mask_precision(mask: Tensor, precision: int, ratio: int, vae: Any | None) -> Tensor:
    """A MASK (H,W or B,H,W) at one precision; ValueError by a sentence."""
    given, cell = painted(mask, MASK), cell_of(ratio, vae)
    return layouts.mask_to_comfy(levels.at_precision(given, precision, cell))


def guess_precision(mask: Tensor, ratio: int, vae: Any | None) -> int:
    """The precision of a painted MASK, of several the coarsest; ValueError by a sentence."""
    given, cell = painted(mask, GUESS), cell_of(ratio, vae)
    found = [guess(one, cell) for one in given.split(1)]
    if len(set(found)) > 1:
        notice(
            f"{GUESS}: the masks are of the precisions {', '.join(map(str, found))}; the coarsest is given."
        )
    return max(found)


def painted(mask: Tensor, who: str) -> Tensor:
    """The masks (B,1,H,W); ValueError where one of them is empty."""
    given = layouts.mask_from_comfy(mask, name=f"{who}: mask")
    assert given is not None
    strong = (given >= 0.5).flatten(1).any(1)
    if not strong.all():
        which = (
            f"mask {int((~strong).nonzero()[0])} of {len(given)} (from 0)" if len(given) > 1 else "the mask"
        )
        kind = "reaches ½ nowhere" if given.any() else "is empty"
        raise ValueError(f"{who}: {which} {kind}; paint where the thing is to be.")
    return given


def cell_of(ratio: int, vae: Any | None) -> int:
    """Pixels a latent cell."""
    return ratio if vae is None else int(vae.spacial_compression_encode())
