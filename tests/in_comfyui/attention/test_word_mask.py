"""Words found in pictures without generating, on ComfyUI's UNet."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.shapes import Size
from recompose.tests.in_comfyui.attention import clips, models
from torch import Tensor

WIDTH = 16


class Clip:
    """ComfyUI's CLIP tokenizer, and a table of states for an encoder."""

    def __init__(self) -> None:
        self.tokenizer = importlib.import_module("comfy.sd1_clip").SD1Tokenizer()
        self.table = torch.randn(49408, WIDTH, generator=torch.Generator().manual_seed(11))

    def tokenize(self, text: str) -> Any:
        return self.tokenizer.tokenize_with_weights(text)

    def encode_from_tokens_scheduled(self, tokens: Any) -> list:
        return [[torch.cat([self.table[[each for each, _ in chunk]] for chunk in tokens["l"]])[None], {}]]


class Vae:
    """A picture's red, averaged over cells of 8 px, as the latent."""

    def spacial_compression_encode(self) -> int:
        return 8

    def encode(self, pixels: Tensor) -> Tensor:
        assert pixels.shape[1] % 8 == pixels.shape[2] % 8 == 0 and pixels.shape[3] == 3
        return torch.nn.functional.avg_pool2d(pixels[..., :1].movedim(-1, 1), 8).expand(-1, 4, -1, -1)


@pytest.fixture(scope="module")
def word_mask(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.attention.word_mask")


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


def watched(model: Any, seen: list[Tensor]) -> Any:
    """A MODEL whose calls' sigmas are listed."""

    def keep(apply: Any, given: dict) -> Tensor:
        seen.append(given["timestep"])
        return apply(given["input"], given["timestep"], **given["c"])

    model = model.clone()
    model.set_model_unet_function_wrapper(keep)
    return model


def test_each_level_is_one_call_without_guidance(world: models.World, word_mask: ModuleType) -> None:
    seen: list[Tensor] = []
    model, latent = watched(world.model, seen), torch.rand(2, 4, 16, 16)
    record = word_mask.looked_at(model, Clip(), latent, "a red ball", "", 3)
    sampling = world.model.get_model_object("model_sampling")
    expected = [float(sampling.percent_to_sigma(each)) for each in word_mask.LEVELS]
    assert [float(each[0]) for each in seen] == pytest.approx(expected) and all(
        len(each) == 2 for each in seen
    )
    assert torch.allclose(record.result, latent, atol=1e-5)
    for part in record.prompts[0].parts:
        assert part.count == len(word_mask.LEVELS) * len(part.layers)
        assert (part.sums.sum(-1) / part.count - 1).abs().max() < 1e-5
    again = word_mask.looked_at(model, Clip(), latent, "a red ball", "", 3)
    assert all(torch.equal(a.sums, b.sums) for a, b in zip(
        record.prompts[0].parts, again.prompts[0].parts, strict=True))  # fmt: skip


def masked(word_mask: ModuleType, world: models.World, image: Tensor, words: str, **given: Any) -> tuple:
    """The masks and maps of words; given may replace any other input."""
    found = {
        "model": world.model, "clip": Clip(), "vae": Vae(), "text": "a red ball and a dog",
        "finish": word_mask.Finish(threshold=0.5), **given,
    }  # fmt: skip
    return word_mask.word_masks(image=image, words=words, **found)


def test_masks_for_each_picture_and_word_in_the_picture_s_size(
    world: models.World, word_mask: ModuleType
) -> None:
    coarse = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(4))
    image = torch.nn.functional.interpolate(coarse, (133, 122)).movedim(1, -1)
    masks, maps = masked(word_mask, world, image, "ball, red")
    assert masks.shape == maps.shape == (4, 133, 122)
    assert torch.equal(masks, (maps >= 0.5).float())
    # Picture by picture, and what is found in one depends neither on the other nor on the other word.
    for number in range(2):
        for place, word in enumerate(("ball", "red")):
            _, alone = masked(word_mask, world, image[number:][:1], word)
            assert (alone[0] - maps[2 * number + place]).abs().max() < 1e-3
    assert (maps[0] - maps[2]).abs().max() > 0.01 and (maps[0] - maps[1]).abs().max() > 0.01
    typed, _ = masked(word_mask, world, image, "ball", text="")
    assert typed.shape == (2, 133, 122)


def test_another_seed_is_another_noise(world: models.World, word_mask: ModuleType) -> None:
    image = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(4))
    first, again, other = (masked(word_mask, world, image, "ball", seed=seed)[1] for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (7, 9), (8, 512), (600, 24), (64, 65)], ids=lambda side: str(side)
)
@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_of_odd_sizes_with_and_without_alpha(
    height: int, width: int, channels: int, world: models.World, word_mask: ModuleType
) -> None:
    image = torch.rand(1, height, width, channels, generator=torch.Generator().manual_seed(4))
    masks, maps = masked(word_mask, world, image, "ball", finish=word_mask.Finish())
    assert masks.shape == maps.shape == (1, height, width) and torch.isfinite(maps).all()
    opaque = masked(word_mask, world, image[..., :3], "ball", finish=word_mask.Finish())
    assert torch.equal(masks, opaque[0]) and torch.equal(maps, opaque[1])


KINDS = {
    "v-prediction": {"kind": "V_PREDICTION"},
    "SDXL": {"config": "SDXL", "settings": models.SDXL},
    "inpaint checkpoint": {"settings": models.UNET | {"in_channels": 9}},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_other_checkpoints(kind: dict, word_mask: ModuleType, comfy: ModuleType) -> None:
    world = models.unet(**kind)
    inner = world.model.model
    if kind.get("settings", {}).get("in_channels") == 9:
        inner.set_inpaint()

    class Pooled(Clip):
        def encode_from_tokens_scheduled(self, tokens: Any) -> list:
            ((states, _),) = super().encode_from_tokens_scheduled(tokens)
            return [[states, {"pooled_output": torch.ones(1, 1280)}]]

    image = torch.rand(2, 72, 64, 3, generator=torch.Generator().manual_seed(4))
    _, maps = masked(word_mask, world, image, "dog", clip=Pooled())
    assert maps.shape == (2, 72, 64) and torch.isfinite(maps).all() and maps.max() - maps.min() > 0.3


def test_a_word_with_a_weight_and_a_word_of_several(world: models.World, word_mask: ModuleType) -> None:
    image = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(4))
    text = "a (masked mouse:1.3) and a mouse, (((grey)))"
    masks, maps = masked(word_mask, world, image, "masked mouse, mouse#2, grey", text=text)
    assert masks.shape == (3, 64, 64) and (maps[0] - maps[1]).abs().max() > 0.1
    alone, _ = masked(word_mask, world, image, "mouse, mouse#2", text=" ")
    assert alone.shape == (2, 64, 64)


def test_one_piece_grown_and_feathered(word_mask: ModuleType) -> None:
    masks = torch.zeros(1, 1, 40, 40)
    masks[..., 5:15, 5:15], masks[..., 30:33, 30:33] = 1, 1
    kept = word_mask.finished(masks, word_mask.Finish(one_piece=True, grow=2.0))
    assert kept[0, 0, 3:17, 8].all() and not kept[..., 25:, :].any() and int(kept.sum()) > 100
    soft = word_mask.finished(masks, word_mask.Finish(feather=6.0))
    assert 0 < float(soft[0, 0, 10, 3]) < 1
    assert torch.equal(word_mask.finished(masks, word_mask.Finish()), masks)


class Wide(Vae):
    """Another model's VAE."""

    def encode(self, pixels: Tensor) -> Tensor:
        return super().encode(pixels).repeat(1, 4, 1, 1)


class Broken(Vae):
    """A VAE in half precision."""

    def encode(self, pixels: Tensor) -> Tensor:
        return super().encode(pixels) * torch.nan


class Nowhere(Clip):
    """A text encoder with a LoRA that does not fit."""

    def encode_from_tokens_scheduled(self, tokens: Any) -> list:
        ((states, more),) = super().encode_from_tokens_scheduled(tokens)
        return [[states * torch.nan, more]]


IMAGE = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(4))
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a word that is not there": (
        {"words": "cat"},
        '"cat" is not in the text; its words are a, red, ball',
    ),
    "a third of two": ({"words": "a#3"}, '"a" is in the text 2 times but #3 was asked for'),
    "no words": ({"words": " ,"}, "words is empty; write what"),
    "a text without words": ({"words": "!", "text": "!!"}, "the text has no words"),
    "layers in words": ({"layers": "deep"}, 'layers cannot be read at "deep"'),
    "layers beyond": ({"layers": "20-30"}, "names none of the model's layers 0 to 15"),
    "a grey picture": (
        {"image": torch.rand(1, 64, 64, 1)},
        r"image must be a batch .* but is \[1, 64, 64, 1\]",
    ),
    "a picture of five axes": ({"image": torch.rand(1, 2, 64, 64, 3)}, "image must be a batch of RGB"),
    "no picture": ({"image": torch.rand(0, 64, 64, 3)}, "image must be a batch of RGB"),
    "NaN": ({"image": IMAGE * torch.nan}, "image holds NaN"),
    "another model's VAE": ({"vae": Wide}, "16 channels but the model takes a picture's with 4"),
    "a VAE that makes NaN": ({"vae": Broken}, "the encoded picture holds NaN"),
    "a CLIP that makes NaN": ({"clip": Nowhere}, "the encoded text holds NaN"),
    "grow without a number": ({"grow": float("nan")}, "grow must be a number"),
    "a threshold beyond 1": ({"threshold": 1.5}, "threshold must be a number from 0.0 to 1.0 but is 1.5"),
    "no VAE": ({"vae": None}, "vae is missing; connect a VAE"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(name: str, world: models.World, word_mask: ModuleType) -> None:
    changed, sentence = BAD[name]
    given = {key: each() if isinstance(each, type) else each for key, each in changed.items()}
    node = importlib.import_module("recompose.nodes.word_mask").WordMask
    sound = {
        "model": world.model, "clip": Clip(), "vae": Vae(), "image": IMAGE, "text": "a red ball and a dog",
        "words": "ball", "threshold": 0.0, "one_piece": False, "grow": 0.0, "feather": 0.0,
    }  # fmt: skip
    with pytest.raises(ValueError, match=f"^Word Mask: .*{sentence}") as error:
        node.execute(**sound | given)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_a_model_that_makes_nan_is_named(word_mask: ModuleType, comfy: ModuleType) -> None:
    world = models.unet()
    weight = world.model.model.diffusion_model.output_blocks[8][1].transformer_blocks[0].attn2.to_k.weight
    weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match=r'^Word Mask: the attention of picture 0 to "ball" holds NaN'):
        masked(word_mask, world, IMAGE, "ball")


def test_a_map_in_which_nothing_stands_out_is_a_notice(word_mask: ModuleType, comfy: ModuleType) -> None:
    world = models.unet()
    for name, parameter in world.model.model.diffusion_model.named_parameters():
        if "attn2.to_q" in name:
            parameter.data.zero_()
    with importlib.import_module("recompose.bridge.notices").collect() as found:
        masks, maps = masked(word_mask, world, IMAGE, "ball", finish=word_mask.Finish())
    assert not masks.any() and not maps.any()
    assert [each for each in found if 'Word Mask: nothing in picture 0 stands out for "ball"' in each]


@pytest.mark.parametrize(
    ("size", "layers"),
    [((64, 64), "7,8,9,10,11,12,13,14,15"), ((40, 32), "10,11,12,13,14,15"), ((24, 16), "13,14,15"),
     ((8, 12), "13,14,15")],
)  # fmt: skip
def test_layers_whose_maps_are_fine_enough(
    size: tuple[int, int], layers: str, world: models.World, word_mask: ModuleType
) -> None:
    assert word_mask.usual_layers(world.model, torch.zeros(1, 4, *size)) == layers


@pytest.mark.parametrize("name", [name for name in models.JOINT if name != "Flux"])
def test_other_networks_are_refused_by_name(name: str, word_mask: ModuleType, comfy: ModuleType) -> None:
    class Unused:
        """A VAE that is not asked."""

        def spacial_compression_encode(self) -> int:
            raise AssertionError

    kind = type(models.joint(name).model.model).__name__
    known = "SD1, SD2, SDXL and FLUX.1"
    sentence = f"^Word Mask works with {known} but the model is a {kind}; connect one of these.$"
    with pytest.raises(ValueError, match=sentence):
        masked(word_mask, models.joint(name), IMAGE, "ball", vae=Unused())


def test_memory_is_asked_for_before_anything_is_encoded(
    world: models.World, word_mask: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        importlib.import_module("recompose.bridge.attention.maps"), "free_memory", lambda: 1000
    )
    with pytest.raises(ValueError, match=r"^Word Mask: 1 maps of 64×64 px would take .* name fewer words\.$"):
        masked(word_mask, world, IMAGE, "ball", vae=None)


def test_words_that_are_in_no_text_are_found_by_flux(word_mask: ModuleType, comfy: ModuleType) -> None:
    """As concepts: what it gives is what the concept maps of the encoded, padded photos are."""
    concepts = importlib.import_module("recompose.bridge.attention.concepts")
    flux, clip = models.joint("Flux"), clips.Clip("Flux", 16)

    class Wide(Vae):
        def encode(self, pixels: Tensor) -> Tensor:
            return super().encode(pixels)[:, :1].expand(-1, 16, -1, -1)

    image = torch.rand(2, 133, 122, 3, generator=torch.Generator().manual_seed(4))
    given = {"clip": clip, "vae": Wide(), "text": "a photo"}
    masks, maps = masked(word_mask, flux, image, "cat, red ball, cat", **given)
    assert masks.shape == maps.shape == (4, 133, 122)
    assert torch.equal(masks, (maps >= 0.5).float())
    padded = word_mask.to_whole_cells(image.movedim(-1, 1), 8)
    samples = Wide().encode(padded.movedim(1, -1))
    expected = concepts.concept_masks(
        flux.model, clip, samples, ["cat", "red ball"], "a photo", Size(128, 136), 0.5, "", 0, "x"
    )
    for number, (_, shown) in enumerate(expected):
        assert (maps[number] - shown[:133, :122]).abs().max() < 0.01  # a MASK has no traces
