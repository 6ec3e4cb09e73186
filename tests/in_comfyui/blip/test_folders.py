"""The layouts that BLIP folders come in, and configurations that are damaged or ask for foreign code."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import socket
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
SENTENCE = r"^[A-Z/p][^\n]{30,}\.$"


def split(folder: Path, tiny: ModuleType, ending: str) -> list[Path]:
    """Write the weights in three files with an index."""
    tensors = list(tiny.state().items())
    stem = WEIGHTS.partition(".")[0] if ending == "safetensors" else "pytorch_model"
    files, places = [], {}
    for number in range(3):
        part = dict(tensors[number::3])
        file = folder / f"{stem}-0000{number + 1}-of-00003.{ending}"
        save_file(part, file) if ending == "safetensors" else torch.save(part, file)
        places |= dict.fromkeys(part, file.name)
        files.append(file)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / f"{stem}.{ending}.index.json").write_text(json.dumps(index))
    return files


@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_weights_split_over_files_are_read_by_their_index(
    ending: str, describe: Describe, image: torch.Tensor, variant: Variant, tiny: ModuleType, blip: ModuleType
) -> None:
    files = split(variant("split", leave_out=(WEIGHTS,)), tiny, ending)
    assert blip.problem("split") is None
    assert describe(image, name="split") == describe(image)
    before = blip.fingerprint("split")
    os.utime(files[1], ns=(1, 1))
    assert blip.fingerprint("split") != before
    files[1].unlink()
    assert files[1].name in blip.problem("split")
    with pytest.raises(ValueError, match=files[1].name):
        describe(image, name="split")


@pytest.mark.parametrize(
    "index",
    [
        {},
        {"weight_map": []},
        {"weight_map": {}},
        {"weight_map": {"a": 3}},
        {"weight_map": {"a": "../tiny/model.safetensors"}},
        {"weight_map": {"a": "/tiny/model.safetensors"}},
        {"weight_map": {"a": "..\\tiny\\model.safetensors"}},
        {"weight_map": {"a": "notes.txt"}},
        [1],
    ],
    ids=str,
)
def test_an_index_that_leads_nowhere_is_one_sentence(
    index: object, describe: Describe, image: torch.Tensor, variant: Variant, blip: ModuleType
) -> None:
    folder = variant("split", leave_out=(WEIGHTS,))
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=SENTENCE) as refused:
        describe(image, name="split")
    assert str(refused.value) == blip.problem("split")
    assert "index.json" in str(refused.value)


@pytest.fixture
def cached(folder: Path) -> Callable[[], Path]:
    """A repository as Hugging Face's cache holds it: blobs, links to them in snapshots, and refs/main."""
    made: list[Path] = []

    def cached() -> Path:
        home = folder.parent / "models--Salesforce--blip-image-captioning-base"
        made.append(home)
        snapshot = home / "snapshots" / "82a37760796d32b1411fe092ab5d4e227313294b"
        for part in (home / "blobs", home / "refs", snapshot, home / "snapshots" / "older"):
            part.mkdir(parents=True)
        for number, file in enumerate(sorted(folder.iterdir())):
            blob = home / "blobs" / f"{number:040x}"
            shutil.copyfile(file, blob)
            (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
        (home / "snapshots" / "older" / "config.json").write_text("{}")
        (home / "refs" / "main").write_text(snapshot.name + "\n")
        return home

    yield cached
    for home in made:
        shutil.rmtree(home)


def test_the_layout_of_hugging_face_s_cache_is_read(
    cached: Callable[[], Path], describe: Describe, image: torch.Tensor, blip: ModuleType
) -> None:
    home = cached()
    choices = importlib.import_module("recompose.bridge.choices")
    assert choices.blip_models() == [home.name, "tiny"]
    assert blip.problem(home.name) is None
    assert describe(image, name=home.name) == describe(image)
    assert len(blip.fingerprint(home.name)) >= 5


@pytest.mark.parametrize("ref", ["../../tiny", "missing", "", None])
def test_without_a_ref_that_helps_the_newest_snapshot_is_taken(
    ref: str | None, cached: Callable[[], Path], blip: ModuleType
) -> None:
    home = cached()
    (home / "refs" / "main").write_text(ref) if ref is not None else (home / "refs" / "main").unlink()
    os.utime(home / "snapshots" / "older", ns=(1, 1))
    found = blip.folders.model_folders("blip")[home.name]
    assert found.parent == home / "snapshots" and found.name.startswith("82a3")
    shutil.rmtree(home / "snapshots")
    assert home.name not in blip.folders.model_folders("blip")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_no_harm(
    encoding: str, describe: Describe, image: torch.Tensor, variant: Variant, folder: Path
) -> None:
    names = [file.name for file in folder.iterdir() if file.suffix == ".json"]
    marked = variant("marked", leave_out=(*names, "vocab.txt"))
    for name in names:
        (marked / name).write_text((folder / name).read_text(), encoding)
    (marked / "vocab.txt").write_text((folder / "vocab.txt").read_text(), "utf-8-sig")
    assert describe(image, name="marked") == describe(image)


FOREIGN = {
    "attn_implementation": "someone/kernel",
    "_attn_implementation": "someone/kernel",
    "_attn_implementation_internal": "someone/kernel",
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "auto_map": {"AutoConfig": "someone/code--module.Class"},
    "trust_remote_code": True,
    "use_kernels": True,
    "_name_or_path": "someone/model",
    "base_model_tp_plan": 3,
    "dtype": "no such type",
    "torch_dtype": "no such type",
}


@pytest.mark.parametrize("key", FOREIGN)
@pytest.mark.parametrize("place", ["", "text_config", "vision_config", "tokenizer"])
def test_what_would_load_code_or_fetch_is_not_passed_on(
    place: str,
    key: str,
    describe: Describe,
    image: torch.Tensor,
    variant: Variant,
    tiny: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, content = "config.json", json.loads(json.dumps(tiny.CONFIG))
    if place == "tokenizer":
        name, content = "tokenizer_config.json", json.loads(json.dumps(tiny.TOKENIZER))
        content |= {"vocab_file": "//server/share", "tokenizer_file": "//server/share"}
        place = ""
    (content[place] if place else content)[key] = FOREIGN[key]
    folder = variant("foreign", leave_out=(name,))
    (folder / name).write_text(json.dumps(content))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something foreign was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for package in ("kernels", "bitsandbytes", "peft"):
        monkeypatch.setitem(sys.modules, package, None)
    assert describe(image[:1], name="foreign") == describe(image[:1])


def test_a_size_by_its_edge_is_a_square(
    describe: Describe, image: torch.Tensor, variant: Variant, tiny: ModuleType
) -> None:
    folder = variant("edge", leave_out=("preprocessor_config.json",))
    for size in ({"shortest_edge": 48}, {"longest_edge": 48}, [48, 48], 48, None):
        (folder / "preprocessor_config.json").write_text(json.dumps({**tiny.PREPROCESSOR, "size": size}))
        assert describe(image, name="edge") == describe(image)


DEEP = "[" * 100_000
DAMAGED = {
    "no JSON": "{",
    "deep": DEEP,
    "deep part": '{"model_type": "blip", "text_config": ' + DEEP,
    "a list": "[]",
    "a huge number": '{"model_type": "blip", "text_config": {"hidden_size": ' + "9" * 5000 + "}}",
    "parts": {"model_type": "blip", "text_config": 3},
    "another part": {"model_type": "blip", "vision_config": [1]},
    "architectures": {"model_type": "blip", "architectures": 3},
    "architecture": {"model_type": "blip", "architectures": [{"a": 1}]},
    "kind": {"model_type": {"a": []}},
    "nothing": {},
}
WRONG = {
    "hidden_act": ["no such function", 3, [], {}],
    "hidden_size": [0, -32, 33, "32", 1.5, float("nan"), float("inf"), [32], True, 2**40],
    "num_attention_heads": [0, 3, "4", 2**19],
    "num_hidden_layers": [0, 3, 10**9, "2"],
    "layer_norm_eps": [-1, "a", float("nan"), [1]],
}
CONFIGS = {
    **DAMAGED,
    **{
        f"{part} {key} {value!r}": (part, key, value)
        for part in ("text_config", "vision_config")
        for key, values in WRONG.items()
        for value in values
    },
    **{f"vision {value!r}": ("vision_config", "image_size", value) for value in (0, [48, 32], "48", 49, 1e9)},
    **{f"patch {value!r}": ("vision_config", "patch_size", value) for value in (0, [16, 8], "16", 7, 1e9)},
    **{f"words {value!r}": ("text_config", "vocab_size", value) for value in (1, "a", -1, 2**20)},
    **{f"sep {value!r}": ("text_config", "sep_token_id", value) for value in ("a", -1, [1], 5)},
    **{f"bos {value!r}": ("text_config", "bos_token_id", value) for value in ("a", -1, [1], 2**20)},
}


@pytest.mark.parametrize("case", CONFIGS.values(), ids=CONFIGS)
def test_a_damaged_config_is_one_sentence(
    case: object, describe: Describe, image: torch.Tensor, variant: Variant, tiny: ModuleType
) -> None:
    if isinstance(case, tuple):
        part, key, value = case
        content = json.loads(json.dumps(tiny.CONFIG))
        content[part][key] = value
        case = content
    folder = variant("damaged", leave_out=("config.json",))
    (folder / "config.json").write_text(case if isinstance(case, str) else json.dumps(case))
    with pytest.raises(ValueError, match=SENTENCE) as refused:
        describe(image, name="damaged")
    assert len(str(refused.value)) < 500


PREPROCESSORS = [
    ("resample", "x"), ("resample", 17), ("resample", [3]), ("resample", True),
    ("rescale_factor", "x"), ("rescale_factor", [1, 1]), ("rescale_factor", float("nan")),
    ("image_mean", [0.5]), ("image_mean", "x"), ("image_mean", [0.5, 0.5, "x"]), ("image_mean", {"a": 1}),
    ("image_std", [0, 0, 0]), ("image_std", [0.5, 0.5, float("nan")]), ("image_std", [-1, 1, 1]),
    ("size", {}), ("size", "x"), ("size", [48, 32]), ("size", {"height": "a", "width": 3}), ("size", 0),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), PREPROCESSORS, ids=str)
def test_a_damaged_preprocessor_is_one_sentence(
    key: str, value: object, describe: Describe, image: torch.Tensor, variant: Variant, tiny: ModuleType
) -> None:
    folder = variant("damaged", leave_out=("preprocessor_config.json",))
    (folder / "preprocessor_config.json").write_text(json.dumps({**tiny.PREPROCESSOR, key: value}))
    with pytest.raises(ValueError, match=SENTENCE):
        describe(image, name="damaged")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize(
    "tensor", ["vision_model.post_layernorm.weight", "text_decoder.cls.predictions.bias"]
)
def test_weights_that_are_no_numbers_are_named(
    tensor: str, value: float, describe: Describe, image: torch.Tensor, variant: Variant, tiny: ModuleType
) -> None:
    tensors = tiny.state()
    tensors[tensor][..., 0] = value
    save_file(tensors, variant("spoilt", leave_out=(WEIGHTS,)) / WEIGHTS)
    with pytest.raises(ValueError, match=f"holds NaN or infinite weights .{tensor}"):
        describe(image, name="spoilt")


@pytest.mark.parametrize("search", ["beams", "nucleus"])
def test_a_model_that_gives_nan_is_an_error_and_no_empty_caption(
    search: str, describe: Describe, image: torch.Tensor, variant: Variant, tiny: ModuleType
) -> None:
    tensors = tiny.state()
    tensors["vision_model.embeddings.patch_embedding.weight"] *= 1e38
    save_file(tensors, variant("spoilt", leave_out=(WEIGHTS,)) / WEIGHTS)
    how = {"search": "beams", "num_beams": 2}
    if search == "nucleus":
        how = {"search": "nucleus", "top_p": 0.9, "temperature": 1.0, "seed": 1}
    with pytest.raises(ValueError, match="gave NaN instead of a word"):
        describe(image, name="spoilt", search=how)
