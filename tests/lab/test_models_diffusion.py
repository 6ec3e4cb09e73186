"""Velocity, its sampler and the one UNet in two checkpoints, against what is known exactly."""

from __future__ import annotations

import os
from types import ModuleType

import numpy as np
import pytest
import torch
from recompose.lab.toy.models import diffusion


def test_velocity_is_the_derivative_along_the_circle_of_latents_and_noise() -> None:
    generator = torch.Generator().manual_seed(1)
    clean, noise = (torch.randn(5, 2, 3, 2, generator=generator).double() for _ in range(2))
    steps = torch.tensor([0, 100, 500, 900, 999])
    angle = torch.atan2((1 - diffusion.alphas_bar()).sqrt(), diffusion.alphas_bar().sqrt())[steps].double()
    angle = angle.reshape(-1, 1, 1, 1)
    little = 1e-6
    after = torch.cos(angle + little) * clean + torch.sin(angle + little) * noise
    before = torch.cos(angle - little) * clean + torch.sin(angle - little) * noise
    found = diffusion.velocity(clean, noise, steps)
    torch.testing.assert_close(found, (after - before) / (2 * little), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [4, 25])
def test_sampling_gives_back_the_one_picture_there_is(count: int) -> None:
    only = torch.randn(1, 4, 3, 2, generator=torch.Generator().manual_seed(2))

    def predict(x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        kept = diffusion.alphas_bar()[steps].reshape(-1, 1, 1, 1)
        error = (x - kept.sqrt() * only) / (1 - kept).sqrt()
        return kept.sqrt() * error - (1 - kept).sqrt() * only

    noise = torch.randn(6, 4, 3, 2, generator=torch.Generator().manual_seed(3))
    found = diffusion.sample(predict, noise, count)
    torch.testing.assert_close(found, only.expand_as(found), rtol=1e-3, atol=1e-3)


def test_without_mask_and_picture_the_narrow_network_is_the_wide_one(comfy: ModuleType) -> None:
    from recompose.lab.toy.models import networks

    wide = networks.unet(networks.INPAINT_CHANNELS, 4)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in wide.parameters():
            if not parameter.any():
                parameter.copy_(0.05 * torch.randn(parameter.shape, generator=generator))
    x, states = torch.randn(2, 4, 6, 5, generator=generator), torch.randn(2, 77, 64, generator=generator)
    steps = torch.tensor([10.0, 700.0])
    with torch.inference_mode():
        expected = wide(torch.cat([x, torch.zeros(2, 5, 6, 5)], 1), steps, states)
        found = networks.narrowed(wide)(x, steps, states)
        other = wide(torch.cat([x, torch.ones(2, 5, 6, 5)], 1), steps, states)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert (other - expected).abs().max() > 0.01


def test_pictures_beyond_the_skeletons_go_without(comfy: ModuleType) -> None:
    from recompose.lab.toy.control import controlled
    from recompose.lab.toy.models import networks

    unet, control = networks.unet(networks.INPAINT_CHANNELS, 6), networks.controlnet(seed=7)
    generator = torch.Generator().manual_seed(8)
    with torch.no_grad():
        for parameter in [*unet.parameters(), *control.parameters()]:
            if not parameter.any():
                parameter.copy_(0.05 * torch.randn(parameter.shape, generator=generator))
    x, states = torch.randn(3, 9, 6, 4, generator=generator), torch.randn(3, 77, 64, generator=generator)
    hints, steps = torch.rand(3, 3, 48, 32, generator=generator), torch.tensor([5, 300, 900])
    with torch.inference_mode():
        found = controlled(unet, control, x, hints[:1], steps, states)
        alone = unet(x, steps.float(), states)
        every = controlled(unet, control, x, hints, steps, states)
    torch.testing.assert_close(found[1:], alone[1:], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[:1], every[:1], rtol=1e-4, atol=1e-4)
    assert (every - alone).flatten(1).abs().amax(1).min() > 0.01


def process_and_square(number: int) -> tuple[int, int]:
    return os.getpid(), number * number


def test_a_crowd_keeps_the_order_and_works_elsewhere(comfy: ModuleType) -> None:
    from recompose.lab.train.parallel import parallel_map

    found = list(parallel_map(process_and_square, range(70)))
    assert [square for _, square in found] == [number * number for number in range(70)]
    assert len(os.sched_getaffinity(0)) == 1 or os.getpid() not in {process for process, _ in found}


def test_a_batch_has_the_shares_that_are_asked_for(comfy: ModuleType) -> None:
    from recompose.lab.train.latent_cache import UNCONDITIONAL, Bucket, LatentCache

    bucket = Bucket(
        torch.zeros(5, 4, 3, 2).half(),
        torch.ones(5, 3, 5, 3, 2).half(),
        torch.ones(5, 4, 77, dtype=torch.long),
        torch.zeros(5, 4, 77, dtype=torch.bool),
        torch.full((5, 4, 77), 2, dtype=torch.int8),
        torch.full((5, 13, 3, 2), 51, dtype=torch.uint8),
        torch.full((5, 3, 24, 16), 255, dtype=torch.uint8),
    )
    other = bucket._replace(clean=torch.ones(5, 4, 3, 2).half())
    cache = LatentCache([[bucket], [other]], torch.zeros(UNCONDITIONAL, 77, dtype=torch.long))
    config = {"batch": 2000, "dropped": 0.1, "holed_share": 0.6, "posed_share": 0.25, "closer_share": 0.3}
    batch = cache.batch(0, bucket, config, np.random.default_rng(1))
    assert batch.clean.shape == (2000, 4, 3, 2)
    assert float(batch.inpaint_cond.amax((1, 2, 3)).mean()) == pytest.approx(0.6, abs=0.04)
    assert float(1 - batch.words[:, 0].float().mean()) == pytest.approx(0.1, abs=0.03)
    without = batch.words[:, 0] == 0
    assert torch.equal(batch.nothing.all(1), without)
    assert (batch.meant[without] == -1).all() and (batch.meant[~without] == 2).all()
    assert batch.shares.shape == (2000, 13, 3, 2) and float(batch.shares.max()) == pytest.approx(0.2)
    assert batch.hints.shape == (500, 3, 24, 16)
    assert float(batch.hints.min()) == 1
    few = cache.batches(config | {"batch": 1}, 3)
    seen = [(float(one.clean.mean()), len(one.view)) for one, _ in zip(few, range(400), strict=False)]
    assert np.mean([value for value, _ in seen]) == pytest.approx(0.3, abs=0.07)
    assert set(seen) == {(0, 0), (1, 1)}  # each batch tells its view
