"""RePaint beside diffusers' RePaintScheduler: equal where that is right, and its deviations by number."""

from __future__ import annotations

import importlib
import math
from itertools import pairwise
from types import ModuleType

import pytest
import torch
from recompose.core.sampling.known import Observation
from recompose.core.sampling.noise_schedule import Kind, NoiseLevel, NoiseSchedule, renoise
from recompose.core.sampling.repaint import Settings, resampling_schedule, sample
from torch import Tensor

STEPS = 20
SHAPE = (2, 3, 5, 7)
BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def scheduler(diffusers: ModuleType, eta: float, jump: int = 10, times: int = 1) -> object:
    made = diffusers.RePaintScheduler(eta=eta, clip_sample=False, **BETAS)
    made.set_timesteps(STEPS, jump, times, "cpu")
    # Stable Diffusion's numbers in double precision, so that only the method can differ.
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    made.alphas_cumprod = (1 - betas).cumprod(0)
    made.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    return made


def normal(number: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(number), dtype=torch.float64)


def guess(x: Tensor) -> Tensor:
    """A model's clean latent: nothing linear, and every cell hangs on its neighbours."""
    return torch.tanh(x + 0.5 * x.roll(1, -1) - 0.3 * x.roll(1, -2))


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_every_step_equals_diffusers_given_the_same_noise(
    diffusers: ModuleType, monkeypatch: pytest.MonkeyPatch, eta: float
) -> None:
    theirs, latent = scheduler(diffusers, eta), normal(100)
    repaint = importlib.import_module("diffusers.schedulers.scheduling_repaint")
    keep = (normal(101)[:, :1] > 0).double().expand(SHAPE)
    kept = theirs.alphas_cumprod[theirs.timesteps.long()]
    # Theirs starts from noise alone, also where the picture is known; our first noise makes the same start.
    start = kept[0].sqrt() * latent + (1 - kept[0]).sqrt() * normal(0)
    start = keep * start + (1 - keep) * normal(0)
    x, seen = start, []
    for number, step in enumerate(theirs.timesteps):
        share = theirs.alphas_cumprod[int(step)]
        error = (x - share.sqrt() * guess(x)) / (1 - share).sqrt()
        monkeypatch.setattr(repaint, "randn_tensor", lambda *_, n=number, **__: normal(n + 1))
        x = theirs.step(error, step, x, latent, keep).prev_sample
        seen.append(x)
    sigmas = torch.cat([((1 - kept) / kept).sqrt(), torch.zeros(1)]).double()
    index = {float(sigma): place for place, sigma in enumerate(sigmas)}
    ours: list[Tensor] = []

    def model(x: Tensor, sigma: Tensor) -> Tensor:
        preserving = x / (1 + sigma[0] ** 2).sqrt()
        ours.append(preserving)
        return guess(preserving)

    def noised(sigma: Tensor, noise: Tensor) -> Tensor:
        return latent + sigma[0] * noise

    out = sample(
        model,
        start * (1 + sigmas[0] ** 2).sqrt(),
        sigmas,
        lambda sigma, _visit: normal(index[sigma]),
        lambda *_: None,
        known=Observation(latent, lambda _sigma: 1 - keep, noised),
        path=NoiseSchedule(Kind.VE),
        settings=Settings(resamplings=1, eta=eta),
    )
    for mine, other in zip([*ours[1:], out], seen, strict=True):
        assert (mine - other).abs().max() < 1e-6
    assert torch.equal(seen[-1][keep == 1], latent[keep == 1])


@pytest.mark.parametrize(("jump", "times"), [(3, 2), (5, 3), (10, 1), (4, 5)])
def test_the_schedule_equals_diffusers_without_the_last_state(
    diffusers: ModuleType, jump: int, times: int
) -> None:
    theirs = scheduler(diffusers, 1.0, jump, times)
    assert [int(step) // (1000 // STEPS) for step in theirs.timesteps] == resampling_schedule(
        STEPS, Settings(jump, times)
    )[:-1]


# Where diffusers goes back up it takes the betas above the state, one stretch too high, though the state lies
# one stretch lower: more noise is added than lies between the two levels.
@pytest.mark.parametrize(
    ("state", "added", "right"),
    [(100, 0.02844, 0.02623), (500, 0.09397, 0.09010), (900, 0.18989, 0.18479)],
)
def test_diffusers_adds_too_much_noise_where_it_goes_back_up(
    diffusers: ModuleType, state: int, added: float, right: float
) -> None:
    theirs = diffusers.RePaintScheduler(clip_sample=False, **BETAS)
    theirs.set_timesteps(50, 10, 10, "cpu")
    stretch = 1000 // 50
    one = torch.ones(200_000)
    noisy = theirs.undo_step(torch.zeros_like(one), state, torch.Generator().manual_seed(1))
    assert noisy.var().item() == pytest.approx(added, rel=0.02)
    kept = theirs.alphas_cumprod[[state - stretch, state]].double().tolist()
    lower, upper = (NoiseLevel(math.sqrt(share), math.sqrt(1 - share)) for share in kept)
    assert renoise(torch.zeros(1), lower, upper, torch.ones(1)).item() ** 2 == pytest.approx(right, rel=1e-3)


def test_diffusers_does_not_renew_what_is_known_after_going_up() -> None:
    """Ours asks the model with freshly noised known cells at every call, as the paper's code does."""
    latent, mask = normal(1), torch.zeros(SHAPE, dtype=torch.float64)
    sigmas = torch.tensor([9.0, 4.0, 2.0, 1.0, 0.0], dtype=torch.float64)
    inputs: list[tuple[float, Tensor]] = []
    draws = iter(range(2, 99))

    def model(x: Tensor, sigma: Tensor) -> Tensor:
        inputs.append((float(sigma[0]), (x - latent) / sigma[0]))
        return x

    sample(
        model,
        latent,
        sigmas,
        lambda *_: normal(next(draws)),
        lambda *_: None,
        known=Observation(latent, lambda _sigma: mask, lambda sigma, noise: latent + sigma[0] * noise),
        path=NoiseSchedule(Kind.VE),
        settings=Settings(1, 3),
    )
    assert len(inputs) == 10
    for (_, one), (_, other) in pairwise(inputs):
        assert abs(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]) < 0.3
