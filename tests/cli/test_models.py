"""`cli models`: the files a workflow chooses beside what a server offers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recompose.cli import models
from recompose.cli.comfy import workflow

PROMPT = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "mine.png"}},
    "2": {"class_type": "Loader", "inputs": {"name": "a.safetensors"}, "_meta": {"title": "Checkpoint"}},
    "3": {"class_type": "Caption", "inputs": {"model": "blip-base", "search": "beams", "prompt": "a.png"}},
    "4": {"class_type": "Scheduler", "inputs": {"scheduler": "karras", "link": ["2", 0]}},
    "5": {"class_type": "Detect", "inputs": {"detector": "file", "detector.model": "small.safetensors"}},
}
DEFINITIONS = {
    "LoadImage": {"image": [["other.png"], {"image_upload": True}]},
    "Loader": {"name": [["a.safetensors", "b.ckpt"], {}]},
    "Caption": {
        "model": ["COMBO", {"options": ["other"]}],
        "search": ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "beams", "inputs": {}}]}],
        "prompt": ["STRING", {}],
    },
    "Scheduler": {"scheduler": [["karras", "simple"], {}], "link": ["MODEL", {}]},
    "Detect": {
        "detector": [
            "COMFY_DYNAMICCOMBO_V3",
            {"options": [{"key": "file", "inputs": {"required": {"model": ["COMBO", {"options": []}]}}}]},
        ]
    },
}


@pytest.fixture
def call(fake, tmp_path: Path):
    """Runs the command on a prompt against the fake server."""
    fake.definitions = {name: {"input": {"required": entry}} for name, entry in DEFINITIONS.items()}

    def run(prompt: dict) -> int:
        (tmp_path / "prompt.json").write_text(json.dumps(prompt))
        return models.main([str(tmp_path / "prompt.json"), "--server", fake.url])

    return run


def test_missing_files_are_named_with_what_is_there_instead(call, capsys) -> None:
    assert call(PROMPT) == 1
    assert capsys.readouterr().out.splitlines() == [
        "Checkpoint, name: a.safetensors",
        "Caption, model: blip-base is missing (the server has: other)",
        "Detect, detector.model: small.safetensors is missing (the server has: none)",
    ]


def test_nothing_missing_is_status_zero(call, capsys) -> None:
    assert call({key: PROMPT[key] for key in ("1", "2")}) == 0
    assert capsys.readouterr().out == "Checkpoint, name: a.safetensors\n"
    assert call({"1": PROMPT["1"]}) == 0
    assert "chooses no files" in capsys.readouterr().out


def test_an_unknown_node_and_a_bad_file_are_told(call, capsys, tmp_path) -> None:
    assert call({"1": {"class_type": "Nobody", "inputs": {}}}) == 1
    assert "lacks the node Nobody" in capsys.readouterr().err
    assert models.main([str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_the_templates_name_their_models(root: Path) -> None:
    prompt = workflow.read(root / "workflows" / "api" / "full_body.json")
    lists = {"CheckpointLoaderSimple": "ckpt_name", "ControlNetLoader": "control_net_name"}

    def definition(name: str) -> dict:
        return {"input": {"required": {lists[name]: [["x.ckpt"], {}]} if name in lists else {}}}

    found = [each.value for each in models.choices(prompt, definition) if models.is_file(each)]
    assert found == ["sd-v1-5-inpainting.ckpt", "control_v11p_sd15_openpose_fp16.safetensors"]
