"""Stable Diffusion's noise, as ComfyUI's sampler counts it, and the velocity that the UNet predicts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

STEPS = 1000


def alphas_bar(device: torch.device | str = "cpu") -> Tensor:
    """How much of the picture's power is left at each of the 1000 steps ("scaled linear" betas)."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64, device=device) ** 2
    return torch.cumprod(1 - betas, 0).float()


def noised(latents: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
    """x_t = sqrt(ā_t) z + sqrt(1 - ā_t) ε (Ho et al. 2020, eq. 4); steps are B integers 0…999."""
    kept = alphas_bar(latents.device)[steps].reshape(-1, 1, 1, 1)
    return kept.sqrt() * latents + (1 - kept).sqrt() * noise


def velocity(latents: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
    """v = sqrt(ā_t) ε - sqrt(1 - ā_t) z (Salimans & Ho 2022, §4); steps are B integers 0…999."""
    kept = alphas_bar(latents.device)[steps].reshape(-1, 1, 1, 1)
    return kept.sqrt() * noise - (1 - kept).sqrt() * latents


def signal_to_noise(steps: Tensor) -> Tensor:
    """ā_t / (1 - ā_t) for B steps."""
    kept = alphas_bar(steps.device)[steps]
    return kept / (1 - kept)


@torch.no_grad()
def sample(predict: Callable[[Tensor, Tensor], Tensor], noise: Tensor, count: int) -> Tensor:
    """Clean latents from unit noise by deterministic DDIM (Song et al. 2021, eq. 12) in `count` steps."""
    kept = alphas_bar(noise.device)
    times = torch.linspace(STEPS - 1, 0, count).round().long().to(noise.device)
    x = noise
    for index, time in enumerate(times):
        a = kept[time]
        b = kept[times[index + 1]] if index + 1 < count else torch.ones_like(a)
        v = predict(x, time.expand(x.shape[0]))
        clean, error = a.sqrt() * x - (1 - a).sqrt() * v, (1 - a).sqrt() * x + a.sqrt() * v
        x = b.sqrt() * clean + (1 - b).sqrt() * error
    return x
