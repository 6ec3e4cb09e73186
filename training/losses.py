"""What is minimised: pictures, velocity and words against what was predicted."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def edges(images: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the right and to the lower neighbour of images B,C,H,W."""
    return images[..., :, 1:] - images[..., :, :-1], images[..., 1:, :] - images[..., :-1, :]


def picture(predicted: Tensor, true: Tensor, edge_weight: float = 1.0) -> Tensor:
    """Absolute plus squared difference of images B,C,H,W, plus that of edges (Mathieu et al. 2016, eq. 6)."""
    difference = predicted - true
    total = difference.abs().mean() + difference.square().mean()
    for ours, theirs in zip(edges(predicted), edges(true), strict=True):
        total = total + edge_weight * (ours - theirs).abs().mean()
    return total


def unit_statistics(latents: Tensor) -> Tensor:
    """How far the channels of latents B,C,H,W are from mean 0 and deviation 1; 0 where they are exact."""
    by_channel = latents.transpose(0, 1).flatten(1)
    return by_channel.mean(1).square().mean() + (by_channel.std(1) - 1).square().mean()


def min_snr_weight(signal_to_noise: Tensor, limit: float = 5.0) -> Tensor:
    """Min-SNR-γ for squared errors of velocity (Hang et al. 2023, §3.4) by each step's signal-to-noise ratio.

    1 up to `limit` (γ), falling above it: clean steps teach little.
    """
    return (limit / signal_to_noise).clamp(max=1)


def velocity(predicted: Tensor, true: Tensor, signal_to_noise: Tensor, weights: Tensor) -> Tensor:
    """Squared error of velocity B,C,H,W, cells by weights B,1,H,W, pictures by their step's SNR (B)."""
    by_picture = (weights * (predicted - true).square()).flatten(1).mean(1)
    return (min_snr_weight(signal_to_noise) * by_picture).mean()


def token_cross_entropy(
    scores: Tensor, targets: Tensor, ignore: int = -100, smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy in nats of scores B,L,V for word ids B,L; places holding `ignore` do not count."""
    return functional.cross_entropy(
        scores.flatten(0, 1), targets.flatten(), ignore_index=ignore, label_smoothing=smoothing
    )


def psnr(predicted: Tensor, true: Tensor) -> Tensor:
    """PSNR in dB of images B,C,H,W with peak 1, averaged over pictures."""
    error = (predicted - true).square().flatten(1).mean(1)
    return (-10 * torch.log10(error.clamp_min(1e-10))).mean()
