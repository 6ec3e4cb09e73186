"""Pictures of a thing at other sizes and places, with fitting words (Kumari et al. 2023, §3.3 and A)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLER = 2 / 3  # how often a picture is shown smaller, else larger
LEAST, MOST = 1 / 3, 1.0  # of the side, where it is smaller
NEAR = (1.2, 1.4)  # of the side, where it is larger
FAR = 0.6  # of the side, below which the words say that it is far away
FAR_WORDS, NEAR_WORDS = ("a far away ", "very small "), ("zoomed in ", "close up ")
EMPTY = 0.5  # grey, zero for an autoencoder


class View(NamedTuple):
    """A picture C,S,S in 0…1, which of its cells count (1,h,w in 0…1), and how its prompt begins."""

    picture: Tensor
    counts: Tensor
    words: str


def square(picture: Tensor, side: int) -> Tensor:
    """The middle square of a picture C,H,W, at a side in pixels."""
    shorter = min(picture.shape[-2:])
    scale = side / shorter
    size = [max(side, round(length * scale)) for length in picture.shape[-2:]]
    scaled = resized(picture, (size[0], size[1]))
    top, left = ((length - side) // 2 for length in size)
    return scaled[..., top : top + side, left : left + side]


def resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture C,H,W at another size."""
    if tuple(picture.shape[-2:]) == size:
        return picture
    return F.interpolate(picture[None], size, mode="bilinear", antialias=True, align_corners=False)[0]


def plain(picture: Tensor, mask: Tensor, cell: int) -> View:
    """The picture as it is; `mask` 1,S,S says where the thing is."""
    return View(picture, cells(mask, cell), "")


def view(picture: Tensor, mask: Tensor, cell: int, random: torch.Generator) -> View:
    """The picture smaller on an empty one or larger and cut off, mirrored half the time."""

    def drawn(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    if drawn(0, 1) < 0.5:
        picture, mask = picture.flip(-1), mask.flip(-1)
    side = picture.shape[-1]
    if drawn(0, 1) < SMALLER:
        share = drawn(LEAST, MOST)
        words = FAR_WORDS[int(drawn(0, len(FAR_WORDS)))] if share < FAR else ""
        small = max(4 * cell, round(share * side))
        return View(*smaller(picture, mask, cell, small, (drawn(0, 1), drawn(0, 1))), words)
    larger = round(drawn(*NEAR) * side)
    top, left = (int(drawn(0, larger - side + 1)) for _ in range(2))
    cut = [
        resized(each, (larger, larger))[..., top : top + side, left : left + side] for each in (picture, mask)
    ]
    return View(cut[0], cells(cut[1], cell), NEAR_WORDS[int(drawn(0, len(NEAR_WORDS)))])


def smaller(
    picture: Tensor, mask: Tensor, cell: int, small: int, place: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """The picture at a smaller side, at a place in shares of what is left, and which cells count: none of
    those that its border may be in."""
    side = picture.shape[-1]
    small = min(small, side)
    top, left = (int(share * (side - small)) for share in place)
    canvas, where = torch.full_like(picture, EMPTY), torch.zeros_like(mask)
    canvas[..., top : top + small, left : left + small] = resized(picture, (small, small))
    where[..., top : top + small, left : left + small] = resized(mask, (small, small))
    counts = cells(where, cell)
    inner = torch.zeros_like(counts)
    rows, columns = (slice(start // cell + 1, (start + small) // cell - 1) for start in (top, left))
    inner[..., rows, columns] = 1
    return canvas, counts * inner if small < side else counts


def cells(mask: Tensor, cell: int) -> Tensor:
    """How much of each cell a mask 1,S,S covers."""
    return F.avg_pool2d(mask[None], cell)[0]
