"""RePaint as ComfyUI runs it: core's samplers are special cases, jumps are told of, runs may be split."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.sampling.noise_sampler import NoiseSampler
from recompose.core.sampling.repaint import Settings
from torch import Tensor

PLAIN = Settings(1, 1, 0.0)


def free(world: Any) -> Tensor:
    return torch.ones_like(world.mask)


@pytest.mark.parametrize("scheduler", ["normal", "karras", "simple"])
@pytest.mark.parametrize("kind", ["eps", "v", "flow", "video"])
def test_with_nothing_known_it_is_euler_bit_for_bit(
    kind: str, scheduler: str, world: Callable, bridge: ModuleType
) -> None:
    this = world(kind)
    euler = importlib.import_module("comfy.samplers").sampler_object("euler")
    sigmas = this.sigmas(9, scheduler)
    ours = this.run(bridge.RePaint(PLAIN), sigmas, mask=free(this))
    assert torch.equal(ours, this.run(euler, sigmas, mask=None))
    assert torch.equal(ours, this.run(euler, sigmas, mask=free(this)))


@pytest.mark.parametrize("eta", [0.4, 1.0])
@pytest.mark.parametrize("kind", ["eps", "v", "flow", "video"])
def test_with_nothing_known_and_fresh_noise_it_is_euler_ancestral(
    kind: str, eta: float, world: Callable, bridge: ModuleType
) -> None:
    this, samplers = world(kind), importlib.import_module("comfy.samplers")
    stream = NoiseSampler(5, this.latent)

    def noise(_sigma: Tensor, below: Tensor) -> Tensor:
        return stream(float(below), 0)

    options = {"eta": eta, "noise_sampler": noise}
    theirs = this.run(samplers.ksampler("euler_ancestral", options), this.sigmas(9), mask=None)
    ours = this.run(bridge.RePaint(Settings(1, 1, eta)), this.sigmas(9), mask=free(this))
    assert (ours - theirs).abs().max() < 1e-5


def test_the_model_is_asked_between_core_s_patches_and_told_of(
    world: Callable, bridge: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    this = world("eps")
    calls: list[float] = []

    def wrapped(apply: Callable, given: dict) -> Tensor:
        calls.append(float(given["timestep"][0]))
        return apply(given["input"], given["timestep"], **given["c"])

    this.model.set_model_unet_function_wrapper(wrapped)
    with caplog.at_level(logging.INFO, "recompose"):
        this.run(bridge.RePaint(Settings(4, 2)), this.sigmas(26))
    assert this.seen == [(call, 50) for call in range(50)]
    assert len(calls) == 50 and len(set(calls)) == 26
    assert "RePaint: 50 model calls in 26 steps" in caplog.messages


@pytest.mark.parametrize("kind", ["eps", "v", "flow", "video"])
def test_split_sigmas_give_the_whole_where_no_jump_crosses_the_split(
    kind: str, world: Callable, bridge: ModuleType
) -> None:
    this, nothing = world(kind), torch.zeros_like(world(kind).latent)
    sigmas = this.sigmas(12)
    for whole, first, second, split in [
        (Settings(1, 1), Settings(1, 1), Settings(1, 1), 5),
        # Above the split the whole has the first part's jumps, below none.
        (Settings(3, 2, end=0.5), Settings(3, 2), Settings(1, 1), 6),
    ]:
        half = this.run(bridge.RePaint(first), sigmas[: split + 1])
        rest = this.run(bridge.RePaint(second), sigmas[split:], latent=half, noise=nothing)
        assert (rest - this.run(bridge.RePaint(whole), sigmas)).abs().max() < 1e-5


def test_the_calls_are_told_where_the_sigmas_are_known(world: Callable, bridge: ModuleType) -> None:
    made, calls = bridge.sampler(Settings(4, 2), world("eps").sigmas(26))
    assert calls == 50 and made.settings == Settings(4, 2)
    _, blocked = bridge.sampler(Settings(4, 2), None)
    assert "sigmas" in blocked.message
    with pytest.raises(ValueError, match="jump_length"):
        bridge.sampler(Settings(4, 2), torch.tensor([2.0, 1.0, 0.0]))


def test_a_schedule_shorter_than_the_jump_is_refused_before_the_model_is_asked(
    world: Callable, bridge: ModuleType
) -> None:
    this = world("eps")
    with pytest.raises(ValueError, match=r"^A jump goes back 9 steps.*7 steps.*jump_length") as caught:
        this.run(bridge.RePaint(Settings(9, 2)), this.sigmas(7))
    assert "\n" not in str(caught.value) and this.seen == []


@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_a_better_preset_keeps_no_less_of_what_denoise_keeps(
    kind: str, world: Callable, methods: dict
) -> None:
    """Nothing is known, all is kept: with jumps as without the result is as near to where it came from."""
    this, off = world(kind), []
    for resamplings in (1, 3, 6):
        preset = {
            **methods["RePaint"].inputs["preset"],
            "steps": 24,
            "jump_length": 6,
            "resamplings": resamplings,
        }
        painted = methods["RePaint"].paint(
            this, preset=preset, latent={"noise_mask": free(this)}, denoise=0.3
        )
        off.append(float((painted["samples"] - this.latent).square().mean().sqrt()))
    assert max(off) < 1.25 * off[0], off


@pytest.mark.parametrize("name", ["EasyCacheNode", "LazyCacheNode"])
@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_core_s_caches_work_with_jumps(name: str, kind: str, world: Callable, bridge: ModuleType) -> None:
    node = getattr(importlib.import_module("comfy_extras.nodes_easycache"), name)
    this = world(kind)
    plain = this.run(bridge.RePaint(Settings(4, 3)), this.sigmas(14))
    this.model = node.execute(this.model, 1e-9, 0.15, 0.95, False).args[0]
    assert torch.allclose(this.run(bridge.RePaint(Settings(4, 3)), this.sigmas(14)), plain, atol=1e-4)
    this.model = node.execute(this.model, 0.5, 0.15, 0.95, False).args[0]
    assert torch.isfinite(this.run(bridge.RePaint(Settings(4, 3)), this.sigmas(14))).all()


def test_keyframes_of_hooks_follow_the_jumps(world: Callable, bridge: ModuleType) -> None:
    """The weights at each call are those of the keyframe for its sigma, up and down."""
    this, hooks = world("eps"), importlib.import_module("comfy.hooks")
    layer = this.model.model.diffusion_model.layer
    before, heard = layer.weight.detach().clone(), []
    group, hook, frames = hooks.HookGroup(), hooks.WeightHook(), hooks.HookKeyframeGroup()
    hook.need_weight_init = False
    hook.weights = {"diffusion_model.layer.weight": ("diff", (torch.full_like(before, 0.1),))}
    for strength, start in ((1.0, 0.0), (0.5, 0.4), (0.2, 0.7)):
        frames.add(hooks.HookKeyframe(strength=strength, start_percent=start))
    hook.hook_keyframe = frames
    group.add(hook)
    this.positive = [[this.positive[0][0], {"hooks": group}]]

    def wrapped(apply: Callable, given: dict) -> Tensor:
        heard.append((float(given["timestep"][0]), float((layer.weight - before).mean()) / 0.1))
        return apply(given["input"], given["timestep"], **given["c"])

    this.model.set_model_unet_function_wrapper(wrapped)
    this.run(bridge.RePaint(Settings(4, 3)), this.sigmas(14), cfg=1.0)
    starts = [frame.start_t for frame in frames.keyframes]
    assert {round(strength, 3) for _, strength in heard} == {1.0, 0.5, 0.2}
    for sigma, strength in heard:
        at = max(index for index, start in enumerate(starts) if not index or start >= sigma)
        assert strength == pytest.approx(frames.keyframes[at].strength, abs=1e-3), sigma
