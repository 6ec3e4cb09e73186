"""BLIP by transformers' classes on a tiny folder in the public layout: ids, search, memory, interruption."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
COMMITTED = HERE.parents[1] / "data" / "blip" / "ids.json"
BEAMS = {"search": "beams", "num_beams": 2}


def nucleus(seed: int) -> dict:
    return {"search": "nucleus", "top_p": 0.9, "temperature": 1.0, "seed": seed}


def test_the_ids_are_the_committed_ones(blip: ModuleType, tiny: ModuleType, folder: Path) -> None:
    committed = json.loads(COMMITTED.read_text())
    assert tiny.ids(folder) == committed
    rows = [row for rows in committed.values() for row in rows]
    assert len({tuple(row) for row in rows}) == len(rows), "the vectors must differ to prove anything"
    assert any(102 in row for row in rows)
    assert any(102 not in row for row in rows)


def test_the_ids_are_the_committed_ones_with_transformers_4_50_3(
    blip: ModuleType, tiny: ModuleType, folder: Path, tmp_path: Path
) -> None:
    """Also from a folder written by the newer transformers, which leaves out the shared tensors."""
    blip.load(folder).model.save_pretrained(tmp_path / "saved")
    for name in ("vocab.txt", "tokenizer_config.json", "preprocessor_config.json", "config.json"):
        (tmp_path / "saved" / name).write_text((folder / name).read_text())
    assert len(load_file(tmp_path / "saved" / "model.safetensors")) < len(tiny.state())
    overlay = os.environ.get("RECOMPOSE_OVERLAY_TRANSFORMERS4")
    assert overlay, "RECOMPOSE_OVERLAY_TRANSFORMERS4 must name the folder with transformers 4.50.3"
    done = subprocess.run(
        [sys.executable, str(HERE / "tiny.py"), str(folder), str(tmp_path / "saved")],
        env={**os.environ, "PYTHONPATH": overlay, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["transformers"] == "4.50.3"
    assert found["ids"] == [json.loads(COMMITTED.read_text())] * 2
    assert found["difference"] < 1e-5


def test_the_pixels_are_those_of_the_published_processor(
    blip: ModuleType, tiny: ModuleType, folder: Path
) -> None:
    assert tiny.processor_difference(folder) < 1e-5


def test_the_prompt_stands_behind_the_decoders_start_without_cls_and_sep(
    blip: ModuleType, folder: Path
) -> None:
    transformers = importlib.import_module("transformers")
    framed = transformers.BertTokenizerFast.from_pretrained(str(folder))("a photo of")["input_ids"]
    assert (framed[0], framed[-1]) == (101, 102)
    rows = json.loads(COMMITTED.read_text())["prompt"]
    assert [row[:4] for row in rows] == [[30522, *framed[1:-1]]] * len(rows)


def test_one_beam_is_the_likeliest_word_again_and_again(
    blip: ModuleType, tiny: ModuleType, folder: Path
) -> None:
    """The reference: no cache, no generate(), one picture at a time, no separator in the first five."""
    core, loaded = importlib.import_module("recompose.core.caption"), blip.load(folder)
    for index, committed in enumerate(json.loads(COMMITTED.read_text())["greedy"]):
        seen = loaded.model.vision_model(core.prepare(tiny.pictures()[index : index + 1], loaded.how))[0]
        ids = [30522]
        for step in range(12):
            logits = loaded.model.text_decoder(torch.tensor([ids]), encoder_hidden_states=seen).logits[0, -1]
            if step < 5:
                logits[102] = -torch.inf
            ids.append(int(logits.argmax()))
            if ids[-1] == 102:
                break
        assert committed == ids


def test_each_picture_gets_its_caption_without_the_prompt(
    describe: Callable[..., list[str]], image: torch.Tensor, blip: ModuleType
) -> None:
    before = image.clone()
    captions = describe(image, "A  photo of")
    assert len(set(captions)) == 3
    assert torch.equal(image, before)
    for caption in captions:
        assert caption
        assert not caption.startswith("a photo of")
        assert not any(mark in caption for mark in ("[", "##", "  "))
    assert captions == [describe(image[index : index + 1], "a photo of")[0] for index in range(3)]


def test_alpha_does_not_count_and_any_size_does(
    describe: Callable[..., list[str]], image: torch.Tensor
) -> None:
    alpha = torch.rand(3, *image.shape[1:3], 1, generator=torch.Generator().manual_seed(1))
    assert describe(torch.cat([image, alpha], dim=-1)) == describe(image)
    assert len(describe(image[:1, :1, :1])) == 1
    assert len(describe(image[:1].repeat(1, 1, 9, 1))) == 1


@pytest.mark.parametrize("search", [BEAMS, nucleus(5)], ids=["beams", "nucleus"])
def test_long_batches_are_cut_without_a_trace(
    search: dict,
    describe: Callable[..., list[str]],
    tiny: ModuleType,
    blip: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = tiny.pictures(7).permute(0, 2, 3, 1)
    whole = describe(image, search=search)
    monkeypatch.setattr(blip, "CHUNK", 3)
    assert describe(image, search=search) == whole


def test_a_seed_decides_and_nothing_else_is_drawn_from_or_reseeded(
    describe: Callable[..., list[str]], image: torch.Tensor
) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    first = describe(image, search=nucleus(1))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()
    torch.manual_seed(4)
    assert describe(image, search=nucleus(1)) == first
    assert describe(image, search=nucleus(2)) != first
    # A picture's draw does not depend on its neighbours: the second of the batch has the seed + 1.
    assert describe(image[1:2], search=nucleus(2)) == first[1:2]
    assert describe(image, search=BEAMS) == describe(image, search=BEAMS)


def test_nothing_is_asked_of_the_network(
    describe: Callable[..., list[str]], image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert len(describe(image)) == 3


def test_an_interrupt_stops_at_the_next_word_and_the_next_run_is_whole(
    describe: Callable[..., list[str]], image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    management = importlib.import_module("comfy.model_management")
    whole, check, asked = describe(image), management.throw_exception_if_processing_interrupted, []

    def interrupted_at_the_fourth() -> None:
        asked.append(1)
        if len(asked) == 4:
            management.interrupt_current_processing(True)
        check()

    with monkeypatch.context() as patch:
        patch.setattr(management, "throw_exception_if_processing_interrupted", interrupted_at_the_fourth)
        with pytest.raises(management.InterruptProcessingException):
            describe(image)
    assert len(asked) == 4, "it must not go on after the interrupt"
    assert not management.processing_interrupted()
    assert describe(image) == whole


def test_progress_counts_to_its_end(
    describe: Callable[..., list[str]], image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(
        "comfy.utils.PROGRESS_BAR_HOOK", lambda value, total, *_, **__: seen.append((value, total))
    )
    describe(image)
    assert seen[-1] == (12, 12)
    assert all(value <= total for value, total in seen)


@pytest.mark.parametrize("interrupted", [False, True])
def test_after_a_run_nothing_holds_the_model(
    interrupted: bool,
    describe: Callable[..., list[str]],
    image: torch.Tensor,
    blip: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    management = importlib.import_module("comfy.model_management")
    build, place, built, known = blip.build, blip.weights.place, [], []

    def watched(*arguments: object) -> torch.nn.Module:
        built.append(weakref.ref(model := build(*arguments)))
        return model

    def placed(*arguments: object) -> object:
        patcher = place(*arguments)
        known.append(any(entry.model is patcher for entry in management.current_loaded_models))
        management.interrupt_current_processing(interrupted)
        return patcher

    monkeypatch.setattr(blip, "build", watched)
    monkeypatch.setattr(blip.weights, "place", placed)
    with contextlib.suppress(management.InterruptProcessingException):
        describe(image)
        assert not interrupted
    gc.collect()
    assert known == [True], "ComfyUI's memory management must know the model while it runs"
    assert [reference() for reference in built] == [None]


def test_folders_of_extra_model_paths_are_found_too(
    blip: ModuleType, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_paths = importlib.import_module("folder_paths")
    choices = importlib.import_module("recompose.bridge.choices")
    extra = tmp_path / "elsewhere"
    (extra / "mine").mkdir(parents=True)
    (extra / "mine" / "config.json").write_text("{}")
    (extra / "no model").mkdir()
    folder_paths.add_model_folder_path("blip", str(extra), is_default=True)
    assert choices.blip_models() == ["mine", "tiny"]
    assert blip.folders.roots("blip") == [extra, folder.parent]
    assert ".safetensors" in folder_paths.folder_names_and_paths["blip"][1]
    assert blip.folders.roots("blip") == [extra, folder.parent], "asking twice adds nothing"


def test_replaced_weights_change_the_fingerprint(blip: ModuleType, variant: Callable[..., Path]) -> None:
    copy = variant("replaced", leave_out=("model.safetensors",))
    (copy / "model.safetensors").write_bytes(b"first")
    before = blip.fingerprint("replaced")
    assert blip.fingerprint("replaced") == before
    (copy / "model.safetensors").write_bytes(b"second")
    assert blip.fingerprint("replaced") != before
    assert blip.fingerprint("nowhere") == blip.fingerprint(None) == []


def test_half_precision_files_and_pickled_ones_give_the_same_captions(
    describe: Callable[..., list[str]], image: torch.Tensor, variant: Callable[..., Path], tiny: ModuleType
) -> None:
    copy = variant("pickled", leave_out=("model.safetensors",))
    torch.save(tiny.state(), copy / "pytorch_model.bin")
    assert describe(image, name="pickled") == describe(image)
    half = variant("half", leave_out=("model.safetensors",))
    tensors = {
        name: value.half() if value.is_floating_point() else value for name, value in tiny.state().items()
    }
    save_file(tensors, half / "model.safetensors")
    assert len(describe(image, name="half")) == 3
