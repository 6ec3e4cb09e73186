"""What guides and patches a model does the same to RePaint as to core's Euler, bit for bit."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.sampling.repaint import Settings
from torch import Tensor

PLAIN = Settings(1, 1, 0.0)


def lora(this: Any) -> None:
    """Small random weights of rank 2 on the network's layer, as a LoRA file holds them."""
    layer = this.model.model.diffusion_model.layer.weight
    generator = torch.Generator().manual_seed(3)
    up = 0.2 * torch.randn(len(layer), 2, generator=generator)
    down = 0.2 * torch.randn(2, layer[0].numel(), generator=generator)
    key = "diffusion_model.layer.weight"
    loaded = importlib.import_module("comfy.lora").load_lora(
        {"a.lora_up.weight": up, "a.lora_down.weight": down}, {"a": key}
    )
    assert this.model.add_patches(loaded, 0.8) == [key]


def area(this: Any) -> None:
    """Other words in the upper left corner, at half strength, and some in the last part of the steps only."""
    other = torch.full((1, 3, 4), 0.9)
    this.positive = [
        *this.positive,
        [other, {"area": (4, 3, 1, 1), "strength": 0.5}],
        [other * 2, {"start_percent": 0.5, "end_percent": 1.0}],
    ]


def masked_words(this: Any) -> None:
    """Words that hold on a part of the picture, by a soft mask."""
    mask = torch.linspace(0, 1, 5).expand(1, 6, 5).clone()
    this.positive = [*this.positive, [torch.full((1, 3, 4), -0.8), {"mask": mask, "mask_strength": 1.0}]]


def patches(this: Any) -> None:
    """What other packs set: before and after guidance, in its place, and around the network."""
    this.model.set_model_sampler_cfg_function(
        lambda given: given["uncond"] + 0.7 * given["cond_scale"] * (given["cond"] - given["uncond"])
    )
    this.model.set_model_sampler_post_cfg_function(lambda given: given["denoised"] * 0.98)
    this.model.set_model_unet_function_wrapper(
        lambda apply, given: apply(given["input"], given["timestep"], **given["c"]) * 1.01
    )


def control(this: Any) -> None:
    """A control network that adds to what the network is told, at half of the noise levels."""
    base = importlib.import_module("comfy.controlnet").ControlBase

    class Control(base):
        def get_control(self, x: Tensor, step: Tensor, cond: dict, batched: int, _options: dict) -> dict:
            return {"output": [0.1 * torch.tanh(x) * self.strength], "middle": [], "input": []}

        def get_models(self) -> list:
            return []

        def copy(self) -> Control:
            made = Control()
            self.copy_to(made)
            return made

    for words in (this.positive, this.negative):
        made = Control()
        made.strength, made.timestep_percent_range = 0.7, (0.0, 0.6)
        words[0][1] |= {"control": made, "control_apply_to_uncond": False}


CHANGES = {
    "cfg": lambda _this: None,
    "LoRA": lora,
    "area": area,
    "masked words": masked_words,
    "patches": patches,
    "control": control,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["eps", "v", "flow", "video"])
def test_with_nothing_known_it_is_euler_under_what_changes_a_model(
    kind: str, change: str, world: Callable, bridge: ModuleType
) -> None:
    euler = importlib.import_module("comfy.samplers").sampler_object("euler")
    plain, this = world(kind), world(kind)
    CHANGES[change](this)
    free = torch.ones_like(this.mask)
    cfg = 4.5
    ours = this.run(bridge.RePaint(PLAIN), this.sigmas(9), mask=free, cfg=cfg)
    assert torch.equal(ours, this.run(euler, this.sigmas(9), mask=None, cfg=cfg))
    before = plain.run(bridge.RePaint(PLAIN), plain.sigmas(9), mask=free, cfg=1.0 if change == "cfg" else cfg)
    assert (ours - before).abs().max() > 1e-3  # the change is no empty one


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_known_stays_under_what_changes_a_model(
    change: str, world: Callable, bridge: ModuleType
) -> None:
    this = world("eps")
    CHANGES[change](this)
    out = this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7))
    known = (this.mask == 0).expand_as(out)
    assert (out - this.latent)[known].abs().max() < 1e-6 < (out - this.latent)[~known].abs().min()


@pytest.mark.parametrize("stop", range(19))
def test_it_stops_after_each_call(stop: int, world: Callable, bridge: ModuleType) -> None:
    this, management = world("eps"), importlib.import_module("comfy.model_management")
    asked: list[int] = []

    def hear(call: int, *_more: object) -> None:
        asked.append(call)
        if call == stop:
            management.interrupt_current_processing(True)

    try:
        with pytest.raises(management.InterruptProcessingException):
            this.run(bridge.RePaint(Settings(2, 3)), this.sigmas(7), callback=hear)
    finally:
        management.interrupt_current_processing(False)
    assert asked == list(range(stop + 1))
