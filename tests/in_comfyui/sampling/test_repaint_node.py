"""RePaint all in one: presets, schedulers, and the jumps that it refuses."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from recompose.core.sampling.repaint import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_settings(name: str, world: Callable, bridge: ModuleType, methods: dict) -> None:
    this, (steps, settings) = world("eps"), PRESETS[name]
    expected = this.run(bridge.RePaint(settings), this.sigmas(steps))
    assert torch.equal(methods["RePaint"].paint(this, preset={"preset": name})["samples"], expected)


@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_every_scheduler_of_core_s_can_be_used(kind: str, world: Callable, methods: dict) -> None:
    this = world(kind)
    for scheduler in importlib.import_module("comfy.samplers").SCHEDULER_NAMES:
        for name in PRESETS:
            out = methods["RePaint"].paint(this, preset={"preset": name}, scheduler=scheduler)["samples"]
            assert torch.isfinite(out).all(), (scheduler, name)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"jump_length": 7}, ("7 steps", "jump_length")), ({"steps": 0}, ("steps", "from 1"))],
)
def test_what_has_no_jump_or_no_step_is_refused(
    change: dict, words: tuple, world: Callable, methods: dict
) -> None:
    repaint = methods["RePaint"]
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*\.$") as caught:
        repaint.paint(world("eps"), preset={**repaint.inputs["preset"], **change})
    assert all(word in str(caught.value) for word in words), caught.value
