"""What Mutual Attention and Rows say to other models, to prompts of another number and to empty masks."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models

AURA = {
    "cond_seq_dim": 16, "dim": 64, "n_layers": 2, "n_double_layers": 1, "n_heads": 2, "global_conddim": 64,
    "max_seq": 64,
}  # fmt: skip
VIDEO = models.UNET | {
    "in_channels": 8, "num_classes": "sequential", "adm_in_channels": 16, "use_temporal_attention": True,
    "use_temporal_resblock": True, "video_kernel_size": [3, 1, 1], "extra_ff_mix_layer": True,
    "merge_strategy": "learned_with_images", "merge_factor": 0.0,
}  # fmt: skip
OTHERS = {"AuraFlow": AURA, "SVD_img2vid": VIDEO}


@pytest.fixture(scope="module", params=OTHERS)
def other(request: pytest.FixtureRequest, comfy: ModuleType) -> tuple[str, Any]:
    """The name and the MODEL of a family without layers that are known."""
    config = getattr(importlib.import_module("comfy.supported_models"), request.param)
    found = config(dict(OTHERS[request.param]))
    return request.param, models.patcher(found.get_model({}))


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture
def shown(comfy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What appears below the sampler."""
    found: list[str] = []
    monkeypatch.setattr(importlib.import_module("recompose.bridge.notices"), "_show_below_node", found.append)
    return found


def test_another_family_is_named(other: tuple[str, Any], mutual: Callable) -> None:
    name, model = other
    with pytest.raises(
        ValueError, match=rf"^Mutual Attention works with SD1, .* but the model is a {name}; .*\.$"
    ):
        mutual(model)


def test_prompts_of_unequal_lengths_for_another_family_are_refused(other: tuple[str, Any]) -> None:
    name, model = other
    rows = importlib.import_module("recompose.bridge.attention.rows").rows
    given = [[[torch.ones(1, length, 16), {}]] for length in (20, 31)]
    with pytest.raises(ValueError, match=rf"^Rows works with SD1, .* but the model is a {name}; .*\.$"):
        rows(given, "", "", model=model)


@pytest.mark.parametrize(
    ("prompts", "rows", "words"),
    [
        (3, 2, "there are 3 prompts for a latent of 2 rows, so the last are left out"),
        (2, 3, "there are 2 prompts for a latent of 3 rows, so they are repeated"),
        (3, 3, None),
        (1, 3, None),
    ],
)
def test_prompts_that_are_not_one_for_each_row_are_told(
    prompts: int, rows: int, words: str | None, world: models.World, mutual: Callable, shown: list[str]
) -> None:
    world.run(mutual(world.model), world.prompt(1, rows=prompts), rows=rows, steps=2)
    assert len(shown) == (words is not None)
    assert all(words in each and each.endswith("to Same Noise.") for each in shown if words)


def test_a_negative_of_other_rows_is_told(world: models.World, mutual: Callable, shown: list[str]) -> None:
    world.run(mutual(world.model), world.prompt(1, rows=3), world.prompt(2, rows=2), rows=3, steps=2)
    assert len(shown) == 1 and "2 prompts for a latent of 3 rows" in shown[0]


@pytest.mark.parametrize("conds", [None, {"positive": [[torch.ones(2, 3, 4), {}]]}, {"positive": [{}]}, []])
def test_a_guider_that_holds_its_prompts_otherwise_has_none_counted(conds: Any, comfy: ModuleType) -> None:
    rows = importlib.import_module("recompose.bridge.attention.install").prompt_rows
    assert rows(SimpleNamespace(conds=conds)) == rows(SimpleNamespace()) == ()


@pytest.mark.parametrize("empty", ["mask_source", "mask_target"])
def test_an_empty_mask_is_told_by_its_name(empty: str, world: models.World, mutual: Callable) -> None:
    notices = importlib.import_module("recompose.bridge.notices")
    module = importlib.import_module("recompose.bridge.attention.mutual")
    masks = {name: torch.ones(1, 128, 128) for name in ("mask_source", "mask_target")}
    masks[empty] = torch.full((1, 128, 128), 0.3)
    with notices.collect() as found:
        model = module.mutual(world.model, 1.0, "masked", "0", "", "", **masks)
    assert len(found) == 1 and found[0].startswith(f"Mutual Attention: {empty} is empty")
    assert torch.isfinite(world.run(model, steps=2)).all()


@pytest.mark.parametrize("name", ["mask_source", "mask_target"])
def test_nan_in_a_mask_is_said(name: str, world: models.World, mutual: Callable) -> None:
    masks = {each: torch.ones(1, 128, 128) for each in ("mask_source", "mask_target")}
    masks[name][0, 3, 4] = torch.nan
    with pytest.raises(ValueError, match=rf"^Mutual Attention: {name} .*NaN.*\.$"):
        mutual(world.model, mode="masked", **masks)


def test_nan_in_the_sampled_latent_is_said_before_the_model_is_asked(
    comfy: ModuleType, mutual: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = models.unet()
    monkeypatch.setattr(world.model.model.diffusion_model, "forward", None)
    broken = torch.zeros(2, 4, 16, 16)
    broken[1, 2, 3, 4] = torch.nan
    monkeypatch.setattr(world, "latent", lambda rows: broken)
    with pytest.raises(ValueError, match=r"^Mutual Attention: the latent holds NaN .*\.$"):
        world.run(mutual(world.model))
