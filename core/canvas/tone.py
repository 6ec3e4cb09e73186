"""What makes a generated picture meet the known pixels around it without a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .membrane import membrane, screened

# The tone is the mean difference on known pixels at most about REACH px away, on cells of CELL px.
CELL, REACH = 4, 16
USUAL = 0.05  # a difference beyond this is rather an edge of the scene than tone
# Up to the first it may be tone, from the second on it is none: a frame line, or another thing there.
LARGEST, NONE = 0.2, 0.3
FADING = 8  # px over which what differs beside the tone fades away from the seam
# The sides of what is worked on together, and how far around it a tile has to see; multiples of the coarsest
# cells. What differs at a seam farther off has faded to 1/3000 of itself.
ROWS, COLUMNS, AROUND = 256, 1024, 64

Source = Callable[[slice, slice], Tensor]


def tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the tiles of a picture, from left to right and from top to bottom."""
    for top in range(0, height, ROWS):
        for left in range(0, width, COLUMNS):
            yield slice(top, min(top + ROWS, height)), slice(left, min(left + COLUMNS, width))


def share_of(largest: Tensor) -> Tensor:
    """How much of a difference (0…1) is to be corrected: 1 if it may be one of tone, 0 if it is too large."""
    return largest.sub(NONE).div_(LARGEST - NONE).clamp_(0, 1)


class Tone:
    """The correction of a generated picture in two parts, both from known - generated on the known pixels.

    Its local mean beside the seam is the tone, which is continued into the whole repainted area as a
    membrane, Δu = 0 (Pérez et al. 2003). What is left on the seam itself is an edge of the scene that the two
    draw a little differently; that fades within some pixels, for as a membrane it would tint the whole area.
    A difference too large for either, in any channel, is left as it is: an edge that shows in one channel
    only would otherwise tint what is repainted. Where all are, beside a frame line, nothing changes.
    """

    def __init__(self, old: Tensor, new: Source, known: Tensor) -> None:
        """Of the colours (B,3,H,W) of both pictures, the new one's by rows and columns.

        `old` may change later where it is not known (bool B,1,H,W).
        """
        self.old, self.new, self.known = old, new, known
        height, width = old.shape[-2:]
        cells = old.new_zeros(len(old), 2 * old.shape[1], -(-height // CELL), -(-width // CELL))
        for rows, columns in tiles(height, width):
            if known[..., rows, columns].any():
                found = self._cells(rows, columns)
                top, left = rows.start // CELL, columns.start // CELL
                cells[..., top : top + found.shape[-2], left : left + found.shape[-1]] = found
        weight, total = cells.chunk(2, 1)
        shown = weight > 0
        for kernel in ((2 * REACH // CELL + 1, 1), (1, 2 * REACH // CELL + 1)):
            padding = (kernel[0] // 2, kernel[1] // 2)
            total, weight = (F.avg_pool2d(plane, kernel, 1, padding) for plane in (total, weight))
        self.means = membrane(total / weight.clamp(min=1e-6), shown)

    def _difference(self, rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
        """known - generated, and how much of it is to be corrected (B,1,h,w)."""
        difference = self.old[..., rows, columns] - self.new(rows, columns)
        return difference, share_of(difference.abs().amax(1, keepdim=True))

    def _cells(self, rows: slice, columns: slice) -> Tensor:
        """The weight of each cell and its weighted difference; large differences count little (Cauchy)."""
        difference, share = self._difference(rows, columns)
        trust = self.known[..., rows, columns] / (1 + (difference / USUAL) ** 2)
        weighted = difference.mul_(trust).mul_(share)
        return torch.cat([F.avg_pool2d(plane, CELL, ceil_mode=True) for plane in (trust, weighted)], 1)

    def correction(self, rows: slice, columns: slice) -> Tensor:
        """What to add to a tile of the generated picture (B,3,h,w)."""
        down, across = (
            slice(max(part.start - AROUND, 0), min(part.stop + AROUND, length))
            for part, length in zip((rows, columns), self.old.shape[-2:], strict=True)
        )
        known = self.known[..., down, across]
        if not known.any():
            return self._tone(rows, columns)
        tone = self._tone(down, across)
        difference, share = self._difference(down, across)
        found = screened(difference.sub_(tone).mul_(share), known, FADING).add_(tone)
        return found[
            ...,
            rows.start - down.start : rows.stop - down.start,
            columns.start - across.start : columns.stop - across.start,
        ]

    def _tone(self, rows: slice, columns: slice) -> Tensor:
        """The membrane at these places (from a multiple of CELL on), between the middles of the cells."""
        firsts = [max(part.start // CELL - 1, 0) for part in (rows, columns)]
        down, across = (
            slice(first, part.stop // CELL + 2) for first, part in zip(firsts, (rows, columns), strict=True)
        )
        large = F.interpolate(self.means[..., down, across], scale_factor=CELL, mode="bilinear")
        top, left = rows.start - firsts[0] * CELL, columns.start - firsts[1] * CELL
        return large[..., top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]
