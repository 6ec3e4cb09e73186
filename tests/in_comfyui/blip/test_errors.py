"""Every bad model or picture ends in one sentence that says what to do, and never in a download."""

from __future__ import annotations

import builtins
import importlib
import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

Describe = Callable[..., list[str]]
Variant = Callable[..., Path]
WEIGHTS = "model.safetensors"


@pytest.mark.parametrize("name", ["blip-image-captioning-base", "../tiny", "", "/etc"])
def test_a_missing_model_names_its_folder_and_where_it_is_published(
    name: str, blip: ModuleType, folder: Path, describe: Describe, image: torch.Tensor
) -> None:
    sentence = blip.problem(name)
    assert "https://huggingface.co/Salesforce/blip-image-captioning-base" in sentence
    place = folder.parent / (name if name.startswith("blip") else "blip-image-captioning-base")
    assert f"in {place};" in sentence
    assert "config.json, model.safetensors or pytorch_model.bin, vocab.txt or tokenizer.json" in sentence
    with pytest.raises(ValueError, match="huggingface") as refused:
        describe(image, name=name)
    assert str(refused.value) == sentence


def test_the_large_model_is_published_elsewhere(blip: ModuleType) -> None:
    assert "co/Salesforce/blip-image-captioning-large)" in blip.problem("blip-image-captioning-large")


def test_a_folder_without_weights_says_so(blip: ModuleType, variant: Variant) -> None:
    folder = variant("bare", leave_out=(WEIGHTS,))
    assert f"'bare' needs model.safetensors or pytorch_model.bin in {folder};" in blip.problem("bare")
    assert blip.problem("tiny") is None
    assert blip.problem(None) is None, "a name that comes over a link is not known yet"


def test_without_any_model_the_published_name_is_offered(
    blip: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_paths = importlib.import_module("folder_paths")
    choices = importlib.import_module("recompose.bridge.choices")
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path))
    folder_paths.folder_names_and_paths.pop("blip", None)
    assert choices.blip_models() == ["blip-image-captioning-base"]
    assert f"in {tmp_path / 'blip' / 'blip-image-captioning-base'};" in blip.problem(choices.blip_models()[0])


def broken_header(path: Path, _: ModuleType) -> None:
    path.write_bytes(b"<html>not found</html>" * 40)


def half_a_file(path: Path, tiny: ModuleType) -> None:
    save_file(tiny.state(), path)
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path, _: ModuleType) -> None:
    path.write_bytes(b"")


def unet(path: Path, _: ModuleType) -> None:
    save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(4, 4, 3, 3)}, path)


def one_missing(path: Path, tiny: ModuleType) -> None:
    tensors = tiny.state()
    del tensors["vision_model.post_layernorm.weight"]
    save_file(tensors, path)


def other_size(path: Path, tiny: ModuleType) -> None:
    tensors = tiny.state()
    tensors["vision_model.embeddings.class_embedding"] = torch.zeros(1, 1, 41)
    save_file(tensors, path)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (broken_header, "damaged or holds no model weights"),
        (half_a_file, "damaged or holds no model weights"),
        (empty, "damaged or holds no model weights"),
        (unet, "holds no BLIP captioner but 'model.diffusion_model"),
        (one_missing, r"lacks 1 tensors .*vision_model\.post_layernorm\.weight"),
        (other_size, r"lacks 1 tensors .*class_embedding"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    spoil: Callable[[Path, ModuleType], None],
    says: str,
    describe: Describe,
    image: torch.Tensor,
    variant: Variant,
    tiny: ModuleType,
) -> None:
    path = variant("spoilt", leave_out=(WEIGHTS,)) / WEIGHTS
    spoil(path, tiny)
    with pytest.raises(ValueError, match=says) as refused:
        describe(image, name="spoilt")
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


NESTED: list = []
NESTED.append(NESTED)
OBJECTS = {
    "a tensor": torch.zeros(2),
    "a list of one tensor": [torch.zeros(2)],
    "a list of tensors": [torch.zeros(2), torch.ones(3)],
    "a tuple": (torch.zeros(2),),
    "a list of nothing": [],
    "a list of dicts": [{"a": torch.zeros(2)}],
    "a text": "x",
    "a number": 3,
    "nothing": None,
    "nested dicts": {"a": {"b": {"c": torch.zeros(2)}}},
    "a model below model": {"model": {"a": [torch.zeros(2)]}},
    "numbered tensors": {1: torch.zeros(2)},
    "a tensor named by a tuple": {("a", 1): torch.zeros(2)},
    "state_dict of a list": {"state_dict": [torch.zeros(2)]},
    "state_dict of nothing": {"state_dict": None},
    "a list that holds itself": NESTED,
    "a sparse tensor": {"a": torch.eye(3).to_sparse(), "b": torch.zeros(2)},
    "a tensor without numbers": {"a": torch.zeros(2, device="meta"), "b": torch.zeros(2)},
}


@pytest.mark.parametrize("held", OBJECTS.values(), ids=OBJECTS)
def test_a_torch_file_of_anything_but_named_tensors_is_refused_by_one_sentence(
    held: object, comfy: ModuleType, tmp_path: Path
) -> None:
    weights = importlib.import_module("recompose.bridge.models.weights")
    path = tmp_path / "pytorch_model.bin"
    torch.save(held, path)
    with pytest.raises(ValueError, match=r"damaged or holds no model weights|other things than named") as no:
        weights.read(path)
    assert str(no.value).startswith(str(path)) and str(no.value).endswith(".") and "\n" not in str(no.value)


class Touch:
    """What a hostile pickle could do: create a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return builtins.open, (str(self.path), "w")


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_a_pickle_with_code_is_refused_and_not_run(
    write: Callable, describe: Describe, image: torch.Tensor, variant: Variant, tmp_path: Path
) -> None:
    path = variant("hostile", leave_out=(WEIGHTS,)) / "pytorch_model.bin"
    write({"text_decoder.weight": Touch(tmp_path / "touched")}, path)
    with pytest.raises(ValueError, match="damaged or holds no model weights"):
        describe(image, name="hostile")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("config.json", "{", "config.json is not a JSON file"),
        ("config.json", "[1]", "holds a list instead of a JSON object"),
        ("config.json", json.dumps({"model_type": "bert"}), "describes bert .*not a BLIP captioner"),
        (
            "config.json",
            json.dumps({"model_type": "blip", "architectures": ["BlipForQuestionAnswering"]}),
            "BlipForQuestionAnswering, not a BLIP captioner",
        ),
        ("preprocessor_config.json", "no", "preprocessor_config.json is not a JSON file"),
        ("preprocessor_config.json", json.dumps({"size": 384}), "384×384 .* 48×48"),
        ("vocab.txt", "\udcff", "vocabulary in .* cannot be read"),
        ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n", "sentences with 3 but .* with 102"),
    ],
)
def test_other_files_that_do_not_fit_are_named(
    file: str, content: str, says: str, describe: Describe, image: torch.Tensor, variant: Variant
) -> None:
    path = variant("spoilt", leave_out=(file,)) / file
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=says) as refused:
        describe(image, name="spoilt")
    assert "\n" not in str(refused.value)


def test_a_prompt_that_leaves_no_room_is_refused(describe: Describe, image: torch.Tensor) -> None:
    assert len(describe(image, "dog " * 51)) == 3
    with pytest.raises(ValueError, match="prompt has 52 tokens but only 51 fit before 12 new"):
        describe(image, "dog " * 52)


def test_nan_and_no_picture_are_refused(describe: Describe, image: torch.Tensor) -> None:
    image[1, 2, 3, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        describe(image)
    with pytest.raises(ValueError, match="batch of RGB"):
        describe(image[:0])


def test_a_missing_or_old_transformers_is_named(
    describe: Describe, image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "transformers", None)
        with pytest.raises(
            RuntimeError, match=r"needs transformers 4\.50\.3 or newer but found none; install"
        ):
            describe(image)
    monkeypatch.setattr("transformers.__version__", "4.49.0.dev0")
    with pytest.raises(RuntimeError, match=r"newer but found 4\.49\.0\.dev0; install"):
        describe(image)
    monkeypatch.setattr("transformers.__version__", "10.0.1rc1")
    assert len(describe(image)) == 3
