"""Mutual Attention in ComfyUI's UNet: the source row stays as it is, and the targets follow it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models

SAMPLERS = ["euler", "heun", "dpm_2", "dpmpp_2m", "dpmpp_sde", "uni_pc", "ddim", "lcm", "res_multistep"]


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture(scope="module")
def plain(world: models.World) -> torch.Tensor:
    return world.run()


@pytest.mark.parametrize("given", models.MODES.values(), ids=models.MODES)
def test_the_source_row_is_the_same_to_the_bit_and_the_target_changes(
    given: dict, world: models.World, plain: torch.Tensor, mutual: Callable
) -> None:
    out = world.run(mutual(world.model, **given))
    assert torch.equal(out[0], plain[0])
    assert (out[1] - plain[1]).abs().max() > 0.004 * plain.std()
    assert torch.equal(world.run(), plain)  # the model that was patched is as before


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_source_row_is_the_same_with_every_sampler(
    sampler: str, world: models.World, mutual: Callable
) -> None:
    plain, out = (world.run(model, sampler=sampler) for model in (world.model, mutual(world.model)))
    assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1])


def test_equal_prompts_give_equal_rows(world: models.World, mutual: Callable) -> None:
    prompt = world.prompt(1)
    for mode in ("replace", "union"):
        out = world.run(mutual(world.model, mode=mode, layers="all"), prompt)
        assert (out[0] - out[1]).abs().max() < 1e-4 * out.std()
    out = world.run(mutual(world.model, layers="all"), prompt)
    assert torch.equal(out[0], out[1])


@pytest.mark.parametrize("steps", ["4-", "60-", "9-5"])
def test_without_a_step_of_the_run_nothing_changes(
    steps: str, world: models.World, plain: torch.Tensor, mutual: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    assert torch.equal(world.run(mutual(world.model, steps=steps)), plain)
    assert "none of this run's 4 steps" in caplog.text


def test_keeping_nothing_changes_nothing(world: models.World, plain: torch.Tensor, mutual: Callable) -> None:
    assert torch.equal(world.run(mutual(world.model, keep=0.0)), plain)


def test_keep_is_the_last_share_of_the_steps(world: models.World, mutual: Callable) -> None:
    for keep, steps in ((0.5, "2-"), (0.75, "1-"), (1.0, "0-"), (0.25, "75%-")):
        by_text = world.run(mutual(world.model, keep=0.1, steps=steps))
        assert torch.equal(world.run(mutual(world.model, keep=keep)), by_text)


def test_a_step_of_a_sampler_with_two_calls_has_both(world: models.World, mutual: Callable) -> None:
    """dpm_2 calls the model between two levels, too; the call belongs to the step that runs."""
    seen: list[tuple[float, bool]] = []
    install = importlib.import_module("recompose.bridge.attention.install")

    def change(options: dict, call: Any) -> dict:
        seen.append((float(options["sigmas"][0]), call.step))
        return options

    world.run(install.install(world.model, "watch", lambda *_: None, change), sampler="dpm_2", cfg=1.0)
    assert [step for _, step in seen] == [0, 0, 1, 1, 2, 2, 3]
    assert all(sigma > 0 for sigma, _ in seen)


def test_published_layers_are_the_default_and_words_name_groups(
    world: models.World, mutual: Callable
) -> None:
    for first, second in (("", "10-15"), ("decoder", "7-15"), ("all", "0-"), ("encoder, middle", "0-6")):
        texts = (world.run(mutual(world.model, layers=text)) for text in (first, second))
        assert torch.equal(*texts)
    assert not torch.equal(*(world.run(mutual(world.model, layers=text)) for text in ("10-15", "10-14")))


def test_several_sources_and_targets(world: models.World, mutual: Callable) -> None:
    plain = world.run(rows=4)
    for mode in ("replace", "union"):
        out = world.run(mutual(world.model, source_rows="0,2", mode=mode), rows=4)
        assert torch.equal(out[[0, 2]], plain[[0, 2]])
        assert not any(torch.equal(out[row], plain[row]) for row in (1, 3))
    last = world.run(mutual(world.model, source_rows="-1"), rows=4)
    assert torch.equal(last[3], plain[3]) and not torch.equal(last[0], plain[0])


def test_each_target_is_what_it_is_in_a_batch_of_two(world: models.World, mutual: Callable) -> None:
    """How many other targets there are makes no difference to one of them."""
    words = world.prompt(1, rows=3)
    three = world.run(mutual(world.model), words, rows=3)
    two = world.run(mutual(world.model), [[words[0][0][[0, 2]], {}]])
    assert (three[[0, 2]] - two).abs().max() < 1e-4 * two.std()


@pytest.mark.parametrize("cfg", [1.0, 4.0])
def test_one_prompt_two_and_three_at_a_time(cfg: float, world: models.World, mutual: Callable) -> None:
    """Without guidance there is one chunk, with a second masked prompt three."""
    left = torch.zeros(1, 16, 16)
    left[..., :8] = 1
    words = world.prompt(1, rows=2)[0][0]
    positive = [[words, {"mask": left}], [world.prompt(7, rows=2)[0][0], {"mask": 1 - left}]]
    for prompt in ([[words, {}]], positive):
        plain, out = (world.run(model, prompt, cfg=cfg) for model in (world.model, mutual(world.model)))
        assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1])


def test_one_prompt_at_a_time_is_the_same(
    world: models.World, mutual: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ComfyUI splits a batch that does not fit: source and target of one prompt stay together."""
    together = world.run(mutual(world.model))
    monkeypatch.setattr(type(world.model), "get_free_memory", lambda *_: 1)
    assert (world.run(mutual(world.model)) - together).abs().max() < 1e-3 * together.std()


def test_an_area_of_the_picture_is_a_picture(world: models.World, mutual: Callable) -> None:
    area = [[world.prompt(1, rows=2)[0][0], {"area": (8, 16, 0, 0)}], *world.prompt(7, rows=2)]
    for given in models.MODES.values():
        plain, out = (world.run(model, area) for model in (world.model, mutual(world.model, **given)))
        assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1])


def test_a_mask_that_covers_everything_is_replace(world: models.World, mutual: Callable) -> None:
    full = torch.ones(1, 128, 128)
    replace = world.run(mutual(world.model))
    for target in (full, 1 - full):
        masked = world.run(mutual(world.model, mode="masked", mask_source=target, mask_target=target))
        assert (masked - replace).abs().max() < 1e-4 * replace.std()


def test_an_empty_half_of_the_source_gives_all_of_it(world: models.World, mutual: Callable) -> None:
    full = torch.ones(1, 128, 128)
    masked = world.run(mutual(world.model, mode="masked", mask_source=full, mask_target=models.HALVES[1]))
    replace = world.run(mutual(world.model))
    assert (masked - replace).abs().max() < 1e-4 * replace.std()
    assert masked.isfinite().all()


@pytest.mark.parametrize("size", [(16, 16), (13, 9), (24, 8)], ids=str)
def test_any_size_and_a_second_run(size: tuple[int, int], mutual: Callable, comfy: ModuleType) -> None:
    world = models.unet()
    world.size = size
    mask = torch.zeros(1, 8 * size[0], 8 * size[1])
    mask[:, 20:50, 10:40] = 1
    model = mutual(world.model, mode="masked", mask_source=mask, mask_target=mask)
    first, plain = world.run(model), world.run()
    assert torch.equal(first[0], plain[0]) and torch.equal(world.run(model), first)


def test_layers_of_sdxl_are_numbered_as_they_run(mutual: Callable, comfy: ModuleType) -> None:
    world = models.unet(config="SDXL", settings=models.SDXL)
    blocks = importlib.import_module("recompose.bridge.attention.blocks")
    network = blocks.network_of(world.model, "x")
    seen: list[tuple] = []

    def watch(q: Any, k: Any, v: Any, extra: dict, **_more: Any) -> Any:
        seen.append((*extra["block"], extra["block_index"]))
        from comfy.ldm.modules.attention import optimized_attention

        return optimized_attention(q, k, v, extra["n_heads"])

    model = world.model.clone()
    for place in network.layers:
        model.set_model_attn1_replace(watch, *place)
    plain = world.run(model, steps=1, cfg=1.0)
    assert seen == list(network.layers) and len(seen) == 70 and network.default == "44-69"
    assert {word: (min(n), max(n)) for word, n in network.words.items()} == {
        "encoder": (0, 23), "middle": (24, 33), "decoder": (34, 69), "all": (0, 69),
    }  # fmt: skip
    out = world.run(mutual(world.model), steps=1, cfg=1.0)
    assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1])


def test_a_velocity_model_with_linear_projections_like_sd2(mutual: Callable, comfy: ModuleType) -> None:
    world = models.unet(
        "V_PREDICTION", "SD20", models.UNET | {"use_linear_in_transformer": True, "model_channels": 64}
    )
    plain, out = world.run(), world.run(mutual(world.model))
    assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1])
