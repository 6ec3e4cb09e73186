"""Which row of its batch each row of a run is: rows that were taken apart keep their noise."""

from __future__ import annotations

import torch
from torch import Tensor

MOST_ROWS, MOST_NUMBERS = 256, 2**26  # drawn to find a row again, in less than a second
COMPARED = 64  # numbers of a row; no two draws are alike in them
ROUNDED = 0.02  # by half precision


def batch_rows(noise: Tensor, seed: int) -> list[int]:
    """The numbers of the rows of `noise` (B,…) in their batch, from which fresh noise is drawn.

    No sampler is told a latent's batch_index, but ComfyUI draws the noise for a seed row by row and keeps
    each row's own when a batch is taken apart. A row that no draw for the seed began has its place here.
    """
    ends = noise.flatten(1)[:, :COMPARED].float().cpu()
    found, missing = list(range(len(ends))), {row for row, end in enumerate(ends) if end.any()}
    generator, size = torch.Generator().manual_seed(seed % 2**64), noise[0].numel()
    draws = max(len(ends), min(MOST_ROWS, MOST_NUMBERS // size)) if missing else 0
    for number in range(draws):
        start = torch.randn(noise.shape[1:], generator=generator).flatten()[:COMPARED]
        alike = {row for row in missing if float((ends[row] - start).abs().max()) < ROUNDED}
        for row in alike:
            found[row] = number
        missing -= alike
        if not missing:
            break
    return found
