"""Record Attention and Attention Maps in Flux, SD3, Qwen-Image and Z-Image, with ComfyUI's tokenizers."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.shapes import Size
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.attention.clips import KINDS, Clip
from torch import Tensor

TEXT = "a Skateboarder's red ball, café and a dog"
WORDS = ["skateboarder", "red ball", "café", "a#2", "dog"]
LOOK = {
    "show": "heat map", "threshold": 0.0, "labels": False, "aggregation": "DAAM", "layers": "", "steps": "",
}  # fmt: skip
WIDTHS = {"SD3": 4096}  # SD3's CLIPs are widened to T5's


@pytest.fixture(scope="module", params=list(KINDS))
def world(request: pytest.FixtureRequest, comfy: ModuleType) -> models.World:
    found = models.joint(request.param, WIDTHS.get(request.param, 16))
    found.name = request.param
    return found


@pytest.fixture(scope="module")
def clip(world: models.World) -> Clip:
    return Clip(world.name, world.words)


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
        with_clip = given.pop("clip", clip)
        return node.execute(attention, {"samples": latent}, with_clip, text, words, **{**LOOK, **given})

    return shown


def encoded(clip: Clip, text: str = TEXT, **more: Any) -> list:
    """The conditioning of a text with ComfyUI's own joining of its encoders."""
    ((states, extra),) = clip.encode_from_tokens_scheduled(clip.tokenize(text))
    return [[states, {**extra, **more}]]


def notices(out: Any) -> list[str]:
    return [each for item in out.ui["recompose"] for each in item.get("notices", [])]


@pytest.mark.parametrize("word", WORDS)
def test_the_columns_of_a_word_have_the_states_of_its_pieces(
    word: str, world: models.World, clip: Clip
) -> None:
    """In what ComfyUI gives the network, after templates are cut off and encoders are joined."""
    columns = importlib.import_module("recompose.bridge.attention.columns")
    (found,) = columns.words_in(clip, TEXT, word, "x")
    states = encoded(clip)[0][0][0]
    of_clip = [each for each in found.columns if world.name == "SD3" and each < 77]
    others = [each for each in found.columns if each not in of_clip]
    assert bool(of_clip) == (world.name == "SD3") and others
    for some in filter(None, (of_clip, others)):
        assert clip.spelled(states[some]) == word.removesuffix("#2")


@pytest.mark.parametrize("world", ["SD3"], indirect=True)
@pytest.mark.parametrize(
    ("without", "count"),
    [
        (("t5xxl",), 1),
        (("clip_g",), 2),
        (("clip_l",), 2),
        (("clip_l", "t5xxl"), 1),
        (("clip_l", "clip_g"), 1),
    ],
    ids=str,
)
def test_sd3_without_some_of_its_encoders(without: tuple[str, ...], count: int, world: models.World) -> None:
    """T5's columns are the first where there is no CLIP."""
    clip = Clip("SD3", world.words, without)
    columns = importlib.import_module("recompose.bridge.attention.columns")
    (found,) = columns.words_in(clip, TEXT, "dog", "x")
    states = encoded(clip)[0][0][0]
    assert len(found.columns) == count
    assert all(clip.spelled(states[[column]]) == "dog" for column in found.columns)


def columns_of(clip: Clip, states: Tensor, word: str) -> list[int]:
    """The columns of a conditioning that are one token's."""
    return [at for at in range(states.shape[1]) if clip.spelled(states[0, [at]]) == word]


def full(found: Tensor) -> Tensor:
    """A map as the node gives it: from 0 to 1, in the picture's size, without what no mask has."""
    maps = importlib.import_module("recompose.core.attention.maps")
    values = importlib.import_module("recompose.core.mask.values")
    return values.without_traces(maps.scaled(maps.stretched(found), Size(128, 128)))


def test_the_map_is_the_mean_of_all_layers_of_what_its_tokens_got(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    maps = importlib.import_module("recompose.core.attention.maps")
    columns = importlib.import_module("recompose.bridge.attention.columns")
    model, attention = record(world.model, "each layer and step")
    out = world.run(model, encoded(clip), rows=1, steps=2)
    (found,) = columns.words_in(clip, TEXT, "red ball", "x")
    parts = attention.held[0].prompts[0].parts
    total = sum(maps.enlarged(part.sums[..., list(found.columns)].mean(-1), Size(16, 16)) for part in parts)
    shown = show(attention, out, "red ball")
    assert not notices(shown)
    assert (shown.args[2] - full(total / len(parts))).abs().max() < 1e-5
    one = next(part for part in parts if part.layers == (1,) and part.step == 1)
    expected = full(maps.enlarged(one.sums[..., list(found.columns)].mean(-1), Size(16, 16)))
    assert (show(attention, out, "red ball", layers="1", steps="1").args[2] - expected).abs().max() < 1e-5


def test_pictures_masks_sheets_and_overlays(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model, "each layer")
    out = world.run(model, encoded(clip), steps=1)
    image = torch.rand(2, 128, 128, 3, generator=torch.Generator().manual_seed(1))
    shown = show(attention, out, "red ball, dog", image=image, show="overlay")
    images, masks, values = shown.args
    assert images.shape == (4, 128, 128, 3) and masks.shape == values.shape == (4, 128, 128)
    assert not [each for each in notices(shown) if "text" in each]
    assert show(attention, out, "dog", show="sheet of layers").args[0].shape[0] == 2
    if world.name == "Flux":
        groups = [show(attention, out, "dog", layers=text).args[2] for text in ("single", "2-4")]
        assert torch.equal(*groups) and not torch.equal(groups[0], show(attention, out, "dog").args[2])


def test_prompt_to_prompt_says_that_no_layer_is_at_a_quarter(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    model, attention = record(world.model)
    out = world.run(model, encoded(clip), rows=1, steps=1)
    shown = show(attention, out, "dog", aggregation="prompt-to-prompt")
    assert shown.args[2].shape == (1, 128, 128)
    assert [each for each in notices(shown) if "a quarter of the latent's size, but none of these is" in each]


@pytest.mark.parametrize("world", ["Qwen-Image"], indirect=True)
def test_words_after_pictures_are_counted_from_the_end(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    """As Qwen-Image-Edit's encoder puts pictures before the text; its states then know of them."""
    maps = importlib.import_module("recompose.core.attention.maps")
    picture = torch.zeros(1, 7, 5, 3)
    tokens = clip.tokenize(TEXT, images=[picture])
    states = clip.encode_from_tokens_scheduled(tokens)[0][0]
    (place,) = columns_of(clip, states, "red")
    states = states + 0.3 * torch.randn(states.shape, generator=torch.Generator().manual_seed(1))
    model, attention = record(world.model)
    out = world.run(model, [[states, {}]], rows=1, steps=1)
    shown = show(attention, out, "red")
    expected = full(
        maps.daam([maps.Chosen(part, [place]) for part in attention.held[0].prompts[0].parts], Size(16, 16))
    )
    assert (shown.args[2] - expected).abs().max() < 1e-5
    assert [each for each in notices(shown) if "encoded after pictures" in each and "from the end" in each]


@pytest.mark.parametrize("world", ["Z-Image"], indirect=True)
def test_words_among_reference_pictures_of_z_image(
    world: models.World, clip: Clip, record: Callable, show: Callable
) -> None:
    """With the template that ComfyUI's encoder for several pictures has."""
    node = importlib.import_module("comfy_extras.nodes_zimage").TextEncodeZImageOmni

    class Vae:
        def encode(self, image: Tensor) -> Tensor:
            return torch.randn(1, 16, 8, 12, generator=torch.Generator().manual_seed(6))

    image = torch.rand(1, 64, 96, 3)
    prompt = node.execute(clip, TEXT, None, False, Vae(), image).args[0]
    maps = importlib.import_module("recompose.core.attention.maps")
    (place,) = columns_of(clip, prompt[0][0], "red")
    model, attention = record(world.model)
    out = world.run(model, prompt, rows=1, steps=1)
    shown = show(attention, out, "red")
    expected = full(
        maps.daam([maps.Chosen(part, [place]) for part in attention.held[0].prompts[0].filled], Size(16, 16))
    )
    assert not notices(shown) and (shown.args[2] - expected).abs().max() < 1e-5
