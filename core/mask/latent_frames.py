"""Masks between a video's frames and the frames of its latent."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# How many latent frames a VAE makes of so many frames.
Length = Callable[[int], int]


def held_frames(frames: int, latent_frames: int, length: Length | None) -> Tensor | None:
    """Which frames (columns) each latent frame (rows) holds, bool; None if `length` does not say so.

    A latent frame holds what came in since the one before it was complete: with 4 frames to a latent frame
    after the first, 0 | 1…4 | 5…8. Frames after the last complete one count to the last.
    """
    if frames == latent_frames:
        return torch.eye(frames, dtype=torch.bool)
    if length is None or length(frames) != latent_frames:
        return None
    made = torch.tensor([length(count + 1) for count in range(frames)])
    held = torch.zeros(latent_frames, frames, dtype=torch.bool)
    first = 0
    for count in made[made > 0].unique().tolist():  # a VAE that works in chunks completes several at once
        end = int((made >= count).nonzero()[0]) + 1
        done = int(held.any(1).sum())
        held[done:count, first:end] = True
        first = end
    held[made[-1] - 1] |= torch.arange(frames) >= first
    return held


def guessed_frames(frames: int, latent_frames: int) -> Tensor:
    """Which frames each latent frame may hold if the latent's frames divide the video evenly, bool."""
    rows = torch.arange(latent_frames)[:, None]
    columns = torch.arange(frames)[None]
    # Two stretches of the video overlap if each begins before the other ends.
    return (columns * latent_frames < (rows + 1) * frames) & (rows * frames < (columns + 1) * latent_frames)


def over_frames(cells: Tensor, frames: int, batch: int) -> Tensor:
    """Arrange cells (N,1,h,w), one mask per video or for all, for a video latent as batch,1,frames,h,w."""
    return cells[:, :, None].expand(batch, 1, frames, *cells.shape[-2:]).clone()


def join_frames(cells: Tensor, latent_frames: int, length: Length | None) -> tuple[Tensor, Tensor]:
    """The cells of a video's N frames (N,1,h,w) as those of its latent (1,1,T,h,w), and again per frame.

    A latent frame is repainted where any frame that it holds is. Which these are, `length` tells; without it
    one latent frame more is repainted before and after, because the first latent frame of most video VAEs
    holds one frame and all later ones several. The cells per frame (N,1,h,w) are those repainted in its
    latent frame.
    """
    frames = len(cells)
    held = held_frames(frames, latent_frames, length)
    known = held is not None
    held = guessed_frames(frames, latent_frames) if held is None else held
    joined = torch.stack([cells[row].amax(0) for row in held.to(cells.device)], dim=1)[None]
    if not known:
        joined = F.max_pool3d(joined, (3, 1, 1), stride=1, padding=(1, 0, 0))
    per_frame = [joined[0, :, row].amax(1) for row in held.T.to(cells.device)]
    return joined, torch.stack(per_frame)
