"""Words and their columns by ComfyUI's own tokenizers."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

TOKENIZERS = {
    "SD1": ("comfy.sd1_clip", "SD1Tokenizer"),
    "SD2": ("comfy.text_encoders.sd2_clip", "SD2Tokenizer"),
    "SDXL": ("comfy.sdxl_clip", "SDXLTokenizer"),
    "SD3": ("comfy.text_encoders.sd3_clip", "SD3Tokenizer"),
    "Flux": ("comfy.text_encoders.flux", "FluxTokenizer"),
    "Qwen-Image": ("comfy.text_encoders.qwen_image", "QwenImageTokenizer"),
    "Z-Image": ("comfy.text_encoders.z_image", "ZImageTokenizer"),
}
TEXT = "a Skateboarder's (red dog:1.3), café 犬 blue-eyed, a dog"
CASES: dict[str, dict[str, list[int]]] = {
    "SD1": {
        "skateboarder": [2, 3], "skateboarder's": [2, 3, 4], "red dog": [5, 6], "dog": [6, 17], "dog#2": [17],
        "café": [8], "犬": [9, 10, 11], "blue-eyed": [12, 13, 14], "a#2": [16],
    },
    "Flux": {
        "skateboarder": [2, 3, 4, 5], "red dog": [8, 9], "CAFÉ": [12], "blue-eyed": [15, 16, 17, 18],
    },
    "Qwen-Image": {
        "skateboarder": [1, 2, 3], "red dog": [6, 7], "1.3": [9, 10, 11], "café": [13], "犬": [14, 15, 16],
    },
    "Z-Image": {"skateboarder": [4, 5, 6], "red dog": [9, 10], "café": [16], "犬": [17, 18, 19]},
}  # fmt: skip


class Clip:
    """What of a CLIP is asked for."""

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        module, name = TOKENIZERS[kind]
        self.tokenizer = getattr(importlib.import_module(module), name)(
            embedding_directory=folder and str(folder)
        )

    def tokenize(self, text: str) -> Any:
        return self.tokenizer.tokenize_with_weights(text)


@pytest.fixture(scope="module")
def clips(comfy: ModuleType) -> dict[str, Clip]:
    return {kind: Clip(kind) for kind in TOKENIZERS}


@pytest.fixture(scope="module")
def columns(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.attention.columns")


@pytest.mark.parametrize(
    ("kind", "word"), [(kind, word) for kind, cases in CASES.items() for word in cases], ids=str
)
def test_columns_of_a_word(kind: str, word: str, clips: dict[str, Clip], columns: ModuleType) -> None:
    (found,) = columns.words_in(clips[kind], TEXT, word, "Node: words")
    assert list(found.columns) == CASES[kind][word]


@pytest.mark.parametrize("kind", ["SD2", "SDXL"])
def test_clips_of_other_models_have_the_same_columns(
    kind: str, clips: dict[str, Clip], columns: ModuleType
) -> None:
    """Their padding is a sign that also is in texts."""
    for text in (TEXT, "wow! a dog!"):
        assert columns.words_in(clips[kind], text, "", "x") == columns.words_in(clips["SD1"], text, "", "x")
    assert [word.text for word in columns.words_in(clips[kind], "wow! a dog", "", "x")] == ["wow", "a", "dog"]
    assert columns.words_in(clips[kind], "wow! a dog", "!", "x")[0].columns == (2,)


def test_sd3_has_the_columns_of_clip_and_after_them_those_of_t5(
    clips: dict[str, Clip], columns: ModuleType
) -> None:
    (found,) = columns.words_in(clips["SD3"], TEXT, "red dog", "x")
    assert list(found.columns) == [5, 6, 77 + 8, 77 + 9]
    (unknown,) = columns.words_in(clips["SD3"], TEXT, "犬", "x")  # T5 has no piece for it
    assert list(unknown.columns) == [9, 10, 11]


def test_a_word_of_the_template_is_not_in_the_text(clips: dict[str, Clip], columns: ModuleType) -> None:
    for kind in ("Qwen-Image", "Z-Image"):
        for word in ("user", "assistant", "texture"):
            with pytest.raises(ValueError, match="is not in the text; its words are a, red, user2"):
                columns.words_in(clips[kind], "a red user2", word, "x")


def test_prompts_beyond_one_chunk(clips: dict[str, Clip], columns: ModuleType) -> None:
    """A second chunk has a start token of its own."""
    long = ", ".join(["red"] * 40) + ", a green hat"
    (found,) = columns.words_in(clips["SD1"], long, "green hat", "x")
    tokens = clips["SD1"].tokenize(long)["l"]
    assert len(tokens) == 2
    flat = [each for chunk in tokens for each, _ in chunk]
    vocabulary = clips["SD1"].tokenizer.clip_l.inv_vocab
    assert [vocabulary[flat[column]] for column in found.columns] == ["green</w>", "hat</w>"]
    (red,) = columns.words_in(clips["SD1"], long, "red", "x")
    assert len(red.columns) == 40 and 0 not in red.columns and 77 not in red.columns


def test_embeddings_have_the_columns_of_their_vectors(
    columns: ModuleType, comfy: ModuleType, tmp_path: Path
) -> None:
    for name, count in (("style", 2), ("my-face", 3)):
        torch.save({"string_to_param": {"*": torch.randn(count, 768)}}, tmp_path / f"{name}.pt")
    clip = Clip("SD1", tmp_path)
    text = "a embedding:style embedding:my-face hat, embedding:missing dog (embedding:style:1.2)"
    cases = {
        "style": [2, 3, 9, 10], "style#2": [9, 10], "embedding:my-face": [4, 5, 6], "hat": [7], "dog": [],
    }  # fmt: skip
    tokens = [each for each, *_ in clip.tokenize(text)["l"][0]]
    vectors = [at for at, each in enumerate(tokens) if isinstance(each, torch.Tensor)]
    for word, expected in cases.items():
        (found,) = columns.words_in(clip, text, word, "x")
        if word == "style":
            assert list(found.columns) == [*vectors[:2], *vectors[5:]]
        elif expected and word != "style#2":
            assert list(found.columns) == expected
        assert (set(found.columns) <= set(vectors)) == (word not in ("hat", "dog"))


def test_bad_texts_and_clips_are_refused(clips: dict[str, Clip], columns: ModuleType) -> None:
    with pytest.raises(
        ValueError, match='x: "cat" is not in the text; its words are a, skateboarder, s, red, dog'
    ):
        columns.words_in(clips["SD1"], TEXT, "dog, cat", "x")
    with pytest.raises(ValueError, match="x: the text has no words"):
        columns.words_in(clips["SD1"], " ,", "dog", "x")

    class Other:
        tokenizer = None

        def tokenize(self, text: str) -> dict[str, list]:
            return {"llama": [[(1, 1.0)]]}

    with pytest.raises(ValueError, match=r"this CLIP \(llama\) cannot be told; connect one of SD1"):
        columns.words_in(Other(), "a", "a", "x")
