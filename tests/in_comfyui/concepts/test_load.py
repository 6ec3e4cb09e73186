"""Concepts on ComfyUI's models: weights by strength, new words in prompts as they stand."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.concepts.concept import Concept, LowRank
from recompose.tests.in_comfyui.concepts.conftest import WIDTH, Loaded
from safetensors.torch import save_file
from torch import Tensor

KEY = "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
UNET = "diffusion_model."


def vectors(seed: int, *encoders: str) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(WIDTH, generator=generator) for name in encoders or ("clip_l",)}


def weight_of(model: Any) -> Tensor:
    """The weight with all patches, as the sampler uses it."""
    model = model.clone()
    model.patch_model()
    found = model.model.state_dict()[UNET + KEY].clone()
    model.unpatch_model()
    return found


def concept_of(loaded: Loaded, seed: int = 5, word: str = "<new1>") -> Concept:
    base = loaded.model.model.state_dict()[UNET + KEY]
    generator = torch.Generator().manual_seed(seed)
    return Concept({KEY: torch.randn(base.shape, generator=generator)}, {word: vectors(seed)})


def encoded(clip: Any, text: str) -> Tensor:
    return clip.encode_from_tokens(clip.tokenize(text))


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0])
def test_strength_mixes_the_weights(sd1: Loaded, load: ModuleType, strength: float) -> None:
    base, concept = weight_of(sd1.model), concept_of(sd1)
    model, _ = load.applied(sd1.model, sd1.clip, concept, strength, "Load Concept")
    wanted = base + strength * (concept.weights[KEY] - base)
    assert torch.allclose(weight_of(model), wanted, atol=2e-6)
    assert strength or weight_of(model).equal(base)
    assert weight_of(sd1.model).equal(base)


def test_what_is_of_small_rank_is_added(sd1: Loaded, load: ModuleType) -> None:
    base = weight_of(sd1.model)
    change = LowRank(torch.ones(len(base), 1), torch.full((1, base.shape[1]), 0.25))
    model, _ = load.applied(sd1.model, sd1.clip, Concept({KEY: change}), 1.0, "Load Concept")
    assert torch.allclose(weight_of(model), base + 0.25, atol=1e-6)


def test_concepts_chain_and_start_from_the_loaded_base(sd1: Loaded, load: ModuleType) -> None:
    """Also where the first is already in the weights, as after a run on a GPU, and beside a LoRA."""
    base, one, two = weight_of(sd1.model), concept_of(sd1, 5), concept_of(sd1, 6, "<new2>")
    lora = sd1.model.clone()
    lora.add_patches({UNET + KEY: ("diff", (torch.full_like(base, 0.125),))}, 1.0)
    first, clip = load.applied(lora, sd1.clip, one, 1.0, "Load Concept")
    first.patch_model()
    try:
        second, both = load.applied(first, clip, two, 0.5, "Load Concept")
    finally:
        first.unpatch_model()
    wanted = one.weights[KEY] + 0.125 + 0.5 * (two.weights[KEY] - base)
    assert torch.allclose(weight_of(second), wanted, atol=4e-6)
    assert not encoded(both, "a <new1> cat").equal(encoded(both, "a <new2> cat"))


def test_a_new_word_is_one_place_with_its_vector(sd1: Loaded, words: ModuleType) -> None:
    held = vectors(1)
    clip = words.with_words(sd1.clip, {"<new1>": held}, "Load Concept")
    (chunk,) = clip.tokenize("a photo of <new1> cat, (<NEW1> dog:1.3)")["l"]
    plain = [entry[0] for entry in sd1.clip.tokenize("a photo of cat, dog")["l"][0]]
    assert [entry[0] for entry in chunk[:4]] == plain[:4] and chunk[5][0] == plain[4]
    assert chunk[4][0].equal(held["clip_l"]) and chunk[7][0].equal(held["clip_l"])
    assert chunk[4][1] == 1.0 and chunk[7][1] == pytest.approx(1.3)


@pytest.mark.parametrize(
    "text",
    ["<new1>", "(<new1>)", "<new1>'s cat", "<new1>,<new1>", "<new1><new1>", "x<new1>y", "[<new1>|cat]",
     "<new1>\ncat", "犬<new1>", "<new1> " * 90],
)  # fmt: skip
def test_new_words_wherever_they_stand(sd1: Loaded, words: ModuleType, text: str) -> None:
    clip = words.with_words(sd1.clip, {"<new1>": vectors(1)}, "Load Concept")
    found = [entry for chunk in clip.tokenize(text)["l"] for entry in chunk if isinstance(entry[0], Tensor)]
    assert len(found) == text.count("<new1>")
    assert torch.isfinite(encoded(clip, text)).all()


def test_a_text_without_the_word_stays_as_it_is(sd1: Loaded, words: ModuleType) -> None:
    clip = words.with_words(sd1.clip, {"<new1>": vectors(1)}, "Load Concept")
    for text in ("", "a cat", "new1 cat", "a (red:1.2) cat embedding:none"):
        assert clip.tokenize(text) == sd1.clip.tokenize(text)
        assert clip.tokenize(text, return_word_ids=True) == sd1.clip.tokenize(text, return_word_ids=True)


def test_the_callers_clip_stays(sd1: Loaded, words: ModuleType) -> None:
    before = encoded(sd1.clip, "a <new1> cat")
    clip = words.with_words(sd1.clip, {"<new1>": vectors(1)}, "Load Concept")
    assert not encoded(clip, "a <new1> cat").equal(before)
    assert encoded(sd1.clip, "a <new1> cat").equal(before)
    assert not hasattr(sd1.clip.tokenizer.clip_l, "new_words")


def test_a_plain_word_is_no_part_of_a_longer_one(sd1: Loaded, words: ModuleType) -> None:
    clip = words.with_words(sd1.clip, {"sks": vectors(1)}, "Load Concept")
    assert clip.tokenize("he asks") == sd1.clip.tokenize("he asks")
    assert isinstance(clip.tokenize("a sks dog")["l"][0][2][0], Tensor)


def test_sdxl_reads_a_vector_of_each_encoder(sdxl: Loaded, words: ModuleType) -> None:
    held = vectors(1, "clip_l", "clip_g")
    clip = words.with_words(sdxl.clip, {"<new1>": held}, "Load Concept")
    found = clip.tokenize("a <new1> cat")
    assert found["l"][0][2][0].equal(held["clip_l"]) and found["g"][0][2][0].equal(held["clip_g"])
    assert encoded(clip, "a <new1> cat").shape == (1, 77, 2 * WIDTH)
    with pytest.raises(ValueError, match="needs a vector of 48 numbers for clip_g, got none"):
        words.with_words(sdxl.clip, {"<new1>": vectors(1)}, "Load Concept")


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"<new1>": {"clip_l": torch.ones(8)}}, "needs a vector of 48 numbers for clip_l, got 8"),
        ({"my cat": {"clip_l": torch.ones(WIDTH)}}, "has no blanks, brackets"),
        ({"(cat)": {"clip_l": torch.ones(WIDTH)}}, "has no blanks, brackets"),
    ],
)
def test_words_that_cannot_be(sd1: Loaded, words: ModuleType, held: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        words.with_words(sd1.clip, held, "Load Concept")


def test_the_same_word_of_another_concept_is_refused(sd1: Loaded, words: ModuleType) -> None:
    clip = words.with_words(sd1.clip, {"<new1>": vectors(1)}, "Load Concept")
    words.with_words(clip, {"<new1>": vectors(1)}, "Load Concept")
    with pytest.raises(ValueError, match="<new1> is already another concept's word"):
        words.with_words(clip, {"<new1>": vectors(2)}, "Load Concept")


def test_a_model_of_another_kind_is_named(sd1: Loaded, load: ModuleType) -> None:
    base = sd1.model.model.state_dict()[UNET + KEY]
    with pytest.raises(ValueError, match=r"was made for SDXL \(2048 numbers a word\).*48 numbers a word"):
        load.applied(sd1.model, sd1.clip, Concept({KEY: torch.ones(len(base), 2048)}), 1.0, "Load Concept")
    with pytest.raises(ValueError, match=r"input_blocks\.2\.9"):
        other = Concept({"input_blocks.2.9.attn2.to_k.weight": torch.ones(4, WIDTH)})
        load.applied(sd1.model, sd1.clip, other, 1.0, "Load Concept")


def test_the_text_encoder_is_patched_as_well(sd1: Loaded, load: ModuleType) -> None:
    name = "text_model.encoder.layers.0.self_attn.k_proj.weight"
    table = "text_model.embeddings.token_embedding.weight"
    concept = Concept(text={name: torch.ones(WIDTH, WIDTH), table: torch.ones(9, WIDTH)})
    before = encoded(sd1.clip, "a cat")
    _, clip = load.applied(sd1.model, sd1.clip, concept, 1.0, "Load Concept")
    assert not encoded(clip, "a cat").equal(before)
    assert encoded(sd1.clip, "a cat").equal(before)


@pytest.fixture
def folder(comfy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's folder of concepts."""
    folders = importlib.import_module("recompose.bridge.models.folders")
    monkeypatch.setattr(folders, "roots", lambda category: [tmp_path])
    return tmp_path


def test_a_file_is_read_with_the_words_beside_it(sd1: Loaded, load: ModuleType, folder: Path) -> None:
    (folder / "cat").mkdir()
    held = concept_of(sd1)
    key = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_custom_diffusion.weight"
    torch.save(
        {key: held.weights[KEY], "x.attn1.processor": {}}, folder / "cat/pytorch_custom_diffusion_weights.bin"
    )
    torch.save({"<new1>": held.tokens["<new1>"]["clip_l"]}, folder / "cat/<new1>.bin")
    model, clip, token, concept = load.load_concept(
        sd1.model, sd1.clip, "cat/pytorch_custom_diffusion_weights.bin", 1.0, "<mycat>"
    )
    assert token == "<mycat>" and list(concept.tokens) == ["<mycat>"]
    assert torch.allclose(weight_of(model), held.weights[KEY], atol=1e-6)
    assert isinstance(clip.tokenize("<mycat>")["l"][0][1][0], Tensor)


def bad_files(folder: Path) -> dict[str, str]:
    """Files that are no concepts, and a part of what is to be read of each."""
    torch.save({"<new1>": torch.ones(WIDTH)}, folder / "whole.bin")
    (folder / "short.bin").write_bytes((folder / "whole.bin").read_bytes()[:200])
    (folder / "empty.safetensors").write_bytes(b"")
    torch.save([1, 2], folder / "list.pt")
    torch.save({"code": Path("x")}, folder / "code.ckpt")
    save_file({"lora_unet.lora_up.weight": torch.ones(2, 2)}, folder / "lora.safetensors")
    return {
        "short.bin": "damaged or holds more than weights",
        "empty.safetensors": "damaged or holds more than weights",
        "list.pt": "holds no weights by name",
        "code.ckpt": "damaged or holds more than weights",
        "lora.safetensors": "neither cross-attention weights nor new words",
        "gone.bin": "has no file 'gone.bin'",
        "../whole.bin": "has no file",
    }


def test_bad_files_are_named_in_one_sentence(sd1: Loaded, load: ModuleType, folder: Path) -> None:
    for name, why in bad_files(folder).items():
        with pytest.raises(ValueError, match=why) as caught:
            load.load_concept(sd1.model, sd1.clip, name, 1.0)
        assert str(caught.value).startswith("Load Concept: ") and "\n" not in str(caught.value)
