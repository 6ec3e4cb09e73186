"""Words found in pictures without generating, on ComfyUI's UNet."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
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


def test_masks_for_each_picture_and_word_in_the_picture_s_size(
    world: models.World, word_mask: ModuleType
) -> None:
    image = torch.rand(2, 133, 122, 3, generator=torch.Generator().manual_seed(4))
    finish = word_mask.Finish(threshold=0.5)
    masks, maps = word_mask.word_masks(
        world.model, Clip(), Vae(), image, "a red ball and a dog", "ball, red", finish
    )
    assert masks.shape == maps.shape == (4, 133, 122)
    assert torch.equal(masks, (maps >= 0.5).float())
    for number in range(2):
        alone, _ = word_mask.word_masks(
            world.model, Clip(), Vae(), image[number:][:1], "a red ball and a dog", "ball", finish
        )
        assert alone.shape == (1, 133, 122)
    typed, _ = word_mask.word_masks(world.model, Clip(), Vae(), image, "", "ball", finish)
    assert typed.shape == (2, 133, 122)


def test_one_piece_grown_and_feathered(word_mask: ModuleType) -> None:
    masks = torch.zeros(1, 1, 40, 40)
    masks[..., 5:15, 5:15], masks[..., 30:33, 30:33] = 1, 1
    kept = word_mask.finished(masks, word_mask.Finish(one_piece=True, grow=2.0))
    assert kept[0, 0, 3:17, 8].all() and not kept[..., 25:, :].any() and int(kept.sum()) > 100
    soft = word_mask.finished(masks, word_mask.Finish(feather=6.0))
    assert 0 < float(soft[0, 0, 10, 3]) < 1
    assert torch.equal(word_mask.finished(masks, word_mask.Finish()), masks)


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [("a dog", "cat", '"cat" is not in the text; its words are a, dog'), ("a dog", " ,", "words is empty")],
)
def test_bad_words_are_refused(
    text: str, words: str, sentence: str, world: models.World, word_mask: ModuleType
) -> None:
    with pytest.raises(ValueError, match=sentence):
        word_mask.word_masks(
            world.model, Clip(), Vae(), torch.rand(1, 64, 64, 3), text, words, word_mask.Finish()
        )


@pytest.mark.parametrize(
    ("size", "layers"),
    [((64, 64), "7,8,9,10,11,12,13,14,15"), ((40, 32), "10,11,12,13,14,15"), ((24, 16), "13,14,15"),
     ((8, 12), "13,14,15")],
)  # fmt: skip
def test_layers_whose_maps_are_fine_enough(
    size: tuple[int, int], layers: str, world: models.World, word_mask: ModuleType
) -> None:
    assert word_mask.usual_layers(world.model, torch.zeros(1, 4, *size)) == layers


def test_other_networks_are_refused_by_name(word_mask: ModuleType, comfy: ModuleType) -> None:
    other = models.unet().model
    other.add_object_patch("diffusion_model", torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"works with SD1, SD2, SDXL, SD3, Flux, .* but the model is"):
        word_mask.looked_at(other, Clip(), torch.zeros(1, 4, 16, 16), "a", "", 0)
