"""The Lagrange sampler as ComfyUI runs it: its first step, its sigmas, its settings, a split run."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.sampling import schedules
from recompose.core.sampling.lagrange import JUDGES, Settings
from recompose.core.sampling.noise_schedule import Kind, NoiseSchedule

FLOW = NoiseSchedule(Kind.FLOW)
KINDS = ["eps", "v", "flow", "video"]


@pytest.mark.parametrize("start", [0, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_with_nothing_known_and_no_fresh_noise_the_first_step_is_euler_s(
    kind: str, start: int, world: Callable, bridge: ModuleType
) -> None:
    this, free = world(kind), torch.ones_like(world(kind).mask)
    euler = importlib.import_module("comfy.samplers").sampler_object("euler")
    sigmas = this.sigmas(9)[start : start + 2]
    ours = this.run(bridge.Lagrange(Settings(eta=0.0)), sigmas, mask=free)
    assert torch.allclose(ours, this.run(euler, sigmas, mask=None), rtol=1e-5, atol=1e-5)


def asked(this: Any) -> list[float]:
    """Fills with the sigma of each call of the model."""
    levels: list[float] = []

    def wrapped(apply: Callable, given: dict) -> torch.Tensor:
        levels.append(float(given["timestep"][0]))
        return apply(given["input"], given["timestep"], **given["c"])

    this.model.set_model_unet_function_wrapper(wrapped)
    return levels


@pytest.mark.parametrize("denoise", [1.0, 0.4])
@pytest.mark.parametrize("kind", KINDS)
def test_inpaint_goes_through_the_model_s_own_levels_and_less_denoise_through_the_last_ones(
    kind: str, denoise: float, world: Callable, methods: dict
) -> None:
    this, count = world(kind), 12 if denoise == 1 else 30
    sampling = this.model.get_model_object("model_sampling")
    lowest, highest = float(sampling.sigma_min), float(sampling.sigma_max)
    every = (
        schedules.inpaint(FLOW, count, 0.03, 1.0)
        if kind in ("flow", "video")
        else schedules.inpaint(NoiseSchedule(Kind.VE), count, lowest, highest)
    )
    sigmas = torch.tensor(every[-13:])
    expected, levels = this.run(methods["Lagrange"].sampler, sigmas), asked(this)
    painted = methods["Lagrange"].paint(this, steps=12, scheduler="inpaint", denoise=denoise)["samples"]
    assert torch.equal(painted, expected)
    assert len(levels) == 12
    assert levels == pytest.approx(sigmas[:-1].tolist(), rel=1e-5)


@pytest.mark.parametrize("denoise", [1.0, 0.4])
@pytest.mark.parametrize("kind", KINDS)
def test_inpaint_scheduler_and_sampler_make_lagrange_inpaint(
    kind: str, denoise: float, world: Callable, methods: dict
) -> None:
    nodes, this = importlib.import_module("recompose.nodes.sampling"), world(kind)
    sigmas = nodes.InpaintScheduler.execute(this.model, 12, denoise).args[0]
    assert sigmas.device.type == "cpu" and len(sigmas) == 13 and sigmas[-1] == 0
    whole = methods["Lagrange"].paint(this, steps=12, scheduler="inpaint", denoise=denoise)["samples"]
    assert torch.equal(this.run(methods["Lagrange"].sampler, sigmas), whole)
    assert len(nodes.InpaintScheduler.execute(this.model, 12, 0.0).args[0]) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_inpaint_begins_at_the_model_s_noisiest_level_and_ends_above_its_least(
    kind: str, world: Callable
) -> None:
    nodes, this = importlib.import_module("recompose.nodes.sampling"), world(kind)
    sampling = this.model.get_model_object("model_sampling")
    found = nodes.InpaintScheduler.execute(this.model, 26, 1.0).args[0]
    assert float(found[0]) == pytest.approx(float(sampling.sigma_max), rel=1e-5)
    least = 0.03 / 1.03 if kind in ("flow", "video") else float(sampling.sigma_min)
    assert float(found[-2]) == pytest.approx(least, rel=1e-4)


def test_a_schedule_with_levels_far_apart_is_told_of(
    world: Callable, methods: dict, caplog: pytest.LogCaptureFixture
) -> None:
    """ComfyUI's normal has a step from 0.4 to 0.03 at its end; what is painted is then grainy."""
    for scheduler, told in (("normal", 1), ("ddim_uniform", 1), ("inpaint", 0), ("karras", 0)):
        caplog.clear()
        methods["Lagrange"].paint(world("eps"), scheduler=scheduler, steps=20)
        found = [text for text in caplog.messages if "times as much noise" in text]
        assert len(found) == told, (scheduler, found)
        assert all("scheduler inpaint" in text and "more steps" in text for text in found)


def test_the_settings_of_the_node_are_core_s(bridge: ModuleType) -> None:
    nodes = importlib.import_module("recompose.nodes.sampling")
    given = {"gain": 0.1, "momentum": 0.2, "eta": 0.3, "known_noise": 0.4}
    (made,) = nodes.LagrangeSampler.execute(**given).args
    assert made.settings == Settings(**given)
    (made,) = nodes.LagrangeSampler.execute(**given, judged_by="blend").args
    assert made.settings == Settings(**given, judged_by="blend")
    assert importlib.import_module("recompose.bridge.choices").JUDGES == JUDGES
    shown = {given.id: given.default for given in nodes.LagrangeSampler.define_schema().inputs}
    assert Settings(**shown) == Settings()


@pytest.mark.parametrize("change", [{"gain": 0.0}, {"momentum": 0.0}, {"eta": 0.0}, {"known_noise": 0.0}])
def test_each_setting_matters(change: dict, world: Callable, bridge: ModuleType) -> None:
    this = world("eps")
    plain, other = (this.run(bridge.Lagrange(Settings(**each)), this.sigmas(7)) for each in ({}, change))
    assert (other - plain).abs().mean() > 1e-3
    known = (this.mask == 0).expand_as(other)
    assert (other - this.latent)[known].abs().max() < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_what_guidance_does_to_known_cells_changes_nothing_before_guidance(
    kind: str, world: Callable, bridge: ModuleType
) -> None:
    this, heard = world(kind), []
    before = bridge.Lagrange(Settings(judged_by="positive"))
    after = bridge.Lagrange(Settings(judged_by="guided"))
    plain, guided = (this.run(each, this.sigmas(7)) for each in (before, after))

    def overdo(told: dict) -> torch.Tensor:
        heard.append(len(told["model_options"]["sampler_post_cfg_function"]))
        return torch.where(this.mask > 0, told["denoised"], 3 * told["denoised"])

    this.model.set_model_sampler_post_cfg_function(overdo)
    assert torch.equal(this.run(before, this.sigmas(7)), plain)
    assert not torch.allclose(this.run(after, this.sigmas(7)), guided)
    heard[:] = heard[:7]
    assert heard == [2] * 7 and len(this.model.model_options["sampler_post_cfg_function"]) == 1
    assert not torch.allclose(this.run(before, this.sigmas(7), cfg=1.0), plain)
    node, found = importlib.import_module("recompose.nodes.sampling").LagrangeInpaint, []
    assert [given.id for given in node.define_schema().inputs][-1] == "judged_by"
    for judge in JUDGES:
        sampler = bridge.Lagrange(Settings(judged_by=judge))
        found.append(this.run(sampler, this.sigmas(7)))
    assert (found[2] - found[0]).abs().max() > 1e-4 < (found[2] - found[1]).abs().max()


def test_a_guider_that_tells_nothing_is_taken_at_its_word(bridge: ModuleType) -> None:
    def guider(x: torch.Tensor, sigma: torch.Tensor, **_: object) -> torch.Tensor:
        return x / 2

    asked = bridge.Lagrange(Settings()).model_functions(guider, {}, 1)
    x = torch.ones(1, 4, 2, 2)
    assert torch.equal(asked["model"](x, torch.ones(1)), x / 2) and torch.equal(asked["unguided"](), x / 2)


@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_a_split_run_keeps_what_is_known_and_forgets_the_push(
    kind: str, world: Callable, bridge: ModuleType
) -> None:
    this, sampler = world(kind), bridge.Lagrange(Settings())
    sigmas, known = this.sigmas(12), (this.mask == 0).expand_as(this.latent)
    half = this.run(sampler, sigmas[:6])
    assert (half - this.latent)[known].abs().max() < 1e-6
    rest = this.run(sampler, sigmas[5:], latent=half, noise=torch.zeros_like(half))
    assert (rest - this.latent)[known].abs().max() < 1e-6
    assert (rest - this.run(sampler, sigmas))[~known].abs().max() > 1e-3
