"""Record Attention in transformers that join words and picture: Flux, Qwen-Image, Z-Image, SD3."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor

GRID = (8, 8)  # tokens of the picture
LENGTHS = [(24, 24), (20, 37)]
# How many layers each of the small networks has, and the parts that they make.
GROUPS = {
    "Flux": [("double", (0, 1)), ("single", (2, 3, 4))],
    "Qwen-Image": [("all", (0, 1, 2))],
    "Z-Image": [("all", (0, 1, 2))],
    "SD3": [("all", (0, 1))],
}


@pytest.fixture(scope="module", params=list(models.JOINT))
def world(request: pytest.FixtureRequest, comfy: ModuleType) -> models.World:
    found = models.joint(request.param)
    found.name = request.param
    return found


@pytest.fixture
def record(comfy: ModuleType) -> Callable[..., Any]:
    def recorded(model: Any, detail: str = "all together", steps: str = "", layers: str = "") -> Any:
        recorder = importlib.import_module("recompose.bridge.attention.recorder")
        return recorder.record(model, detail, steps, layers)

    return recorded


def words(world: models.World, seed: int, length: int, rows: int = 1, **more: Any) -> list:
    ((found, extra),) = world.prompt(seed, length, rows)
    return [[found, {**extra, **more}]]


def softmax_by_hand(q: Tensor, k: Tensor, heads: int, apart: bool, mask: Tensor | None) -> Tensor:
    """The probabilities of all tokens, mean over heads, with each head written out."""
    if not apart:
        q, k = (each.reshape(*each.shape[:2], heads, -1).transpose(1, 2) for each in (q, k))
    total = torch.zeros(len(q), q.shape[2], k.shape[2])
    for head in range(heads):
        scores = torch.einsum("bnd,bkd->bnk", q[:, head], k[:, head]) / q.shape[-1] ** 0.5
        total += torch.softmax(scores if mask is None else scores + mask, -1)
    return total / heads


def by_hand(
    world: models.World, prompt: list, after: int = 0, first: int = 0, **given: Any
) -> list[list[Tensor]]:
    """For each call of the network what each layer's picture got of the words, rows, height, width, columns.

    Layers are told by the order of the attention calls; `after` tokens come after the picture, the words
    begin at `first`. What all words and the whole picture got is checked to be 1.
    """
    calls: list[list[Tensor]] = []
    refiners = 4 if world.name == "Z-Image" else 0
    count, length = GRID[0] * GRID[1], prompt[0][0].shape[1]

    def override(
        function: Callable[..., Tensor], q: Tensor, k: Tensor, v: Tensor, heads: int, *more: Any, **named: Any
    ) -> Tensor:
        mask = more[0] if more else named.get("mask")
        found = softmax_by_hand(q, k, heads, named.get("skip_reshape", False), mask)
        assert (found.sum(-1) - 1).abs().max() < 1e-5
        end = found.shape[1] - after
        calls[-1].append(found[:, end - count : end, first : first + length].reshape(len(q), *GRID, -1))
        return function(q, k, v, heads, *more, **named)

    def start(executor: Any, *more: Any, **named: Any) -> Any:
        calls.append([])
        return executor(*more, **named)

    model = world.model.clone()
    kinds = importlib.import_module("comfy.patcher_extension").WrappersMP
    model.add_wrapper_with_key(kinds.APPLY_MODEL, "by hand", start)
    model.model_options["transformer_options"]["optimized_attention_override"] = override
    world.run(model, prompt, cfg=1.0, **given)
    if world.name == "SD3":  # its first block attends to the picture alone, too
        return [[each[0], each[2]] for each in calls]
    return [each[refiners:] for each in calls]


@pytest.mark.parametrize("cfg", [1.0, 4.0])
@pytest.mark.parametrize("lengths", LENGTHS, ids=["equal lengths", "a longer negative"])
def test_the_picture_is_the_same_to_the_bit(
    lengths: tuple[int, int], cfg: float, world: models.World, record: Callable
) -> None:
    prompts = words(world, 1, lengths[0], 2), words(world, 2, lengths[1])
    model, records = record(world.model)
    plain, out = (world.run(each, *prompts, cfg=cfg) for each in (world.model, model))
    assert torch.equal(plain, out) and len(records.held) == 1
    assert torch.equal(records.held[0].result, out)
    assert torch.equal(world.run(None, *prompts, cfg=cfg), plain)


@pytest.mark.parametrize("length", [24, 32, 37])
def test_maps_are_the_softmax_written_out(length: int, world: models.World, record: Callable) -> None:
    prompt = words(world, 1, length, 2)
    expected = by_hand(world, prompt, steps=3)
    model, records = record(world.model, "each layer and step")
    world.run(model, prompt, words(world, 2, 30), steps=3, cfg=1.0)
    (found,) = records.held[0].prompts
    layers = len(expected[0])
    assert [(part.layers, part.step) for part in found.parts] == [
        ((n,), s) for s in range(3) for n in range(layers)
    ]
    for part in found.parts:
        assert part.count == 1 and part.size == GRID
        assert (part.sums - expected[part.step][part.layers[0]]).abs().max() < 1e-5
        assert part.sums.sum(-1).min() > 0 and part.sums.sum(-1).max() < 1


def test_groups_of_layers_are_added_up(world: models.World, record: Callable) -> None:
    prompt = words(world, 1, 24, 2)
    expected = by_hand(world, prompt, steps=2)
    model, records = record(world.model)
    world.run(model, prompt, cfg=1.0, steps=2)
    parts = records.held[0].prompts[0].parts
    assert [(part.where, part.layers) for part in parts] == GROUPS[world.name]
    for part in parts:
        total = sum(call[layer] for call in expected for layer in part.layers)
        assert part.count == 2 * len(part.layers) and (part.sums - total).abs().max() < 1e-5


@pytest.mark.parametrize("length", [24, 37])
def test_guidance_records_the_prompt_only(length: int, world: models.World, record: Callable) -> None:
    """In one batch with the negative if that is as long, else in a call of its own."""
    found = []
    for cfg in (1.0, 4.0):
        model, records = record(world.model)
        world.run(model, words(world, 1, 24), words(world, 2, length), steps=1, cfg=cfg)
        (prompt,) = records.held[0].prompts
        found.append(prompt.parts)
    for first, second in zip(*found, strict=True):
        assert first.count == second.count and (first.sums - second.sums).abs().max() < 1e-5


@pytest.mark.parametrize("world", ["Flux", "Qwen-Image"], indirect=True)
def test_reference_pictures_have_no_maps(world: models.World, record: Callable) -> None:
    """They come after the picture: other pictures' tokens, that take their share of the attention."""
    reference = torch.randn(1, 16, *world.size[:-2], 8, 12, generator=torch.Generator().manual_seed(6))
    prompt = words(world, 1, 24, 2, reference_latents=[reference])
    expected = by_hand(world, prompt, after=24, steps=1)
    model, records = record(world.model, "each layer")
    world.run(model, prompt, cfg=1.0, steps=1)
    for part in records.held[0].prompts[0].parts:
        assert (part.sums - expected[0][part.layers[0]]).abs().max() < 1e-5
    assert torch.equal(world.run(model, prompt), world.run(None, prompt))


@pytest.mark.parametrize("world", ["Z-Image"], indirect=True)
@pytest.mark.parametrize(("texts", "first"), [((), 32), ((9,), 32), ((40, 5), 64), ((40, 5, 7), 64)], ids=str)
def test_the_texts_of_reference_pictures_come_before_those_of_z_image(
    texts: tuple[int, ...], first: int, world: models.World, record: Callable
) -> None:
    reference = torch.randn(1, 16, 8, 12, generator=torch.Generator().manual_seed(6))
    more: dict[str, Any] = {"reference_latents": [reference]}
    if texts:
        more["reference_latents_text_embeds"] = [world.prompt(9, length)[0][0] for length in texts]
    prompt = words(world, 1, 24, **more)
    expected = by_hand(world, prompt, first=first, steps=1, rows=1)
    model, records = record(world.model, "each layer")
    world.run(model, prompt, cfg=1.0, steps=1, rows=1)
    (found,) = records.held[0].prompts
    for part in found.filled:
        assert (part.sums - expected[0][part.layers[0]]).abs().max() < 1e-5
    assert len(found.filled) == 3


@pytest.mark.parametrize("world", ["Qwen-Image"], indirect=True)
def test_padding_that_is_masked_takes_no_share(world: models.World, record: Callable) -> None:
    rows = importlib.import_module("recompose.bridge.attention.rows").rows
    alone = []
    for row, (seed, length) in enumerate(((1, 20), (3, 31))):
        model, records = record(world.model)
        world.run(model, words(world, seed, length), steps=1, cfg=1.0)
        alone.append([part.sums[row] for part in records.held[0].prompts[0].parts])
    both = rows([words(world, 1, 20), words(world, 3, 31)], "", "", model=world.model)[0]
    model, records = record(world.model)
    world.run(model, both, steps=1, cfg=1.0)
    for row, length in enumerate((20, 31)):
        for part, expected in zip(records.held[0].prompts[0].parts, alone[row], strict=True):
            assert (part.sums[row, ..., :length] - expected).abs().max() < 1e-5
            assert part.sums[row, ..., length:].abs().max() < 1e-6 if length < 31 else True


@pytest.mark.parametrize("size", [(13, 9), (24, 8)], ids=str)
def test_odd_sizes_are_rounded_up_to_tokens(
    size: tuple[int, int], world: models.World, record: Callable
) -> None:
    before, world.size = world.size, (*world.size[:-2], *size)
    try:
        model, records = record(world.model)
        plain, out = (world.run(each, words(world, 1, 24)) for each in (None, model))
    finally:
        world.size = before
    assert torch.equal(plain, out)
    for part in records.held[0].prompts[0].filled:
        assert part.sums.shape == (2, -(-size[0] // 2), -(-size[1] // 2), 24)
        total = part.sums.sum(-1) / part.count
        assert total.min() > 0 and total.max() < 1


def test_regional_prompts_are_kept_apart_and_areas_left_out(world: models.World, record: Callable) -> None:
    left = torch.zeros(1, *world.size[-2:])
    left[..., :8] = 1
    positive = [*words(world, 1, 24, mask=left), *words(world, 7, 30, mask=1 - left)]
    model, records = record(world.model)
    assert torch.equal(world.run(model, positive), world.run(None, positive))
    lengths = [each.parts[0].sums.shape[-1] for each in records.held[0].prompts]
    assert lengths == [24, 30] and all(each.filled for each in records.held[0].prompts)


def scaled(function: Callable[..., Tensor], *given: Any, **named: Any) -> Tensor:
    return 0.5 * function(*given, **named)


def with_override(model: Any) -> Any:
    model = model.clone()
    model.model_options["transformer_options"]["optimized_attention_override"] = scaled
    return model


def test_another_override_still_makes_the_picture(world: models.World, record: Callable) -> None:
    """There is one slot; it is chained, whichever node came first."""
    prompts = words(world, 1, 24, 2), words(world, 2, 24)
    expected = world.run(with_override(world.model), *prompts)
    assert not torch.equal(expected, world.run(None, *prompts))
    for model, records in (
        record(with_override(world.model)),
        (lambda made: (with_override(made[0]), made[1]))(record(world.model)),
    ):
        assert torch.equal(world.run(model, *prompts), expected)
        assert all(part.count for part in records.held[0].prompts[0].parts)


@pytest.mark.parametrize("given", models.MODES.values(), ids=models.MODES)
def test_beside_mutual_attention_in_any_order(
    given: dict, world: models.World, record: Callable, mutual: Callable
) -> None:
    """It attends to parts of the batch one by one; the whole batch is looked at all the same."""
    prompts = words(world, 1, 24, 2), words(world, 2, 24)
    changed = mutual(world.model, layers="all", **given)
    expected, found = world.run(changed, *prompts), []
    first, one = record(changed)
    made, two = record(world.model)
    for model, records in ((first, one), (mutual(made, layers="all", **given), two)):
        assert torch.equal(world.run(model, *prompts), expected)
        found.append(records.held[0].prompts[0].filled)
    assert [part.where for part in found[0]] == [where for where, _ in GROUPS[world.name]]
    assert all(torch.equal(a.sums, b.sums) for a, b in zip(*found, strict=True))


def test_two_recorders_in_a_row_both_record(world: models.World, record: Callable) -> None:
    first, one = record(world.model)
    second, two = record(first)
    prompt = words(world, 1, 24)
    assert torch.equal(world.run(second, prompt), world.run(None, prompt))
    pairs = zip(one.held[0].prompts[0].filled, two.held[0].prompts[0].filled, strict=True)
    assert all(torch.equal(a.sums, b.sums) for a, b in pairs)


def test_layers_and_steps_that_are_asked_for(world: models.World, record: Callable) -> None:
    prompt = words(world, 1, 24)
    model, records = record(world.model, "each layer and step", "1-2", "-1")
    plain, out = (world.run(each, prompt) for each in (None, model))
    assert torch.equal(plain, out)
    last = GROUPS[world.name][-1][1][-1]
    parts = records.held[0].prompts[0].parts
    assert [(part.layers, part.step) for part in parts] == [((last,), 1), ((last,), 2)]


def test_memory_is_told_and_held(
    world: models.World, record: Callable, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    model, records = record(world.model)
    world.run(model, words(world, 1, 24), steps=1)
    size = 4 * 2 * 24 * 64 * len(GROUPS[world.name])
    assert records.held[0].bytes == size
    assert f"{size / 1e6:.1f} MB for the maps of 2 rows" in caplog.text
    management = importlib.import_module("comfy.model_management")
    monkeypatch.setattr(management, "get_free_memory", lambda *_more: 1e3)
    with pytest.raises(ValueError, match=r"Record Attention would take .* GB for the maps but only 0.0 GB"):
        world.run(model, words(world, 1, 24), steps=1)


@pytest.mark.parametrize("world", ["Flux"], indirect=True)
def test_flux_of_1024_px_takes_less_than_64_mb(world: models.World, comfy: ModuleType) -> None:
    recorder = importlib.import_module("recompose.bridge.attention.recorder")
    install = importlib.import_module("recompose.bridge.attention.install")
    blocks = importlib.import_module("recompose.bridge.attention.blocks")
    network = blocks.joint(blocks.JOINT, {"double": 19, "single": 38}, 2)
    plan = recorder.Plan(network, [*range(57)], "", "all together", 8)
    words_of = install.Words("a", torch.zeros(1, 512, 16))
    run = install.Run((1, 16, 128, 128), [1.0, 0.0], (1,), (words_of,), torch.device("cpu"))
    assert recorder.Taking(plan, run).bytes() == 2 * 4 * 512 * 4096 < 64e6


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"layers": "20-"}, r'layers "20-" names none of the model\'s layers 0 to \d'),
        ({"layers": "decoder"}, 'layers cannot be read at "decoder"'),
        ({"steps": "soon"}, 'steps cannot be read at "soon"'),
    ],
)
def test_bad_texts_are_refused(given: dict, sentence: str, world: models.World, record: Callable) -> None:
    with pytest.raises(ValueError, match=sentence):
        record(world.model, **given)


@pytest.mark.parametrize("world", ["Flux", "SD3"], indirect=True)
def test_tokens_that_another_pack_takes_away_are_told(
    world: models.World, record: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    """As packs do that merge tokens of the picture."""

    def halved(args: dict, extra: dict) -> dict:
        more = {"pe": args["pe"][:, :, : 24 + 32]} if "pe" in args else {}
        out = extra["original_block"]({**args, **more, "img": args["img"][:, :32].clone()})
        return {**out, "img": torch.cat([out["img"], args["img"][:, 32:]], 1)}

    merged = world.model.clone()
    for block in range(2):
        merged.set_model_patch_replace(halved, "dit", "double_block", block)
    prompt = words(world, 1, 24)
    model, records = record(merged, layers="0-1")
    assert torch.equal(world.run(merged, prompt, cfg=1.0), world.run(model, prompt, cfg=1.0))
    assert not records.held[0].prompts
    assert "nothing was recorded of this run, as another patch changes the order" in caplog.text


@pytest.mark.parametrize("world", ["Qwen-Image"], indirect=True)
def test_a_latent_of_several_layers_is_told(
    world: models.World, record: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    before, world.size = world.size, (3, 16, 16)
    try:
        model, records = record(world.model)
        plain, out = (world.run(each, words(world, 1, 24), steps=1) for each in (None, model))
    finally:
        world.size = before
    assert torch.equal(plain, out) and not records.held[0].prompts
    assert "nothing was recorded of this run, as its latent has several frames or layers" in caplog.text


@pytest.mark.parametrize("world", ["Flux"], indirect=True)
def test_a_prompt_that_is_padded_on_the_left(world: models.World, record: Callable) -> None:
    """As ComfyUI does it for FLUX.2: its words come right before the picture."""
    prompt, padded = words(world, 1, 24, 2), words(world, 1, 24, 2)
    padded[0][0] = torch.nn.functional.pad(padded[0][0], (0, 0, 16, 0))
    expected = by_hand(world, padded, steps=1)
    model = world.model.clone()

    def pad(
        executor: Any, x: Tensor, t: Tensor, concat: Any, context: Tensor, *more: Any, **named: Any
    ) -> Any:
        return executor(x, t, concat, torch.nn.functional.pad(context, (0, 0, 16, 0)), *more, **named)

    kinds = importlib.import_module("comfy.patcher_extension").WrappersMP
    model.add_wrapper_with_key(kinds.APPLY_MODEL, "pad", pad)
    model, records = record(model, "each layer")
    world.run(model, prompt, cfg=1.0, steps=1)
    for part in records.held[0].prompts[0].parts:
        assert (part.sums - expected[0][part.layers[0]][..., 16:]).abs().max() < 1e-5
