"""Maps of words from recorded cross-attention, as in DAAM and in prompt-to-prompt, and masks from maps.

DAAM: Tang et al., What the DAAM: Interpreting Stable Diffusion Using Cross Attention (2023); it cuts each
head's enlarged map at 0, here the sum of a part is cut, as sums are what is recorded. Prompt-to-prompt: Hertz
et al. (2022), the maps of its local blend. Otsu (1979): the threshold of greatest variance between classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..shapes import Size
from .record import MIDDLE, Part

# Bytes of scores that are held at once; a layer's heads are taken in turns.
MOST_BYTES = 2**26
BINS = 256
# What Otsu's threshold must part: a map of at least this height, and classes whose means differ by this.
LEAST_HEIGHT, LEAST_DIFFERENCE = 1e-6, 0.1
# A map that differs by less than this share of its height is flat but for rounding.
FLAT = 1e-4
# Prompt-to-prompt takes the maps at a quarter of the latent's sides.
QUARTER = 4


class Chosen(NamedTuple):
    """A part of a record and the columns that a word has in its prompt."""

    part: Part
    columns: Sequence[int]


def probabilities(q: Tensor, k: Tensor, heads: int, most_bytes: int = MOST_BYTES) -> Tensor:
    """softmax(q kᵀ / √d) of queries (B,N,heads·d) and keys (B,K,heads·d), mean over heads: B,N,K float32."""
    width = q.shape[-1] // heads
    query, key = (each.unflatten(-1, (heads, width)).transpose(1, 2) for each in (q, k))
    total = torch.zeros(*q.shape[:2], k.shape[1], device=q.device)
    turn = max(1, most_bytes // (4 * total.numel()))
    for first in range(0, heads, turn):
        some = slice(first, first + turn)
        scores = query[:, some].float() @ key[:, some].float().transpose(-1, -2)
        total += scores.mul_(width**-0.5).softmax(-1).sum(1)
    return total.div_(heads)


def folded(found: Tensor, count: int) -> Tensor | None:
    """Probabilities (…,K) of a prompt's own `count` columns; None if there are fewer.

    ComfyUI repeats the words of the shorter of two prompts; what they get together is what they got alone.
    Columns that another patch has added come after the prompt's own.
    """
    columns = found.shape[-1]
    if columns % count == 0:
        return found.unflatten(-1, (columns // count, count)).sum(-2)
    return found[..., :count] if columns > count else None


def resized(found: Tensor, size: Size) -> Tensor:
    """Maps (rows, height, width, columns) in another size, for networks that are shrunk in some steps."""
    if found.shape[1:3] == (size.height, size.width):
        return found
    moved = found.movedim(-1, 1)
    grown = F.interpolate(moved, (size.height, size.width), mode="bilinear", align_corners=False)
    return grown.movedim(1, -1)


def daam(chosen: Sequence[Chosen], size: Size) -> Tensor:
    """A word's map (rows, height, width) in latent cells: the mean over its tokens, layers, heads and steps.

    As published without the middle block, unless nothing else is there.
    """
    usual = [each for each in chosen if each.part.where != MIDDLE] or chosen
    total = sum(enlarged(each.part.sums[..., list(each.columns)].mean(-1), size) for each in usual)
    return torch.as_tensor(total) / sum(each.part.count for each in usual)


def enlarged(sums: Tensor, size: Size) -> Tensor:
    """Maps (rows, height, width) in another size, bicubic and not below 0."""
    if sums.shape[-2:] == (size.height, size.width):
        return sums
    grown = F.interpolate(sums[:, None], (size.height, size.width), mode="bicubic", align_corners=False)
    return grown[:, 0].clamp(min=0)


def prompt_to_prompt(chosen: Sequence[Chosen], size: Size) -> Tensor:
    """A word's map (rows, height, width) in latent cells as local blend makes it.

    The sum over its tokens in the encoder's and decoder's layers at a quarter of the latent's sides, the
    highest of each cell's 3×3 neighbours. Where a network has none of these, all layers at the size nearest
    to a quarter.
    """
    usual = [each for each in chosen if each.part.where != MIDDLE] or chosen
    taken = quarter_of([each.part.size for each in usual], size)
    mean = of_one_size([each for each in usual if each.part.size == taken])
    highest = F.max_pool2d(mean[:, None], 3, stride=1, padding=1)
    return F.interpolate(highest, (size.height, size.width), mode="nearest")[:, 0]


def quarter(size: Size) -> Size:
    """A quarter of the sides of a latent, rounded up as layers halve them."""
    return Size(-(-size.width // QUARTER), -(-size.height // QUARTER))


def quarter_of(sizes: Sequence[Size], latent: Size) -> Size:
    """Of the sizes of maps the one nearest to a quarter of the latent's sides, all in cells."""
    return min(sizes, key=lambda found: abs(found.height - quarter(latent).height))


def of_one_size(chosen: Sequence[Chosen]) -> Tensor:
    """A word's map (rows, height, width) in cells of its parts, which have one size.

    The sum over its tokens, the mean over layers and steps.
    """
    total = sum(each.part.sums[..., list(each.columns)].sum(-1) for each in chosen)
    return torch.as_tensor(total) / sum(each.part.count for each in chosen)


def stretched(found: Tensor, from_zero: bool = False) -> Tensor:
    """Maps (rows, height, width) from their lowest value, or 0, to their highest as 0…1; flat ones are 0."""
    high = found.amax((-2, -1), keepdim=True)
    low = torch.zeros_like(high) if from_zero else found.amin((-2, -1), keepdim=True)
    height = high - low
    flat = height <= high * FLAT
    return torch.where(flat, 0.0, (found - low) / torch.where(flat, 1.0, height))


def otsu(values: Tensor) -> float | None:
    """The threshold that parts values within 0…1 (any shape) best; None where there is nothing to part.

    It is the upper side of one of 256 bins and maximises the variance between the two classes.
    """
    counts = torch.histc(values.double(), BINS, 0, 1)
    centres = (torch.arange(BINS, dtype=torch.float64, device=counts.device) + 0.5) / BINS
    below, mass = counts.cumsum(0)[:-1], (counts * centres).cumsum(0)
    above, rest = counts.sum() - below, mass[-1] - mass[:-1]
    low, high = mass[:-1] / below.clamp(min=1), rest / above.clamp(min=1)
    between = below * above * (high - low) ** 2
    best = between == between.max()
    # An empty stretch between the classes has one variance; its middle is the threshold.
    place = int(best.nonzero().double().mean().round())
    if not below[place] or not above[place] or high[place] - low[place] < LEAST_DIFFERENCE:
        return None
    return (place + 1) / BINS


def mask_of(found: Tensor, size: Size, threshold: float | None) -> Tensor:
    """A map (height, width; 0…1) in another size, 1 where it reaches `threshold`; nothing for None."""
    if threshold is None:
        return torch.zeros(size.height, size.width)
    return (scaled(found[None], size)[0] >= threshold).float()


def scaled(found: Tensor, size: Size) -> Tensor:
    """Maps (rows, height, width) in another size, bilinear."""
    if found.shape[-2:] == (size.height, size.width):
        return found
    return F.interpolate(found[:, None], (size.height, size.width), mode="bilinear", align_corners=False)[
        :, 0
    ]
