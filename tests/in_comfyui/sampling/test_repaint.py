"""RePaint as ComfyUI runs it: what is known stays, core's samplers are special cases."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.fresh_noise import FreshNoise
from recompose.core.repaint import Settings
from torch import Tensor

KINDS = ["eps", "v", "inpaint", "flow", "video"]
PLAIN = Settings(1, 1, 0.0)


def free(world: Any) -> Tensor:
    return torch.ones_like(world.mask)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_stays_and_the_rest_is_painted(kind: str, world: Callable, bridge: ModuleType) -> None:
    this = world(kind)
    out = this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7))
    known = (this.mask == 0).expand_as(out)
    assert (out - this.latent)[known].abs().max() < 1e-6
    assert (out - this.latent)[~known].abs().min() > 0 and torch.isfinite(out).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_latent_known_everywhere_returns(kind: str, world: Callable, bridge: ModuleType) -> None:
    this = world(kind)
    out = this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7), mask=torch.zeros_like(this.mask))
    assert (out - this.latent).abs().max() < 1e-6


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
    stream = FreshNoise(5, this.latent)

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


def test_the_number_is_shown_below_the_node_before_the_first_call(
    world: Callable, bridge: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = importlib.import_module("comfy_execution.progress")
    context = importlib.import_module("comfy_execution.utils")
    this, said = world("eps"), []

    class Page:
        client_id, sockets_metadata = None, {}

        def send_progress_text(self, text: str, node: str) -> None:
            said.append((text, node, len(this.seen)))

        def send_sync(self, *_message: object) -> None:
            pass

    registry = progress.ProgressRegistry("prompt", None)
    registry.register_handler(progress.WebUIProgressHandler(Page()))
    monkeypatch.setattr(progress, "global_progress_registry", registry)
    with context.CurrentNodeContext("prompt", "12"):
        this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7))
    assert said == [("RePaint: 19 model calls in 7 steps", "12", 0)]


def test_it_stops_between_any_two_calls(world: Callable, bridge: ModuleType) -> None:
    this, management = world("eps"), importlib.import_module("comfy.model_management")
    heard: list[int] = []

    def stop(call: int, *_more: object) -> None:
        heard.append(call)
        management.interrupt_current_processing(call == 8)

    with pytest.raises(management.InterruptProcessingException):
        this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7), callback=stop)
    assert heard == list(range(9))
    management.interrupt_current_processing(False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_again_whatever_lies_beside_it(
    kind: str, world: Callable, bridge: ModuleType
) -> None:
    this, sampler = world(kind), bridge.RePaint(Settings(2, 3))
    sigmas, noise = this.sigmas(7), this.noise()
    both = this.run(sampler, sigmas)
    assert torch.equal(both, this.run(sampler, sigmas))
    alone = this.run(sampler, sigmas, latent=this.latent[:1], noise=noise[:1])
    assert (alone - both[:1]).abs().max() < 1e-5
    other = this.run(sampler, sigmas, seed=6, noise=noise)
    assert (other - both)[this.mask.expand_as(both) == 1].abs().mean() > 0.01


def test_the_global_random_state_is_left_alone(world: Callable, bridge: ModuleType) -> None:
    this, noise = world("eps"), torch.zeros(2, 4, 6, 5)
    sampler, sigmas = bridge.RePaint(Settings(2, 3)), this.sigmas(7)
    before = torch.get_rng_state()
    this.run(sampler, sigmas, noise=noise)
    assert torch.equal(before, torch.get_rng_state())


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


def test_a_soft_mask_is_strength(world: Callable, bridge: ModuleType) -> None:
    this, moved = world("eps"), []
    for value in (0.0, 0.05, 0.3, 0.7, 1.0):
        out = this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(9), mask=torch.full_like(this.mask, value))
        moved.append(float((out - this.latent).abs().mean()))
    assert moved == sorted(moved) and moved[0] < 1e-6 < moved[1]


def test_differential_diffusion_changes_the_mask_at_each_level(world: Callable, bridge: ModuleType) -> None:
    this = world("eps")
    levels: list[float] = []

    def change(sigma: Tensor, mask: Tensor, extra_options: dict) -> Tensor:
        levels.append(float(sigma[0]))
        assert extra_options["sigmas"].shape == (10,)
        return (mask >= 0.5).float()

    this.model.set_model_denoise_mask_function(change)
    out = this.run(bridge.RePaint(PLAIN), this.sigmas(9), mask=0.4 * free(this))
    assert (out - this.latent).abs().max() < 1e-6
    assert len(set(levels)) == 10


WRONG = {
    "no mask": ({"mask": None}, Settings(2, 2), None, ("mask", "Snap Mask to Latent")),
    "a schedule shorter than the jump": ({}, Settings(9, 2), None, ("9 steps", "7 steps", "jump_length")),
    "no step": ({}, Settings(2, 2), [14.0], ("no step",)),
    "sigmas that ascend": ({}, Settings(1, 2), [1.0, 2.0, 0.0], ("descend", "2 follows 1")),
    "sigmas that stand still": ({}, Settings(1, 2), [2.0, 2.0, 0.0], ("descend",)),
}


@pytest.mark.parametrize(("given", "settings", "sigmas", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_sampled_is_said_before_the_model_is_asked(
    given: dict, settings: Settings, sigmas: list | None, words: tuple, world: Callable, bridge: ModuleType
) -> None:
    this = world("eps")
    levels = this.sigmas(7) if sigmas is None else torch.tensor(sigmas)
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*\.$") as caught:
        this.run(bridge.RePaint(settings), levels, **given)
    assert all(word in str(caught.value) for word in words)
    assert this.seen == []


def test_nan_from_the_model_is_an_error(world: Callable, bridge: ModuleType) -> None:
    this = world("eps")
    this.model.model.diffusion_model.broken = True
    with pytest.raises(ValueError, match=r"NaN.*precision"):
        this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7))


def test_the_calls_are_told_where_the_sigmas_are_known(world: Callable, bridge: ModuleType) -> None:
    made, calls = bridge.sampler(Settings(4, 2), world("eps").sigmas(26))
    assert calls == 50 and made.settings == Settings(4, 2)
    _, blocked = bridge.sampler(Settings(4, 2), None)
    assert "sigmas" in blocked.message
    with pytest.raises(ValueError, match="jump_length"):
        bridge.sampler(Settings(4, 2), torch.tensor([2.0, 1.0, 0.0]))
