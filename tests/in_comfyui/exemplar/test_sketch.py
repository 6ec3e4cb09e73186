"""Paint by Sketch: twelve input channels, the layout of what is in them, the steps that see a sketch."""

from __future__ import annotations

import importlib
import json
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.exemplar.conftest import Published, layouts_of
from safetensors.torch import load_file, save_file
from torch import Tensor

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
PHOTO = torch.rand(1, 64, 128, 3, generator=torch.Generator().manual_seed(1))
REFERENCE = torch.rand(1, 40, 28, 3, generator=torch.Generator().manual_seed(2))
MASK = torch.zeros(1, 64, 128)
MASK[:, 11:37, 22:57] = 1
LINES = torch.zeros(1, 64, 128, 3)
LINES[:, 10:14, 20:60], LINES[:, :, 100:104] = 1, 1
NOISE = torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(3))


def loaded(published: Published, load: ModuleType, name: str, sketch: Tensor, **stated: Any) -> Any:
    """The small model with three more input channels of these weights."""
    root = published.folder.parents[1] / "checkpoints"
    held = load_file(root / layouts_of(published)["original"])
    held[FIRST] = torch.cat([held[FIRST], sketch.expand(len(held[FIRST]), 3, 3, 3)], 1).contiguous()
    stated = {"heads": 2, "tower_heads": 4, **stated}
    save_file(held, root / f"{name}.safetensors", {"recompose.exemplar": json.dumps(stated)})
    with torch.inference_mode():
        return load.load_exemplar(f"{name}.safetensors")


@pytest.fixture(scope="module")
def nine(published: Published, load: ModuleType) -> Any:
    with torch.inference_mode():
        return load.load_exemplar(layouts_of(published)["original"])


@pytest.fixture(scope="module")
def twelve(published: Published, load: ModuleType) -> Any:
    return loaded(published, load, "twelve", torch.full((1, 1, 1, 1), 0.3))


def inputs(module: ModuleType, model: Any, sketch: Tensor | None, **other: Any) -> Any:
    drawn = module.Sketch(sketch, **other)
    with torch.inference_mode():
        return module.condition(model[2], REFERENCE, PHOTO, MASK, model[1], "one per row", sketch=drawn)


def shown(model: Any, made: Any, steps: int, sampler: str = "euler", cfg: float = 3.0) -> list[Tensor]:
    """The sketch channels at each call of the network in a run."""
    samplers, sample = (importlib.import_module(f"comfy.{name}") for name in ("samplers", "sample"))
    found: list[Tensor] = []
    patcher = model[0].clone()
    network = patcher.model.diffusion_model
    handle = network.register_forward_pre_hook(lambda _, given: found.append(given[0][:, 9:].clone()))
    levels = samplers.calculate_sigmas(patcher.get_model_object("model_sampling"), "normal", steps)
    try:
        with torch.inference_mode():
            sample.sample_custom(
                patcher, NOISE, cfg, samplers.sampler_object(sampler), levels, made[0], made[1],
                torch.zeros_like(NOISE), noise_mask=made[2]["noise_mask"], disable_pbar=True, seed=1,
            )  # fmt: skip
    finally:
        handle.remove()
    return found


def sampled(model: Any, made: Any) -> Tensor:
    samplers, sample = (importlib.import_module(f"comfy.{name}") for name in ("samplers", "sample"))
    levels = samplers.calculate_sigmas(model[0].get_model_object("model_sampling"), "normal", 3)
    with torch.inference_mode():
        return sample.sample_custom(
            model[0], NOISE, 3.0, samplers.sampler_object("euler"), levels, made[0], made[1],
            torch.zeros_like(NOISE), noise_mask=None, disable_pbar=True, seed=1,
        )  # fmt: skip


def test_without_weights_for_it_a_sketch_changes_nothing(
    nine: Any, published: Published, load: ModuleType, conditioning: ModuleType
) -> None:
    silent = loaded(published, load, "silent", torch.zeros(1, 1, 1, 1))
    true = sampled(nine, inputs(conditioning, nine, None))
    assert torch.allclose(sampled(silent, inputs(conditioning, silent, LINES)), true, atol=1e-5)
    assert torch.allclose(sampled(silent, inputs(conditioning, silent, None)), true, atol=1e-5)


@pytest.mark.parametrize("antialias", [False, True])
def test_the_network_sees_lines_in_the_hole_in_its_last_channels(
    published: Published, load: ModuleType, conditioning: ModuleType, antialias: bool
) -> None:
    model = loaded(published, load, f"with_{antialias}", torch.ones(1, 1, 1, 1), antialias=antialias)
    made = inputs(conditioning, model, LINES)
    keep = 1 - made[2]["noise_mask"].repeat_interleave(8, 2).repeat_interleave(8, 3)
    true = 2 * LINES[..., 0][:, None] * (1 - keep) - 1
    true = torch.nn.functional.interpolate(true, (8, 16), mode="bilinear", antialias=antialias)
    for each in shown(model, made, 2):
        assert torch.allclose(each, true.expand(len(each), 3, 8, 16), atol=1e-6)


@pytest.mark.parametrize(("until", "after", "value"), [(0.5, "grey", 0.0), (0.25, "blank", -1.0)])
def test_the_sketch_is_seen_in_the_first_steps_of_fifty(
    twelve: Any, conditioning: ModuleType, until: float, after: str, value: float
) -> None:
    found = shown(twelve, inputs(conditioning, twelve, LINES, until=until, after=after), 50, cfg=1.0)
    count = int(50 * until)
    assert len(found) == 50
    assert all(bool((each > 0).any()) for each in found[:count])
    assert all(torch.equal(each, torch.full_like(each, value)) for each in found[count:])


def test_the_calls_between_two_steps_belong_to_the_first(twelve: Any, conditioning: ModuleType) -> None:
    found = shown(twelve, inputs(conditioning, twelve, LINES, until=0.5), 4, "heun", 1.0)
    lines = [bool((each > 0).any()) for each in found]
    # Heun's second call of the second step is at the level where the third begins.
    assert lines == [True, True, True, False, False, False, False]


def test_each_sketch_makes_a_row(twelve: Any, conditioning: ModuleType) -> None:
    made = inputs(conditioning, twelve, torch.cat([LINES, LINES.flip(1), 0 * LINES]))
    assert len(made[2]["samples"]) == 3 and made[0][0][1]["recompose_sketch"].shape == (3, 3, 8, 16)


def test_what_cannot_be_used_is_explained_in_one_sentence(
    nine: Any, twelve: Any, conditioning: ModuleType
) -> None:
    with pytest.raises(ValueError, match="takes no sketch; load one of Paint by Sketch"):
        inputs(conditioning, nine, LINES)
    with pytest.raises(ValueError, match="the sketch is 128×60 px and the photo 128×64 px"):
        inputs(conditioning, twelve, LINES[:, :60])
    from recompose.bridge import notices

    with notices.collect() as found:
        inputs(conditioning, twelve, None)
    assert "takes a sketch and there is none" in str(found.ui())
