"""What makes a generated picture meet the known pixels around it without a step."""

from __future__ import annotations

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
# Rows worked on together, and those around them that a strip has to see; multiples of the coarsest cells.
ROWS, AROUND = 256, 64


def share_of(largest: Tensor) -> Tensor:
    """How much of a difference (0…1) is to be corrected: 1 if it may be one of tone, 0 if it is too large."""
    return largest.sub(NONE).div_(LARGEST - NONE).clamp_(0, 1)


class Tone:
    """The correction of a generated picture in two parts, both from known - generated on the known pixels.

    Its local mean beside the seam is the tone, which is continued into the whole repainted area as a
    membrane, Δu = 0 (Pérez et al. 2003). What is left on the seam itself is an edge of the scene that the two
    draw a little differently; that fades within some pixels, for as a membrane it would tint the whole area.
    A difference too large for either is left as it is; where all are, beside a frame line, nothing changes.
    """

    def __init__(self, old: Tensor, new: Tensor, known: Tensor, share: Tensor) -> None:
        """Of one channel (B,1,H,W) of both pictures; `old` may change later where it is not known (bool).

        `share` (B,1,H,W) is `share_of` the largest difference in any channel.
        """
        self.old, self.new, self.known, self.share = old, new, known, share
        cells = [self._cells(slice(top, top + ROWS)) for top in range(0, old.shape[-2], ROWS)]
        weight, total = (torch.cat(planes, -2) for planes in zip(*cells, strict=True))
        shown = weight > 0
        for kernel in ((2 * REACH // CELL + 1, 1), (1, 2 * REACH // CELL + 1)):
            padding = (kernel[0] // 2, kernel[1] // 2)
            total, weight = (F.avg_pool2d(plane, kernel, 1, padding) for plane in (total, weight))
        self.means = membrane(total / weight.clamp(min=1e-6), shown)

    def _cells(self, rows: slice) -> tuple[Tensor, Tensor]:
        """The weight of each cell and its weighted difference; large differences count little (Cauchy)."""
        difference = self.old[..., rows, :] - self.new[..., rows, :]
        trust = self.known[..., rows, :] / (1 + (difference / USUAL) ** 2)
        return (
            F.avg_pool2d(trust, CELL, ceil_mode=True),
            F.avg_pool2d(trust.mul_(difference).mul_(self.share[..., rows, :]), CELL, ceil_mode=True),
        )

    def correction(self, rows: slice) -> Tensor:
        """What to add to these rows (from a multiple of ROWS on) of the generated channel."""
        top = max(rows.start - AROUND, 0)
        seen = slice(top, min(rows.stop + AROUND, self.old.shape[-2]))
        tone = self._tone(seen)
        rest = (self.old[..., seen, :] - self.new[..., seen, :]).sub_(tone).mul_(self.share[..., seen, :])
        found = screened(rest, self.known[..., seen, :], FADING).add_(tone)
        return found[..., rows.start - top : rows.stop - top, :]

    def _tone(self, rows: slice) -> Tensor:
        """The membrane at these rows (from a multiple of CELL on), between the middles of the cells."""
        first = max(rows.start // CELL - 1, 0)
        coarse = self.means[..., first : rows.stop // CELL + 2, :]
        large = F.interpolate(coarse, scale_factor=CELL, mode="bilinear")
        top = rows.start - first * CELL
        return large[..., top : top + rows.stop - rows.start, : self.old.shape[-1]]
