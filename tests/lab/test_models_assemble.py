"""Assembling is repeatable, leaves what is right alone and never shows a half-written file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from recompose.lab.toy import assemble, table
from recompose.lab.toy.models import parts
from safetensors.torch import load_file
from torch import Tensor

# A few tensors per part are enough: nothing here depends on there being all of them.
KEYS = {
    "vae": "taesd_decoder.1.weight",
    "text": "text_model.final_layer_norm.weight",
    "unet": "input_blocks.0.0.weight",
    "openpose": "zero_convs.0.0.weight",
    "detector": "stem.0.weight",
    "captioner": "text_decoder.bert.embeddings.word_embeddings.weight",
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    for number, (name, key) in enumerate(KEYS.items()):
        weights: dict[str, Tensor] = {key: torch.full((3, 9 if name == "unet" else 2), float(number))}
        if name == "captioner":
            weights[f"{parts.BLIP_HEAD}bias"] = torch.full((3,), 7.0)
        parts.write(folder, name, weights, {"steps": number})
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_file_holds_its_parts(sources: Path, tmp_path: Path) -> None:
    made = assemble.assemble(sources, tmp_path / "models")
    places = (
        "checkpoints/recompose_demo.safetensors",
        "checkpoints/recompose_demo_inpaint.safetensors",
        "controlnet/recompose_demo_openpose.safetensors",
        "blip/recompose_demo",
        "keypoint_models/recompose_demo_detector.safetensors",
    )
    assert made == {place: tmp_path / "models" / place for place in places}
    narrow, inpaint_file, openpose, folder, _ = made.values()
    inpaint = load_file(inpaint_file)
    assert {key: float(value[0, 0]) for key, value in inpaint.items()} == {
        "first_stage_model.taesd_decoder.1.weight": 0,
        "cond_stage_model.transformer.text_model.final_layer_norm.weight": 1,
        "model.diffusion_model.input_blocks.0.0.weight": 2,
    }
    assert inpaint[assemble.FIRST].shape == (3, 9)
    assert load_file(narrow)[assemble.FIRST].shape == (3, 4)
    assert list(load_file(openpose)) == ["zero_convs.0.0.weight"]
    captioner = load_file(folder / "model.safetensors")
    assert {value.dtype for value in captioner.values()} == {torch.float32}
    assert torch.equal(captioner[f"{parts.BLIP_HEAD}decoder.weight"], torch.full((3, 2), 5.0))
    assert torch.equal(captioner[f"{parts.BLIP_HEAD}decoder.bias"], torch.full((3,), 7.0))
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "preprocessor_config.json",
        "tokenizer_config.json",
        "generation_config.json",
        "vocab.txt",
        "model.safetensors",
    }


def test_a_second_time_touches_only_what_differs(sources: Path, tmp_path: Path) -> None:
    made = assemble.assemble(sources, tmp_path / "models")
    before = contents(tmp_path / "models")
    for path in (tmp_path / "models").rglob("*"):
        os.utime(path, (1, 1))
    made[table.TEXT_TO_IMAGE].write_bytes(b"half a fi")
    assemble.assemble(sources, tmp_path / "models")
    assert contents(tmp_path / "models") == before
    touched = [path for path in made.values() if path.is_file() and path.stat().st_mtime > 1]
    assert touched == [made[table.TEXT_TO_IMAGE]]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\0" * 40)])
def test_a_bad_part_is_named_and_nothing_is_written(sources: Path, tmp_path: Path, damage) -> None:
    damage(sources / "openpose.safetensors")
    with pytest.raises(RuntimeError, match=r"openpose\.safetensors is (missing|damaged)"):
        assemble.assemble(sources, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_full_disk_leaves_the_old_file(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assemble.assemble(sources, tmp_path / "models")
    before = contents(tmp_path / "models")
    parts.write(sources, "vae", {KEYS["vae"]: torch.ones(3, 2)}, {})
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        assemble.assemble(sources, tmp_path / "models")
    assert contents(tmp_path / "models") == before
