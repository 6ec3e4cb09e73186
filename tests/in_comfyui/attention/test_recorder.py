"""Record Attention in ComfyUI's UNet: the picture stays as it is, and the maps are what was attended to."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor

SAMPLERS = ["euler", "heun", "dpmpp_sde", "uni_pc", "res_multistep"]


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture(scope="module")
def recorder(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.attention.recorder")


@pytest.fixture
def record(recorder: ModuleType) -> Callable[..., Any]:
    def recorded(model: Any, detail: str = "all together", steps: str = "", layers: str = "") -> Any:
        return recorder.record(model, detail, steps, layers)

    return recorded


def attention(q: Tensor, k: Tensor, v: Tensor, extra: dict, **_more: Any) -> Tensor:
    module = importlib.import_module("comfy.ldm.modules.attention")
    return module.optimized_attention(q, k, v, extra["n_heads"], attn_precision=extra["attn_precision"])


def by_hand(world: models.World, prompt: list, **given: Any) -> dict[tuple, list[Tensor]]:
    """Every layer's probabilities at each call, of the first chunk of each batch without guidance."""
    network = importlib.import_module("recompose.bridge.attention.blocks").network_of(world.model, "x")
    seen: dict[tuple, list[Tensor]] = {}

    def watch(q: Tensor, k: Tensor, v: Tensor, extra: dict, **more: Any) -> Tensor:
        heads, (height, width) = extra["n_heads"], extra["activations_shape"][2:]
        width_of_head = q.shape[-1] // heads
        total = torch.zeros(len(q), q.shape[1], k.shape[1])
        for head in range(heads):
            one = slice(head * width_of_head, (head + 1) * width_of_head)
            scores = torch.einsum("bnd,bkd->bnk", q[..., one], k[..., one]) / width_of_head**0.5
            total += torch.softmax(scores, -1)
        place = (*extra["block"], extra["block_index"])
        seen.setdefault(place, []).append((total / heads).reshape(len(q), height, width, -1))
        return attention(q, k, v, extra)

    model = world.model.clone()
    for place in network.layers:
        model.set_model_attn2_replace(watch, *place)
    world.run(model, prompt, cfg=1.0, **given)
    assert list(seen) == list(network.layers)
    return seen


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("cfg", [1.0, 4.0])
def test_the_picture_is_the_same_to_the_bit(
    sampler: str, cfg: float, world: models.World, record: Callable
) -> None:
    model, records = record(world.model)
    plain, out = (world.run(each, sampler=sampler, cfg=cfg) for each in (world.model, model))
    assert torch.equal(plain, out) and len(records.held) == 1
    assert torch.equal(records.held[0].result, out)
    assert torch.equal(world.run(sampler=sampler, cfg=cfg), plain)


def test_maps_are_the_softmax_written_out(world: models.World, record: Callable) -> None:
    prompt = world.prompt(1, rows=2)
    expected = list(by_hand(world, prompt, steps=3).values())
    model, records = record(world.model, "each layer and step")
    world.run(model, prompt, cfg=1.0, steps=3)
    (found,) = records.held[0].prompts
    assert [(part.layers, part.step) for part in found.parts] == [
        ((n,), s) for s in range(3) for n in range(16)
    ]
    for part in found.parts:
        assert part.count == 1
        assert (part.sums - expected[part.layers[0]][part.step]).abs().max() < 1e-5
        assert (part.sums.sum(-1) - 1).abs().max() < 1e-6
    together, records = record(world.model)
    world.run(together, prompt, cfg=1.0, steps=3)
    for part in records.held[0].prompts[0].parts:
        total = sum(each for layer in part.layers for each in expected[layer])
        assert part.count == 3 * len(part.layers)
        assert (part.sums - total).abs().max() < 1e-4


def test_groups_are_the_layers_of_one_size(world: models.World, record: Callable) -> None:
    model, records = record(world.model)
    world.run(model, steps=1)
    parts = records.held[0].prompts[0].parts
    assert [(part.where, part.layers, tuple(part.size)) for part in parts] == [
        ("encoder", (0, 1), (16, 16)), ("encoder", (2, 3), (8, 8)), ("encoder", (4, 5), (4, 4)),
        ("middle", (6,), (2, 2)), ("decoder", (7, 8, 9), (4, 4)), ("decoder", (10, 11, 12), (8, 8)),
        ("decoder", (13, 14, 15), (16, 16)),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(13, 9), (24, 8)], ids=str)
def test_maps_have_the_sizes_of_the_layers(
    size: tuple[int, int], record: Callable, comfy: ModuleType
) -> None:
    world = models.unet()
    world.size = size
    expected = list(by_hand(world, world.prompt(1), rows=1, steps=1).values())
    model, records = record(world.model, "each layer")
    world.run(model, world.prompt(1), rows=1, steps=1, cfg=1.0)
    for part, (layer,) in zip(records.held[0].prompts[0].parts, expected, strict=True):
        assert part.sums.shape == layer.shape and (part.sums - layer).abs().max() < 1e-5


def test_sdxl_and_sd2_like_networks(record: Callable, comfy: ModuleType) -> None:
    linear = models.UNET | {"use_linear_in_transformer": True, "model_channels": 64}
    for world in (
        models.unet("V_PREDICTION", "SD20", linear),
        models.unet(config="SDXL", settings=models.SDXL),
    ):
        model, records = record(world.model)
        assert torch.equal(world.run(model, steps=1), world.run(steps=1))
        parts = records.held[0].prompts[0].parts
        assert all((part.sums.sum(-1) / part.count - 1).abs().max() < 1e-5 for part in parts)


def test_guidance_and_one_chunk_at_a_time_record_the_prompt_only(
    world: models.World, record: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative of two chunks makes ComfyUI repeat the prompt's words; they count once."""
    runs = [{"cfg": 1.0}, {"cfg": 4.0}, {"cfg": 4.0, "negative": world.prompt(2, 154)}]
    found = []
    for given in runs:
        model, records = record(world.model)
        world.run(model, world.prompt(1), steps=1, **given)
        found.append(records.held[0].prompts[0].parts)
    monkeypatch.setattr(type(world.model), "get_free_memory", lambda *_: 1)
    model, records = record(world.model)
    world.run(model, world.prompt(1), steps=1)
    for other in (*found[1:], records.held[0].prompts[0].parts):
        for first, second in zip(found[0], other, strict=True):
            assert second.sums.shape[-1] == 77 and first.count == second.count
            assert (first.sums - second.sums).abs().max() < 1e-5


def test_guidance_with_two_prompts_records_the_positive(world: models.World, record: Callable) -> None:
    """Its chunks are numbered from the negative on, so the number does not tell which is the prompt."""
    samplers = importlib.import_module("comfy.samplers")
    sample = importlib.import_module("comfy.sample")
    guiders = importlib.import_module("comfy_extras.nodes_custom_sampler")
    found = []
    for dual in (False, True):
        model, records = record(world.model)
        guider = (guiders.Guider_DualCFG if dual else samplers.CFGGuider)(model)
        more = (world.prompt(7),) if dual else ()
        guider.set_conds(world.prompt(1), *more, world.prompt(2))
        guider.set_cfg(*(3.0, 2.0)) if dual else guider.set_cfg(3.0)
        latent = world.latent(1)
        with torch.inference_mode():
            guider.sample(
                sample.prepare_noise(latent, 5), latent, samplers.sampler_object("euler"), world.sigmas(1),
                disable_pbar=True, seed=5,
            )  # fmt: skip
        (prompt,) = records.held[0].prompts
        assert torch.equal(prompt.embedding, world.prompt(1)[0][0])
        found.append(prompt.parts[0].sums)
    assert (found[0] - found[1]).abs().max() < 1e-5


def test_regional_prompts_are_kept_apart(world: models.World, record: Callable) -> None:
    left = torch.zeros(1, 16, 16)
    left[..., :8] = 1
    positive = [[world.prompt(1)[0][0], {"mask": left}], [world.prompt(7, 154)[0][0], {"mask": 1 - left}]]
    model, records = record(world.model)
    assert torch.equal(world.run(model, positive), world.run(None, positive))
    first, second = records.held[0].prompts
    assert first.parts[0].sums.shape[-1] == 77 and second.parts[0].sums.shape[-1] == 154
    for each in (first, second):
        assert all((part.sums.sum(-1) / part.count - 1).abs().max() < 1e-5 for part in each.parts)


def test_an_area_is_not_recorded_and_the_rest_is(
    world: models.World, record: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    area = [[world.prompt(1)[0][0], {"area": (8, 16, 0, 0)}]]
    for positive, count in ((area, 0), ([*area, *world.prompt(7)], 1)):
        caplog.clear()
        model, records = record(world.model)
        assert torch.equal(world.run(model, positive), world.run(None, positive))
        assert len(records.held[0].prompts) == count
        assert ("nothing was recorded" in caplog.text) == (not count)


def test_rows_with_a_prompt_each(world: models.World, record: Callable) -> None:
    prompts = [world.prompt(seed)[0][0] for seed in (1, 7)]
    both, records = record(world.model)
    world.run(both, [[torch.cat(prompts), {}]], steps=1)
    for row, prompt in enumerate(prompts):
        single, other = record(world.model)
        world.run(single, [[prompt, {}]], steps=1)
        pairs = zip(records.held[0].prompts[0].parts, other.held[0].prompts[0].parts, strict=True)
        assert all((first.sums[row] - second.sums[row]).abs().max() < 1e-5 for first, second in pairs)


@pytest.mark.parametrize("block", [False, True])
def test_patches_of_other_nodes_still_run_and_make_the_picture(
    block: bool, world: models.World, record: Callable
) -> None:
    """Set before or after ours, for a layer or for its whole block."""
    calls: list[int] = []

    def other(q: Tensor, k: Tensor, v: Tensor, extra: dict, **_more: Any) -> Tensor:
        calls.append(1)
        return 0.5 * attention(q, k, v, extra)

    def patched(model: Any) -> Any:
        model = model.clone()
        model.set_model_attn2_replace(other, "output", 3, None if block else 0)
        return model

    plain, count = world.run(patched(world.model)), len(calls)
    assert not torch.equal(plain, world.run())
    for model in (record(patched(world.model))[0], patched(record(world.model)[0])):
        calls.clear()
        assert torch.equal(world.run(model), plain) and len(calls) == count


def test_beside_mutual_attention_hypertile_and_a_controlnet(
    world: models.World, record: Callable, mutual: Callable
) -> None:
    changed = mutual(world.model)
    expected = world.run(changed)
    for model, records in (record(changed), (lambda made: (mutual(made[0]), made[1]))(record(world.model))):
        assert torch.equal(world.run(model), expected) and records.held[0].prompts
    hypertile = importlib.import_module("comfy_extras.nodes_hypertile").HyperTile
    tiled = hypertile.execute(world.model, 64, 1, 1, False)[0]
    model, records = record(tiled)
    outs = []
    for each in (tiled, model):
        torch.manual_seed(1)  # the tiles are drawn
        outs.append(world.run(each))
    assert torch.equal(*outs) and len(records.held[0].prompts[0].filled) == 7
    network = models.controlnet()
    hint = torch.rand(1, 128, 128, 3, generator=torch.Generator().manual_seed(2))
    apply = importlib.import_module("nodes").ControlNetApplyAdvanced().apply_controlnet
    positive, negative = apply(world.prompt(1), world.prompt(2), network, hint, 1.0, 0.0, 1.0)
    model, records = record(world.model)
    plain, out = (world.run(each, positive, negative) for each in (world.model, model))
    assert torch.equal(plain, out)
    assert all(part.count == 4 * len(part.layers) for part in records.held[0].prompts[0].parts)


def test_two_recorders_in_a_row_both_record(world: models.World, record: Callable) -> None:
    first, one = record(world.model)
    second, two = record(first)
    assert torch.equal(world.run(second), world.run())
    pairs = zip(one.held[0].prompts[0].parts, two.held[0].prompts[0].parts, strict=True)
    assert all(torch.equal(a.sums, b.sums) for a, b in pairs)


def test_steps_and_layers_that_are_asked_for(world: models.World, record: Callable) -> None:
    model, records = record(world.model, "each step", "1-2", "decoder")
    world.run(model, sampler="heun")
    parts = records.held[0].prompts[0].parts
    assert {part.where for part in parts} == {"decoder"} and {part.step for part in parts} == {1, 2}
    assert all(part.count == 2 * len(part.layers) for part in parts)


def test_a_run_makes_a_new_record_and_old_ones_go(world: models.World, record: Callable) -> None:
    model, records = record(world.model)
    out = world.run(model)
    first = records.held[0]
    kept = [part.sums.clone() for part in first.prompts[0].parts]
    other = world.run(model, steps=3)
    assert [each.steps for each in records.held] == [4, 3]
    assert all(
        torch.equal(*each) for each in zip(kept, [part.sums for part in first.prompts[0].parts], strict=True)
    )
    core = importlib.import_module("recompose.core.attention.record")
    assert core.rows_of(records.held[0], out) == [0, 1] and core.rows_of(records.held[1], other[1:]) == [1]
    world.run(model)
    assert [each.steps for each in records.held] == [3, 4]
    for steps in (1, 2, 5, 6):
        world.run(model, steps=steps)
    assert [each.steps for each in records.held] == [1, 2, 5, 6]


def test_a_run_that_breaks_off_leaves_no_record(
    world: models.World, record: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, records = record(world.model)
    with pytest.raises(RuntimeError, match="shape"):
        world.run(model, [[torch.zeros(1, 77, 5), {}]])
    assert not records.held
    assert torch.equal(world.run(model), world.run()) and len(records.held) == 1


def test_memory_is_told_before_the_run_and_held(
    world: models.World, recorder: ModuleType, caplog: pytest.LogCaptureFixture, comfy: ModuleType
) -> None:
    caplog.set_level("INFO")
    model, records = recorder.record(world.model, "all together", "", "")
    world.run(model)
    cells = 2 * (256 + 64 + 16) + 4
    assert records.held[0].bytes == 4 * 2 * 77 * cells
    assert f"{4 * 2 * 77 * cells / 1e6:.1f} MB for the maps of 2 rows" in caplog.text
    install = importlib.import_module("recompose.bridge.attention.install")
    words = install.Words("a", torch.zeros(1, 77, 16))
    for settings, config in ((models.UNET, "SD15"), (models.SDXL, "SDXL")):
        network = importlib.import_module("recompose.bridge.attention.blocks").network_of(
            models.unet(config=config, settings=settings).model, "x"
        )
        plan = recorder.Plan(network, [*range(len(network.layers))], "", "all together", 8)
        run = install.Run((1, 4, 128, 128), [1.0, 0.0], (1,), (words,), torch.device("cpu"))
        taking = recorder.Taking(plan, run)
        assert taking.bytes() == sum(4 * each.sums.numel() for each in taking.prompts["a"].parts) < 64e6


def test_more_than_the_free_memory_is_refused(
    world: models.World, record: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    management = importlib.import_module("comfy.model_management")
    monkeypatch.setattr(management, "get_free_memory", lambda *_more: 1e6)
    model, _ = record(world.model, "each layer and step")
    with pytest.raises(ValueError, match=r"would take \d.* GB for the maps but only 0.0 GB are free; keep"):
        world.run(model)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"layers": "20-"}, 'layers "20-" names none of the model\'s layers 0 to 15'),
        ({"layers": "top"}, 'layers cannot be read at "top"'),
        ({"steps": "soon"}, 'steps cannot be read at "soon"'),
    ],
)
def test_bad_texts_are_refused(given: dict, sentence: str, world: models.World, record: Callable) -> None:
    with pytest.raises(ValueError, match=sentence):
        record(world.model, **given)


def test_other_networks_are_refused_by_name(record: Callable, comfy: ModuleType) -> None:
    other = models.unet().model
    other.add_object_patch("diffusion_model", torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"works with SD1, SD2, SDXL, SD3, Flux, .* but the model is"):
        record(other)


def test_no_step_of_the_run_is_a_notice(
    world: models.World, record: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    model, records = record(world.model, steps="60-")
    assert torch.equal(world.run(model), world.run())
    assert "none of this run's 4 steps" in caplog.text and not records.held[0].prompts
