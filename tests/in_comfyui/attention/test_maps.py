"""Record Attention, a sampler and Attention Maps together, with ComfyUI's CLIP tokenizer and a toy CLIP."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.shapes import Size
from recompose.tests.in_comfyui.attention import models
from torch import Tensor

TEXT, OTHER = "a red ball, a shirt and a dog", "a blue hat on a chair"
CELLS = Size(16, 16)
LOOK = {
    "show": "heat map", "threshold": 0.0, "labels": False, "aggregation": "DAAM", "layers": "", "steps": "",
}  # fmt: skip


class Clip:
    """ComfyUI's CLIP tokenizer, and an encoder whose columns hold all that is before them, as in CLIP."""

    def __init__(self, width: int) -> None:
        self.tokenizer = importlib.import_module("comfy.sd1_clip").SD1Tokenizer()
        generator = torch.Generator().manual_seed(11)
        self.table = torch.randn(49408, width, generator=generator)

    def tokenize(self, text: str) -> Any:
        return self.tokenizer.tokenize_with_weights(text)

    def encode_from_tokens_scheduled(self, tokens: Any) -> list:
        chunks = [self.table[[each for each, _ in chunk]] for chunk in tokens["l"]]
        before = [chunk.cumsum(0) / torch.arange(1, 78)[:, None] ** 0.5 for chunk in chunks]
        return [[torch.cat(before)[None], {}]]


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture(scope="module")
def clip(world: models.World) -> Clip:
    return Clip(world.words)


@pytest.fixture
def record(comfy: ModuleType) -> Callable[..., Any]:
    def recorded(model: Any, detail: str = "all together", steps: str = "", layers: str = "") -> Any:
        node = importlib.import_module("recompose.nodes.attention_maps").RecordAttention
        return node.execute(model, detail, steps, layers).args

    return recorded


@pytest.fixture
def show(clip: Clip) -> Callable[..., Any]:
    def shown(attention: Any, latent: Tensor, words: str, text: str = TEXT, **given: Any) -> Any:
        node = importlib.import_module("recompose.nodes.attention_maps").AttentionMaps
        return node.execute(attention, {"samples": latent}, clip, text, words, **{**LOOK, **given})

    return shown


def encoded(clip: Clip, text: str) -> Tensor:
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))[0][0]


def full(found: Tensor) -> Tensor:
    """A map as the node gives it: from 0 to 1, in the picture's size, without what no mask has."""
    maps = importlib.import_module("recompose.core.attention.maps")
    values = importlib.import_module("recompose.core.mask.values")
    return values.without_traces(maps.scaled(maps.stretched(found), Size(128, 128)))


def prompt(clip: Clip, text: str = TEXT, **more: Any) -> list:
    return [[encoded(clip, text), more]]


def notices(out: Any) -> list[str]:
    return [each for item in out.ui["recompose"] for each in item.get("notices", [])]


def test_one_picture_mask_and_map_for_each_word_and_row(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model)
    out = world.run(model, prompt(clip))
    shown = show(attention, out, "red ball, shirt, a#2")
    images, masks, maps = shown.args
    assert images.shape == (6, 128, 128, 3) and masks.shape == maps.shape == (6, 128, 128)
    assert set(masks.unique().tolist()) <= {0.0, 1.0} and not notices(shown)
    assert maps.amin((1, 2)).tolist() == pytest.approx([0] * 6, abs=0.03)
    assert maps.amax((1, 2)).tolist() == pytest.approx([1] * 6, abs=0.06)
    for single, word in enumerate(("red ball", "shirt", "a#2")):
        for row in range(2):
            one = show(attention, out[row : row + 1], word).args
            assert torch.equal(one[2][0], maps[3 * row + single])
    every = show(attention, out[:1], "").args[0]
    assert len(every) == 6  # "a" once


def test_the_map_is_the_mean_of_what_its_tokens_got(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model, "each layer and step")
    out = world.run(model, prompt(clip), rows=1)
    maps = importlib.import_module("recompose.core.attention.maps")
    parts = [part for part in attention.held[0].prompts[0].parts if part.where != "middle"]
    total = sum(maps.enlarged(part.sums[..., [2, 3]].mean(-1), CELLS) for part in parts)
    expected = full(total / len(parts))
    assert (show(attention, out, "red ball").args[2] - expected).abs().max() < 1e-5
    (one,) = [part for part in parts if part.layers == (9,) and part.step == 2]
    expected = full(maps.enlarged(one.sums[..., [2, 3]].mean(-1), CELLS))
    assert (show(attention, out, "red ball", layers="9", steps="2").args[2] - expected).abs().max() < 1e-5
    groups = [show(attention, out, "red ball", layers=text).args[2] for text in ("decoder", "7-15")]
    assert torch.equal(*groups) and not torch.equal(groups[0], show(attention, out, "red ball").args[2])


def test_whose_record_is_meant_is_told_by_the_latent(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    """Two samplers with one model, and a record of each of them whichever ran last."""
    model, attention = record(world.model)
    first, second = (world.run(model, prompt(clip), rows=1, steps=steps) for steps in (2, 3))
    found = [show(attention, latent, "shirt").args[2] for latent in (first, second)]
    assert not torch.equal(*found)
    for latent, steps, expected in zip((first, second), (2, 3), found, strict=True):
        model, alone = record(world.model)
        assert torch.equal(world.run(model, prompt(clip), rows=1, steps=steps), latent)
        assert torch.equal(show(alone, latent, "shirt").args[2], expected)
    for latent, expected in zip((first, second), found, strict=True):
        changed = latent.clone()
        changed[..., :1] = 0  # a part of it replaced
        shown = show(attention, changed, "shirt")
        assert torch.equal(shown.args[2], expected) and not notices(shown)


def test_another_latent_or_no_run_is_told(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model)
    with pytest.raises(ValueError, match="nothing was recorded: the sampler has not run with the model"):
        show(attention, world.latent(1), "shirt")
    out = world.run(model, prompt(clip), rows=1)
    last = world.run(model, prompt(clip), rows=1, steps=3)
    for other in (out.flip(-1), out[..., :8], torch.cat([out, out])[..., :4]):
        shown = show(attention, other, "shirt")
        assert torch.equal(shown.args[2], show(attention, last, "shirt").args[2])
        assert "not what the recorded run made, so the maps are those of the last run" in notices(shown)[0]
    with pytest.raises(ValueError, match="needs the attention of Record Attention but got a str"):
        show("x", out, "shirt")
    maps = importlib.import_module("recompose.bridge.attention.maps")
    with pytest.raises(ValueError, match=r"needs the CLIP that encoded the prompt; connect it"):
        maps.attention_maps(
            attention, {"samples": out}, None, TEXT, "shirt", maps.Look("overlay", "DAAM", 0.0)
        )


def test_another_text_is_told(world: models.World, clip: Clip, record: Callable, show: Callable) -> None:
    model, attention = record(world.model)
    out = world.run(model, prompt(clip), rows=1)
    shown = show(attention, out, "hat", OTHER)
    assert [
        each for each in notices(shown) if "text is not the prompt that the picture was made with" in each
    ]
    with pytest.raises(
        ValueError, match='"hat" is not in the text; its words are a, red, ball, shirt, and, dog'
    ):
        show(attention, out, "red, hat")
    with pytest.raises(ValueError, match="text has 154 tokens but the prompt of the recorded run has 77"):
        show(attention, out, "red", ", ".join(["red"] * 60))


def test_a_text_is_found_in_regional_and_joined_prompts(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    left = torch.zeros(1, 16, 16)
    left[..., :8] = 1
    joined = torch.cat([encoded(clip, OTHER), encoded(clip, TEXT)], 1)
    positive = [*prompt(clip, OTHER, mask=left), [joined, {"mask": 1 - left}]]
    model, attention = record(world.model)
    out = world.run(model, positive, rows=1)
    first, second = attention.held[0].prompts
    shirt = show(attention, out, "shirt")
    place = 6
    maps = importlib.import_module("recompose.core.attention.maps")
    chosen = [maps.Chosen(part, [77 + place]) for part in second.parts]
    expected = full(maps.daam(chosen, CELLS))
    assert (shirt.args[2] - expected).abs().max() < 1e-6 and not notices(shirt)
    hat = [maps.Chosen(part, [3]) for part in (*first.parts, *second.parts)]
    expected = full(maps.daam(hat, CELLS))
    assert (show(attention, out, "hat", OTHER).args[2] - expected).abs().max() < 1e-6
    with pytest.raises(ValueError, match="text is none of the 2 prompts"):
        show(attention, out, "cat", "a cat")


def test_rows_with_other_words_have_no_maps(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model)
    out = world.run(model, [[torch.cat([encoded(clip, OTHER), encoded(clip, TEXT)]), {}]])
    shown = show(attention, out, "shirt")
    assert len(shown.args[0]) == 1
    assert [each for each in notices(shown) if "rows 0 were made with other words" in each]
    assert torch.equal(shown.args[2], show(attention, out[1:], "shirt").args[2])


def test_thresholds_and_the_mask(world: models.World, clip: Clip, record: Callable, show: Callable) -> None:
    model, attention = record(world.model)
    out = world.run(model, prompt(clip), rows=1)
    for aggregation in ("DAAM", "prompt-to-prompt"):
        for threshold in (0.3, 0.7):
            shown = show(attention, out, "shirt", threshold=threshold, aggregation=aggregation)
            assert torch.equal(shown.args[1], (shown.args[2] >= threshold).float())
    core = importlib.import_module("recompose.core.attention.maps")
    by_otsu = show(attention, out, "shirt").args
    cells = torch.nn.functional.interpolate(by_otsu[2][None], scale_factor=1 / 8, mode="area")
    assert 0 < by_otsu[1].mean() < 1 and core.otsu(cells) is not None


def test_a_flat_map_has_an_empty_mask_and_a_notice(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model)
    out = world.run(model, prompt(clip), rows=1)
    for part in attention.held[0].prompts[0].parts:  # as if the word got the same everywhere
        part.sums = part.sums.clone()
        part.sums[..., 6] = part.count / 77
    shown = show(attention, out, "shirt")
    assert not shown.args[1].any() and not shown.args[2].any()
    assert [each for each in notices(shown) if 'stands out for "shirt", so its mask is empty' in each]


def test_overlay_and_sizes(world: models.World, clip: Clip, record: Callable, show: Callable) -> None:
    model, attention = record(world.model)
    out = world.run(model, prompt(clip))
    image = torch.rand(2, 100, 101, 3, generator=torch.Generator().manual_seed(1))
    shown = show(attention, out, "shirt", image=image, show="overlay").args
    assert shown[0].shape == (2, 100, 101, 3) and shown[1].shape == (2, 100, 101)
    heat = importlib.import_module("recompose.core.attention.heat")
    expected = heat.over(shown[2], image.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    assert torch.allclose(shown[0], expected, atol=1e-6)
    bare = show(attention, out, "shirt", image=image, show="heat map").args[0]
    assert torch.equal(bare, heat.heat(shown[2]).permute(0, 2, 3, 1))
    alone = show(attention, out, "shirt", show="overlay").args[0]
    assert torch.equal(alone, show(attention, out, "shirt").args[0])
    with pytest.raises(ValueError, match="image has a batch of 3 but the latent has 2 rows"):
        show(attention, out, "shirt", image=torch.zeros(3, 128, 128, 3))
    with pytest.raises(ValueError, match="image is 128×64 but the latent is 16×16 cells, of another aspect"):
        show(attention, out, "shirt", image=torch.zeros(1, 64, 128, 3))


def test_sheets_of_layers_and_of_steps(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    counts = {
        "all together": (7, None),
        "each layer": (16, None),
        "each step": (7, 4),
        "each layer and step": (16, 4),
    }
    heat = importlib.import_module("recompose.core.attention.heat")
    for detail, (layers, steps) in counts.items():
        model, attention = record(world.model, detail)
        out = world.run(model, prompt(clip), rows=1)
        for kind, count in (("layers", layers), ("steps", steps)):
            if count is None:
                with pytest.raises(ValueError, match=r"record each step .* for a sheet of steps"):
                    show(attention, out, "shirt", show=f"sheet of {kind}")
                continue
            sheet = show(attention, out, "shirt", show=f"sheet of {kind}").args[0][0]
            size = attention.held[0].size._replace(width=128, height=128)
            assert sheet.permute(2, 0, 1).shape == heat.sheet([torch.zeros(8, 8)] * count, size).shape
            assert len({tuple(tile.flatten().tolist()) for tile in sheet.split(130, 1)}) > 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"steps": "1-"}, "the record holds all steps together; record each step"),
        ({"layers": "1"}, "the record holds layers 0-1 together; record each layer"),
        ({"layers": "40"}, "layers and steps name nothing that was recorded"),
        ({"layers": "x"}, 'layers cannot be read at "x"'),
    ],
)
def test_what_the_record_does_not_tell_is_refused(
    given: dict, sentence: str, world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model)
    out = world.run(model, prompt(clip), rows=1, steps=1)
    with pytest.raises(ValueError, match=sentence):
        show(attention, out, "shirt", **given)


def test_more_maps_than_fit_are_refused(
    world: models.World, clip: Clip, record: Callable, show: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, attention = record(world.model)
    out = world.run(model, prompt(clip), rows=1, steps=1)
    monkeypatch.setattr(importlib.import_module("comfy.model_management"), "get_free_memory", lambda *_: 1e6)
    with pytest.raises(ValueError, match=r"6 maps of 128×128 px would take .* name fewer words"):
        show(attention, out, "")
