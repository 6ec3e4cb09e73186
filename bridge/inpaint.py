"""Sample a latent's masked part, all in one, as KSampler does."""

from __future__ import annotations

from typing import Any, NamedTuple

import comfy.sample
import comfy.utils
import latent_preview

from ..core.sampling import repaint
from .latent import check_latent, check_model
from .noise_mask import checked_mask, is_empty
from .notices import notice
from .sampling import Inpainter
from .sigmas import SigmaSettings, sigmas_of


class Conditioning(NamedTuple):
    """Positive and negative conditioning, and the guidance scale."""

    positive: list
    negative: list
    cfg: float


def preset_of(choice: dict[str, Any]) -> repaint.Preset:
    """The preset of that name, or the steps and settings given with the choice custom."""
    if choice["preset"] != "custom":
        return repaint.PRESETS[choice["preset"]]
    names = ("jump_length", "resamplings", "eta", "start", "end")
    return repaint.Preset(choice["steps"], repaint.Settings(*(choice[name] for name in names)))


def sample_inpaint(
    model: Any,
    conditioning: Conditioning,
    latent: dict[str, Any],
    sampler: Inpainter,
    schedule: SigmaSettings,
    seed: int,
) -> dict[str, Any]:
    """The LATENT with the masked part painted anew; where the mask is empty the very LATENT that came in.

    Raises ValueError for a latent that cannot be sampled, no mask, one of another batch or aspect, and as
    `core` does.
    """
    latent = check_latent(latent, sampler.name)
    mask = checked_mask(latent, sampler.name)
    samples = comfy.sample.fix_empty_latent_channels(
        model,
        latent["samples"],
        latent.get("downscale_ratio_spacial"),
        latent.get("downscale_ratio_temporal"),
    )
    check_model(samples, model, sampler.name)
    sigmas = sigmas_of(model, schedule)
    calls = sampler.calls(sigmas)
    if is_empty(mask, samples):
        notice(f"{sampler.name}: the noise mask is empty, so the latent is passed on as it came.")
        return latent
    noise = comfy.sample.prepare_noise(samples, seed, latent.get("batch_index"))
    painted = comfy.sample.sample_custom(
        model, noise, conditioning.cfg, sampler, sigmas, conditioning.positive,
        conditioning.negative, samples, noise_mask=mask, seed=seed,
        callback=latent_preview.prepare_callback(model, calls),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
    )  # fmt: skip
    rest = {name: value for name, value in latent.items() if not name.startswith("downscale_ratio_")}
    return {**rest, "samples": painted}
