"""A model's noise schedule, and the sigmas that a scheduler makes for it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import comfy.samplers
import torch
from torch import Tensor

from ..core.sampling import schedules
from ..core.sampling.noise_schedule import Kind, NoiseSchedule
from .choices import INPAINT

# The least noise to signal for flow models; below it there is almost no noise.
FLOW_LOWEST = 0.03

# The most steps at the least denoise of the all-in-one nodes.
MOST_STEPS = 1_000_000


class SigmaSettings(NamedTuple):
    """The noise levels of a run."""

    steps: int
    scheduler: str
    denoise: float


def noise_schedule_of(model_sampling: Any) -> NoiseSchedule:
    """How the model noises a latent, by its own answers; ValueError unless it adds noise or mixes it in."""
    # Its class does not tell: some that inherit from ComfyUI's flows mix in no noise, others stand alone.
    half, none, one = (torch.full((1, 1, 1, 1), value, dtype=torch.float64) for value in (0.5, 0.0, 1.0))
    try:
        kept = float(model_sampling.noise_scaling(half[0, 0, 0], none.clone(), one.clone()).mean())
        added = float(model_sampling.noise_scaling(half[0, 0, 0], one.clone(), none.clone()).mean())
    except Exception:  # what an unknown model's object raises is no part of any promise
        kept = added = math.nan
    if math.isclose(kept, 1.0) and math.isclose(added, 0.5):
        return NoiseSchedule(Kind.VE)
    if math.isclose(kept, 0.5) and 0 < added < math.inf:
        return NoiseSchedule(Kind.FLOW, 2 * added)
    raise ValueError(
        "The model neither adds noise to a latent nor mixes the two, so known cells cannot be held along the "
        "way; take another model, or another sampler."
    )


def sigmas_of(model: Any, schedule: SigmaSettings) -> Tensor:
    """The sigmas of the schedule, on the model's device; below denoise 1 the end of a longer schedule."""
    steps, scheduler, denoise = schedule
    if scheduler != INPAINT:
        # Euler takes the scheduler's sigmas as they are; the name chooses nothing else here.
        return comfy.samplers.KSampler(
            model, steps, model.load_device, "euler", scheduler, denoise, model.model_options
        ).sigmas
    if denoise <= 0:
        return torch.empty(0)
    if steps / denoise > MOST_STEPS:
        raise ValueError(
            f"denoise {denoise:g} takes the end of a schedule of {steps / denoise:.3g} steps but at most "
            f"{MOST_STEPS} can be made; raise denoise."
        )
    sampling = model.get_model_object("model_sampling")
    path, lowest = noise_schedule_of(sampling), float(sampling.sigma_min)
    noisiest = float(sampling.sigma_max)
    if path.kind is Kind.FLOW:
        lowest, noisiest = max(FLOW_LOWEST, path.level(lowest).noise_to_signal), 1.0
    values = schedules.inpaint(path, steps if denoise > 0.9999 else int(steps / denoise), lowest, noisiest)
    return torch.tensor(values[-(steps + 1) :], device=model.load_device)
