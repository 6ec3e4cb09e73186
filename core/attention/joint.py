"""What each word gets of a picture's attention, in transformers where words and picture attend jointly."""

from __future__ import annotations

import torch
from torch import Tensor

# Bytes of scores that are held at once, as queries are taken in turns: what a processor's cache nearly holds,
# and what is worth a GPU's start.
MOST_BYTES, MOST_BYTES_GPU = 2**24, 2**26


def joint_probabilities(
    q: Tensor, k: Tensor, words: slice, bias: Tensor | None = None, scale: float | None = None,
    most_bytes: int = 0,
) -> Tensor:  # fmt: skip
    """softmax(q kᵀ·scale + bias) over all keys, those of `words` only, mean over heads: B,N,words float32.

    Queries B,heads,N,d and keys B,heads,K,d; `bias` fits B,heads,N,K and is added, or False where nothing is
    attended to; `scale` is 1/√d if it is None. The scores of words are in float32, so that low precision
    counts in the sum over the other keys only, where its errors cancel. `most_bytes` 0 is
    what suits the device.
    """
    q = q * (q.shape[-1] ** -0.5 if scale is None else scale)
    rows, heads, count, _ = q.shape
    found = torch.empty(rows, count, k[..., words, :].shape[-2], device=q.device)
    most_bytes = most_bytes or (MOST_BYTES if q.device.type == "cpu" else MOST_BYTES_GPU)
    turn = max(1, most_bytes // (4 * rows * heads * k.shape[-2]))
    for first in range(0, count, turn):
        some = slice(first, first + turn)
        scores = (q[..., some, :] @ k.transpose(-1, -2)).float()
        if q.dtype != torch.float32:
            scores[..., words] = q[..., some, :].float() @ k[..., words, :].float().transpose(-1, -2)
        if bias is not None:
            scores = biased(scores, bias if bias.shape[-2] == 1 else bias[..., some, :])
        scores.sub_(scores.amax(-1, keepdim=True)).exp_()
        found[:, some] = (scores[..., words] / scores.sum(-1, keepdim=True)).mean(1)
    return found


def biased(scores: Tensor, bias: Tensor) -> Tensor:
    """Scores with what is added to them, or -inf where a boolean is False."""
    return scores.masked_fill(~bias, -torch.inf) if bias.dtype == torch.bool else scores + bias
