"""Mutual Attention by masks of words: planted maps, the source row, the first step, and bad input."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor

SOURCE, TARGETS = "a red dog on a beach", ("a red dog that runs", "one big red dog")
WORDS = {"mode": "masked, from words", "text_source": SOURCE, "words_source": "dog"}
# Where the dog is in rows 0 and 1, in cells of the latent; MODES has the same halves in pixels.
LEFT, LOWER = torch.zeros(16, 16), torch.zeros(16, 16)
LEFT[:, :8] = 1
LOWER[5:] = 1
REGIONS = (LEFT, LOWER, 1 - LEFT)
STRONG = 40.0


class Clip:
    """ComfyUI's CLIP tokenizer, and a table of states for an encoder."""

    def __init__(self, scale: float = 1.0) -> None:
        self.tokenizer = importlib.import_module("comfy.sd1_clip").SD1Tokenizer()
        self.table = scale * torch.randn(49408, 16, generator=torch.Generator().manual_seed(11))

    def tokenize(self, text: str) -> Any:
        return self.tokenizer.tokenize_with_weights(text)

    def encode_from_tokens_scheduled(self, tokens: Any) -> list:
        return [[torch.cat([self.table[[each for each, _ in chunk]] for chunk in tokens["l"]])[None], {}]]


@pytest.fixture(scope="module")
def clip(comfy: ModuleType) -> Clip:
    return Clip()


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


def rows(clip: Clip, *texts: str) -> list:
    """The prompts as rows of one CONDITIONING."""
    words = [clip.encode_from_tokens_scheduled(clip.tokenize(text))[0][0] for text in texts]
    return [[torch.cat(words), {}]]


def column(clip: Clip, text: str, word: str) -> int:
    """The column of a word of one piece."""
    (found,) = importlib.import_module("recompose.bridge.attention.columns").words_in(clip, text, word, "x")
    return found.columns[0]


def planted(world: models.World, clip: Clip, texts: tuple[str, ...], regions: tuple[Tensor, ...]) -> Any:
    """A MODEL whose attention to the word dog is 1 within each row's region and 0 outside, in the positive.

    The queries point at the first direction inside; the word's key lies there and all others against it.
    """

    def plant(q: Tensor, k: Tensor, v: Tensor, extra: dict) -> tuple[Tensor, Tensor, Tensor]:
        height, width = extra["activations_shape"][-2:]
        count, heads = len(texts), extra["n_heads"]
        q, k = q.clone(), k.clone()
        for at, kind in enumerate(extra["cond_or_uncond"]):
            for row, text in enumerate(texts) if kind == 0 else ():
                there = torch.nn.functional.interpolate(
                    regions[row][None, None], (height, width), mode="nearest-exact"
                ).flatten()
                one, key = q[at * count + row].unflatten(-1, (heads, -1)), k[at * count + row]
                one.zero_()
                one[..., 0] = STRONG * (2 * there - 1)[:, None]
                key = key.unflatten(-1, (heads, -1))
                key.zero_()
                key[..., 0] = -STRONG
                key[column(clip, text, "dog"), :, 0] = STRONG
        return q, k, v

    model = world.model.clone()
    model.set_model_attn2_patch(plant)
    return model


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("cfg", [1.0, 4.0])
def test_maps_planted_to_be_the_masks_give_what_the_masks_give(
    threshold: float, cfg: float, world: models.World, clip: Clip, mutual: Callable
) -> None:
    texts = (SOURCE, TARGETS[0])
    model, prompt = planted(world, clip, texts, REGIONS), rows(clip, *texts)
    given = {"clip": clip, "text_target": TARGETS[0], "word_threshold": threshold}
    by_words = world.run(mutual(model, steps="1-", **WORDS, **given), prompt, cfg=cfg)
    by_masks = world.run(mutual(model, steps="1-", **models.MODES["masked"]), prompt, cfg=cfg)
    assert torch.equal(by_words, by_masks)
    replaced = world.run(mutual(model, steps="1-"), prompt, cfg=cfg)
    assert not torch.equal(by_words[1], replaced[1])


def test_each_target_has_the_mask_of_its_own_text(world: models.World, clip: Clip, mutual: Callable) -> None:
    texts = (SOURCE, *TARGETS)
    model, prompt = planted(world, clip, texts, REGIONS), rows(clip, *texts)
    masks = {
        "mode": "masked", "mask_source": models.HALVES[0],
        "mask_target": torch.cat((models.HALVES[1], 1 - models.HALVES[0])),
    }  # fmt: skip
    by_masks = world.run(mutual(model, steps="1-", **masks), prompt, rows=3)
    # As Rows takes them: a line for each, in any order, and words of the targets' own.
    for lines in (TARGETS, TARGETS[::-1]):
        given = {"clip": clip, "text_target": "\n\n".join(lines) + "\n", "words_target": "dog"}
        assert torch.equal(world.run(mutual(model, steps="1-", **WORDS, **given), prompt, rows=3), by_masks)


def test_sources_that_are_not_the_first_row(world: models.World, clip: Clip, mutual: Callable) -> None:
    texts = (TARGETS[0], SOURCE)
    model, prompt = planted(world, clip, texts, (LOWER, LEFT)), rows(clip, *texts)
    both = [
        world.run(mutual(model, steps="1-", source_rows="1", **given), prompt)
        for given in ({**WORDS, "clip": clip, "text_target": TARGETS[0]}, models.MODES["masked"])
    ]
    assert torch.equal(*both)


@pytest.mark.parametrize("sampler", ["euler", "heun", "dpmpp_2m", "dpmpp_sde", "uni_pc"])
def test_the_source_row_is_the_same_to_the_bit(
    sampler: str, world: models.World, clip: Clip, mutual: Callable
) -> None:
    prompt = rows(clip, SOURCE, TARGETS[0])
    plain = world.run(positive=prompt, sampler=sampler)
    model = mutual(world.model, **WORDS, clip=clip, text_target=TARGETS[0])
    out = world.run(model, prompt, sampler=sampler)
    assert torch.equal(out[0], plain[0]) and not torch.equal(out[1], plain[1])
    assert torch.equal(world.run(model, prompt, sampler=sampler), out)  # nothing is left of the first run


def test_before_the_first_map_it_is_replace(world: models.World, clip: Clip, mutual: Callable) -> None:
    prompt = rows(clip, SOURCE, TARGETS[0])
    given = {**WORDS, "clip": clip, "text_target": TARGETS[0]}
    for more, steps in (({}, 1), ({"steps": "0"}, 4)):
        by_words = world.run(mutual(world.model, **given, **more), prompt, steps=steps)
        assert torch.equal(by_words, world.run(mutual(world.model, **more), prompt, steps=steps))
    later = [world.run(mutual(world.model, **more, steps="1-"), prompt) for more in (given, {})]
    assert not torch.equal(*later)


def test_maps_are_of_the_steps_before_and_of_the_decoder_at_a_quarter(
    world: models.World, clip: Clip, comfy: ModuleType
) -> None:
    module = importlib.import_module("recompose.bridge.attention.from_words")
    install = importlib.import_module("recompose.bridge.attention.install")
    network = importlib.import_module("recompose.bridge.attention.blocks").unet_of(world.model, "x")

    def layers(*size: int) -> list[int]:
        return module.layers_of(network, install.Run((2, 4, *size), [1.0, 0.0]))

    assert layers(64, 64) == layers(96, 64) == layers(128, 128) == [7, 8, 9]
    assert layers(32, 40) == [10, 11, 12] and layers(16, 16) == layers(8, 8) == [13, 14, 15]
    asked = module.Asked(clip, SOURCE, TARGETS[0], "dog")
    texts = module.texts_of(asked, "masked, from words", "x")
    seen: list[tuple[int, int]] = []
    watches: list[Any] = []

    def start(run: Any, latent: Any) -> None:
        watches.append(module.Watch(network, texts, run, (0,), "x"))

    def change(options: dict, call: Any) -> dict:
        watch = watches[-1]
        masks, again = watch.masks_at(call.step), watch.masks_at(call.step)
        assert masks is again
        seen.append((call.step, counted(watch)))
        return watch.recorded(options, call)

    def counted(watch: Any) -> int:
        return sum(part.count for each in watch.taking.prompts.values() for part in each.parts)

    world.run(install.install(world.model, "watch", start, change), rows(clip, SOURCE, TARGETS[0]))
    assert seen == [(0, 0), (1, 3), (2, 6), (3, 9)]


def test_steps_after_the_last_that_needs_a_mask_are_not_recorded(
    world: models.World, clip: Clip, mutual: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("recompose.bridge.attention.from_words")
    seen: list[int] = []
    recorded = module.Watch.recorded

    def watched(self: Any, options: dict, call: Any) -> dict:
        seen.append(call.step)
        return recorded(self, options, call)

    monkeypatch.setattr(module.Watch, "recorded", watched)
    given = {**WORDS, "clip": clip, "text_target": TARGETS[0]}
    for steps, expected in (("0-2", [0, 1]), ("2-", [0, 1, 2]), ("0", []), ("9-", [])):
        seen.clear()
        world.run(mutual(world.model, **given, steps=steps), rows(clip, SOURCE, TARGETS[0]))
        assert seen == expected


def test_several_words_are_one_mask(world: models.World, clip: Clip, mutual: Callable) -> None:
    prompt = rows(clip, SOURCE, TARGETS[0])
    outs = [
        world.run(
            mutual(world.model, **{**WORDS, "words_source": words}, clip=clip, text_target=TARGETS[0],
                   words_target="dog"), prompt
        )
        for words in ("dog", "dog, beach", "beach,dog")
    ]  # fmt: skip
    assert torch.equal(outs[1], outs[2]) and not torch.equal(outs[0], outs[1])


@pytest.fixture
def told(comfy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What appears below the sampler."""
    found: list[str] = []
    monkeypatch.setattr(importlib.import_module("recompose.bridge.notices"), "_show_below_node", found.append)
    return found


def test_a_map_in_which_nothing_stands_out_is_replace_and_a_notice(
    clip: Clip, mutual: Callable, told: list[str]
) -> None:
    world = models.unet()
    for name, parameter in world.model.model.diffusion_model.named_parameters():
        if "attn2.to_q" in name:
            parameter.data.zero_()
    prompt = rows(clip, SOURCE, TARGETS[0])
    given = {**WORDS, "clip": clip, "text_target": TARGETS[0]}
    out = world.run(mutual(world.model, **given), prompt)
    replaced = world.run(mutual(world.model), prompt)
    assert (out - replaced).abs().max() < 1e-4 * out.std()
    assert len([each for each in told if 'row 0 stood out for "dog"' in each]) == 1


def test_other_words_than_the_run_s_are_a_notice(
    world: models.World, clip: Clip, mutual: Callable, told: list[str]
) -> None:
    prompt = rows(clip, "a cat", TARGETS[0])
    world.run(mutual(world.model, **WORDS, clip=clip, text_target=TARGETS[0]), prompt)
    (found,) = [each for each in told if "text_source" in each]
    assert found.startswith("Mutual Attention: text_source is not what rows 0 are sampled with")


def test_words_in_another_mode_are_a_notice(world: models.World, clip: Clip, comfy: ModuleType) -> None:
    notices = importlib.import_module("recompose.bridge.notices")
    module = importlib.import_module("recompose.bridge.attention.mutual")
    with notices.collect() as found:
        module.mutual(world.model, 1.0, "union", "0", "", "", asked=module.Asked(words_source="dog"))
    assert found == [
        "Mutual Attention: words are used by the mode masked, from words only; union does without them."
    ]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no clip": ({"clip": None}, "the mode masked, from words needs clip; connect"),
    "nothing": (
        {"clip": None, "text_source": "", "text_target": "\n", "words_source": " "},
        "needs clip, text_source, text_target, words_source; connect",
    ),
    "another word": (
        {"words_source": "cat"},
        'words_source: "cat" is not in the text; its words are a, red, dog',
    ),
    "a word of the source only": ({"words_source": "beach"}, 'words_target: "beach" is not in the text'),
    "a second dog": ({"words_target": "dog#2"}, 'words_target: "dog" is in the text once but #2'),
    "commas": ({"words_source": ",", "text_source": "."}, "words_source: the text has no words"),
    "a threshold beyond 1": ({"word_threshold": 2.0}, "word_threshold must be a number from 0.0 to 1.0"),
    "a text that is none": ({"text_target": 3}, "text_target must be a text but is 3"),
    "a clip that makes NaN": ({"clip": float("nan")}, "words_source: the encoded text holds NaN"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(name: str, world: models.World, clip: Clip, mutual: Callable) -> None:
    changed, sentence = BAD[name]
    given = {**WORDS, "clip": clip, "text_target": TARGETS[0], **changed}
    if isinstance(given["clip"], float):
        given["clip"] = Clip(given["clip"])
    with pytest.raises(ValueError, match=f"^Mutual Attention: .*{sentence}") as error:
        mutual(world.model, **given)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


@pytest.mark.parametrize("name", models.JOINT)
def test_transformers_are_refused_by_name(name: str, clip: Clip, mutual: Callable) -> None:
    model = models.joint(name).model
    kind = type(model.model).__name__
    with pytest.raises(ValueError, match=rf"^Mutual Attention: the mode .* but the model is a {kind}; .*\.$"):
        mutual(model, **WORDS, clip=clip, text_target=TARGETS[0])


def test_none_of_several_prompts_is_said(world: models.World, clip: Clip, mutual: Callable) -> None:
    left = torch.zeros(1, 16, 16)
    left[..., :8] = 1
    prompt = [
        [rows(clip, "a cat", TARGETS[0])[0][0], {"mask": left}],
        [rows(clip, "a sea", "a sea")[0][0], {"mask": 1 - left}],
    ]
    sentence = r"^Mutual Attention: text_source is none of the 2 prompts that row 0 is sampled with; .*\.$"
    with pytest.raises(ValueError, match=sentence):
        world.run(mutual(world.model, **WORDS, clip=clip, text_target=TARGETS[0]), prompt)
