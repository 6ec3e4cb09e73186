"""Files of concepts in every published layout, told apart by their keys."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from recompose.core.concepts import formats, names
from recompose.core.concepts.concept import LowRank, difference, shape_of

OWN = "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
THEIRS = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"
PROCESSOR = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor.to_k_custom_diffusion.weight"
OUT = "mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_out_custom_diffusion.0.bias"
OTHER_LAYER = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor"
WEIGHT, WORD = torch.arange(640 * 768.0).reshape(640, 768), torch.arange(768.0)
U, V = torch.ones(640, 3), torch.full((3, 768), 0.5)

FILES: dict[str, dict[str, Any]] = {
    "CompVis": {"state_dict": {f"model.diffusion_model.{OWN}": WEIGHT, "embed": WORD[None]}},
    "compressed": {"state_dict": {f"model.diffusion_model.{OWN}": {"u": U, "v": V}, "embed": WORD[None]}},
    "delta.bin": {"unet": {THEIRS: WEIGHT}, "modifier_token": {"<new1>": WORD}},
    "diffusers": {PROCESSOR: WEIGHT, OTHER_LAYER: {}, "<new1>": WORD},
    "ours": {f"unet.{OWN}": WEIGHT, "token.<new1>.clip_l": WORD},
    "ours of small rank": {f"unet.{OWN}.u": U, f"unet.{OWN}.v": V, "token.<new1>.clip_l": WORD},
}


@pytest.mark.parametrize("kind", FILES)
def test_each_layout_gives_the_same_weight_and_word(kind: str) -> None:
    concept = formats.read(FILES[kind])
    assert list(concept.weights) == [OWN] and concept.base == "SD1"
    assert concept.tokens["<new1>"]["clip_l"].equal(WORD)
    weight = concept.weights[OWN]
    if "compressed" in kind or "rank" in kind:
        assert isinstance(weight, LowRank) and shape_of(weight) == (640, 768)
        assert difference(weight, torch.zeros(640, 768)).equal(torch.full((640, 768), 1.5))
    else:
        assert isinstance(weight, torch.Tensor) and weight.equal(WEIGHT)


def test_what_is_written_is_read_again() -> None:
    first = formats.read(FILES["delta.bin"])
    tensors, metadata = formats.ours(first)
    again = formats.read(tensors)
    assert metadata["base"] == "SD1" and again.weights[OWN].equal(WEIGHT)  # type: ignore[union-attr]
    assert again.tokens["<new1>"]["clip_l"].equal(WORD)
    low, _ = formats.ours(formats.read(FILES["compressed"]))
    assert isinstance(formats.read(low).weights[OWN], LowRank)
    files = formats.diffusers({OWN: WEIGHT}, first.tokens)
    assert list(files) == ["pytorch_custom_diffusion_weights", "<new1>"]
    assert list(files["pytorch_custom_diffusion_weights"]) == [PROCESSOR]
    read = formats.read({**files["pytorch_custom_diffusion_weights"], **files["<new1>"]})
    assert read.weights[OWN].equal(WEIGHT) and read.tokens["<new1>"]["clip_l"].equal(WORD)  # type: ignore[union-attr]


def test_faces_also_change_queries_and_outputs() -> None:
    bias = torch.ones(1280)
    concept = formats.read({PROCESSOR: WEIGHT, OUT: bias})
    assert list(concept.weights) == [OWN, "middle_block.1.transformer_blocks.0.attn2.to_out.0.bias"]
    assert formats.processor_name("middle_block.1.transformer_blocks.0.attn2.to_out.0.bias") == OUT


def test_sdxl_has_a_vector_for_each_text_encoder() -> None:
    wide = torch.ones(640, 2048)
    raw = {"unet": {THEIRS: wide}, "modifier_token": {"<new1>": [torch.ones(768), torch.ones(1280)]}}
    concept = formats.read(raw)
    assert set(concept.tokens["<new1>"]) == {"clip_l", "clip_g"} and concept.base == "SDXL"


def test_several_words_keep_their_order() -> None:
    raw = {"state_dict": {"embed": torch.stack([WORD, WORD + 1, WORD + 2])}}
    assert list(formats.read(raw).tokens) == ["<new1>", "<new2>", "<new3>"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({}, "neither"),
        ({"lora_unet_mid.lora_up.weight": WEIGHT}, "neither"),
        ({"state_dict": {"embed": torch.full((1, 768), float("nan"))}}, "not finite"),
        ({"state_dict": WORD}, "no weights"),
        ({"modifier_token": {"<new1>": []}}, "no vector"),
        ({"modifier_token": {"<new1>": [WORD, WORD]}}, "several vectors"),
        ({"modifier_token": {"<new1>": "cat"}}, "no vector"),
    ],
)
def test_other_files_are_refused(raw: dict[str, Any], why: str) -> None:
    with pytest.raises(formats.NotAConcept, match=why):
        formats.read(raw)


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ("input_blocks.1.1.norm.weight", "down_blocks.0.attentions.0.norm.weight"),
        ("input_blocks.2.1.norm.weight", "down_blocks.0.attentions.1.norm.weight"),
        ("input_blocks.8.1.norm.weight", "down_blocks.2.attentions.1.norm.weight"),
        ("middle_block.1.norm.weight", "mid_block.attentions.0.norm.weight"),
        ("output_blocks.3.1.norm.weight", "up_blocks.1.attentions.0.norm.weight"),
        ("output_blocks.11.1.norm.weight", "up_blocks.3.attentions.2.norm.weight"),
    ],
)
def test_names_of_both_layouts(own: str, theirs: str) -> None:
    assert names.own(theirs) == names.own(own) == names.own(f"model.diffusion_model.{own}") == own
    assert names.theirs(own) == theirs
    assert names.own("input_blocks.1.0.norm.weight") is None
