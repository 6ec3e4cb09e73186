"""Mutual Attention in transformers that join words and picture: Flux, Qwen-Image, Z-Image, SD3."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor

NAMES = list(models.JOINT)
PICTURE = 64  # tokens


@pytest.fixture(scope="module", params=NAMES)
def world(request: pytest.FixtureRequest, comfy: ModuleType) -> models.World:
    return models.joint(request.param)


def words(world: models.World, seed: int, length: int, rows: int = 1, **more: Any) -> list:
    return [[world.prompt(seed, length, rows)[0][0], {**world.prompt(seed, length, rows)[0][1], **more}]]


@pytest.mark.parametrize("given", models.MODES.values(), ids=models.MODES)
@pytest.mark.parametrize("lengths", [(24, 24), (20, 37)], ids=["equal lengths", "a longer negative"])
def test_the_source_row_is_the_same_to_the_bit_and_the_target_changes(
    given: dict, lengths: tuple[int, int], world: models.World, mutual: Callable
) -> None:
    prompts = words(world, 1, lengths[0], 2), words(world, 2, lengths[1])
    plain = world.run(None, *prompts)
    out = world.run(mutual(world.model, layers="all", **given), *prompts)
    assert torch.equal(out[0], plain[0])
    assert (out[1] - plain[1]).abs().max() > 0.004 * plain.std()
    assert torch.equal(world.run(None, *prompts), plain)


def test_equal_prompts_give_equal_rows(world: models.World, mutual: Callable) -> None:
    prompts = words(world, 1, 24), words(world, 2, 24)
    out = world.run(mutual(world.model, layers="all"), *prompts)
    assert torch.equal(out[0], out[1])
    out = world.run(mutual(world.model, layers="all", mode="union"), *prompts)
    # Only the picture's keys come twice, so that the words weigh less: close, not equal.
    assert not torch.equal(out[0], out[1])


def test_no_step_changes_nothing_and_masks_over_everything_are_replace(
    world: models.World, mutual: Callable
) -> None:
    prompts = words(world, 1, 24, 2), words(world, 2, 24)
    plain = world.run(None, *prompts)
    assert torch.equal(world.run(mutual(world.model, layers="all", steps="9-"), *prompts), plain)
    full = torch.ones(1, 128, 128)
    masked = {"mode": "masked", "mask_source": full, "mask_target": full}
    out = world.run(mutual(world.model, layers="all", **masked), *prompts)
    replace = world.run(mutual(world.model, layers="all"), *prompts)
    assert (out - replace).abs().max() < 1e-4 * replace.std()


@pytest.mark.parametrize("world", ["Flux", "Qwen-Image", "Z-Image"], indirect=True)
@pytest.mark.parametrize("given", models.MODES.values(), ids=models.MODES)
def test_only_the_picture_is_taken_from_the_source_beside_reference_latents(
    given: dict, world: models.World, mutual: Callable
) -> None:
    reference = torch.randn(1, 16, *world.size[:-2], 8, 12, generator=torch.Generator().manual_seed(6))
    prompts = [words(world, seed, 24, rows, reference_latents=[reference]) for seed, rows in ((1, 2), (2, 1))]
    plain = world.run(None, *prompts)
    out = world.run(mutual(world.model, layers="all", **given), *prompts)
    assert torch.equal(out[0], plain[0])
    assert (out[1] - plain[1]).abs().max() > 0.004 * plain.std()
    if given["mode"] == "replace":
        counted = world.run(by_counting(world, after=0 if "Lumina" in kind(world) else 24), *prompts)
        assert torch.equal(out, counted)


def kind(world: models.World) -> str:
    return type(world.model.model).__name__


def by_counting(world: models.World, after: int = 0, layers: range | None = None) -> Any:
    """The same for all layers, by where an attention call stands among those of one call of the network."""
    refiners = 4 if "Lumina" in kind(world) else 0
    calls = [0]
    model = world.model.clone()

    def override(
        function: Callable[..., Tensor], q: Tensor, k: Tensor, v: Tensor, *more: Any, **named: Any
    ) -> Tensor:
        number, calls[0] = calls[0], calls[0] + 1
        if number >= refiners and (layers is None or number in layers):
            end = k.shape[-2] - after
            k, v = k.clone(), v.clone().flatten(2) if "SD3" in kind(world) else v.clone()
            for each in (k, v):
                each[1::2, ..., end - PICTURE : end, :] = each[::2, ..., end - PICTURE : end, :]
        return function(q, k, v, *more, **named)

    def start(executor: Any, *given: Any, **named: Any) -> Any:
        calls[0] = 0
        return executor(*given, **named)

    kinds = importlib.import_module("comfy.patcher_extension").WrappersMP
    model.add_wrapper_with_key(kinds.APPLY_MODEL, "count", start)
    model.model_options["transformer_options"]["optimized_attention_override"] = override
    return model


def test_it_is_what_counting_the_calls_gives(world: models.World, mutual: Callable) -> None:
    """Refiners come first, words first, and SD3 has a second attention in some of its blocks."""
    prompts = words(world, 1, 24, 2), words(world, 2, 24)
    out = world.run(mutual(world.model, layers="all"), *prompts)
    assert torch.equal(out, world.run(by_counting(world), *prompts))


def test_one_layer_is_the_one_of_that_number(world: models.World, mutual: Callable) -> None:
    prompts = words(world, 1, 24, 2), words(world, 2, 24)
    first = {"SD3": range(0, 2), "Lumina2": range(4, 5)}.get(kind(world), range(0, 1))
    last = {"SD3": range(2, 3), "Lumina2": range(6, 7), "Flux": range(4, 5)}.get(kind(world), range(2, 3))
    for text, calls in (("0", first), ("-1", last)):
        out = world.run(mutual(world.model, layers=text), *prompts)
        assert torch.equal(out, world.run(by_counting(world, layers=calls), *prompts))


@pytest.mark.parametrize("world", ["Flux", "Qwen-Image"], indirect=True)
def test_it_is_what_a_patch_before_the_positions_gives(world: models.World, mutual: Callable) -> None:
    """Rotating queries and keys comes after such a patch; every row has the same positions."""
    prompts = words(world, 1, 24, 2), words(world, 2, 24)
    model = world.model.clone()

    def swap(q: Tensor, k: Tensor, v: Tensor, extra_options: dict, **_more: Any) -> dict:
        start, end = extra_options["img_slice"]
        k, v = k.clone(), v.clone()
        for each in (k, v):
            each[1::2, :, start:end] = each[::2, :, start:end]
        return {"q": q, "k": k, "v": v}

    model.set_model_attn1_patch(swap)
    assert torch.equal(world.run(mutual(world.model, layers="all"), *prompts), world.run(model, *prompts))


@pytest.mark.parametrize("world", ["Qwen-Image"], indirect=True)
@pytest.mark.parametrize("given", models.MODES.values(), ids=models.MODES)
def test_prompts_of_unequal_lengths_are_rows_of_qwen_image(
    given: dict, world: models.World, mutual: Callable
) -> None:
    rows = importlib.import_module("recompose.bridge.attention.rows").rows
    short, long = words(world, 1, 20), words(world, 3, 31)
    prompt = rows([short, long], "", "", model=world.model)[0]
    out = world.run(None, prompt)
    for number, each in enumerate((short, long)):
        alone = world.run(None, each)[number]
        assert (out[number] - alone).abs().max() < 1e-4 * alone.std()
    patched = world.run(mutual(world.model, layers="all", **given), prompt)
    assert torch.equal(patched[0], out[0]) and not torch.equal(patched[1], out[1])


@pytest.mark.parametrize("world", ["Flux", "Z-Image", "SD3"], indirect=True)
def test_prompts_of_unequal_lengths_are_refused_where_padding_would_count(world: models.World) -> None:
    rows = importlib.import_module("recompose.bridge.attention.rows").rows
    with pytest.raises(ValueError, match=r"^Rows: .* 20, 31 tokens .* this model cannot skip padding: .*\.$"):
        rows([words(world, 1, 20), words(world, 3, 31)], "", "", model=world.model)


@pytest.mark.parametrize("world", ["Qwen-Image", "Z-Image", "SD3", "Flux"], indirect=True)
def test_where_no_layers_are_published_they_must_be_chosen(world: models.World, mutual: Callable) -> None:
    with pytest.raises(ValueError, match=r"^Mutual Attention: layers must be chosen .* layers 0 to \d.*\.$"):
        mutual(world.model)


def test_flux_of_19_and_38_blocks_has_published_layers(comfy: ModuleType) -> None:
    blocks = importlib.import_module("recompose.bridge.attention.blocks")
    network = blocks.joint(blocks.JOINT, {"double": 19, "single": 38}, 2)
    ranges = importlib.import_module("recompose.core.attention.ranges")
    chosen = ranges.chosen(network.default, len(network.layers), "layers")
    assert [network.layers[number][:2] for number in chosen] == [
        *(("double", number) for number in (0, 1, 17, 18)),
        *(("single", number) for number in (6, 9, 34, 35, 37)),
    ]


def test_another_override_is_called_with_what_was_swapped(world: models.World, mutual: Callable) -> None:
    """There is one slot for attention of another kind; it is chained, whichever node came first."""
    prompts = words(world, 1, 24, 2), words(world, 2, 24)
    seen: list[int] = []

    def override(function: Callable[..., Tensor], *given: Any, **named: Any) -> Tensor:
        seen.append(1)
        return 0.5 * function(*given, **named)

    def with_it(model: Any) -> Any:
        model = model.clone()
        model.model_options["transformer_options"]["optimized_attention_override"] = override
        return model

    patch = partial(mutual, layers="all")
    first, last = patch(with_it(world.model)), with_it(patch(world.model))
    outs = [world.run(model, *prompts, cfg=1.0) for model in (with_it(world.model), first, last)]
    assert torch.equal(outs[1], outs[2]) and torch.equal(outs[0][0], outs[1][0])
    assert not torch.equal(outs[0][1], outs[1][1]) and len(seen) % 3 == 0
