"""The caption node on a running server: one text per picture, a report, and refusals that help."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.cli.comfy.client import Refused


@pytest.fixture
def prompt(server: object, folder: Path, tiny: ModuleType) -> Iterator[dict]:
    """Two different pictures in a batch, captioned, each caption shown."""
    target = server.models_dir / "blip" / "tiny"
    shutil.copytree(folder, target)
    graph = {
        "both": {"class_type": "ImageBatch", "inputs": {"image1": ["first", 0], "image2": ["second", 0]}},
        "caption": {
            "class_type": "RecomposeBlipCaption",
            "inputs": {
                "image": ["both", 0],
                "model": "tiny",
                "prompt": "a photo of",
                "search": "beams",
                "search.num_beams": 2,
                "min_new_tokens": 5,
                "max_new_tokens": 12,
                "repetition_penalty": 1.0,
            },
        },
        "show": {"class_type": "PreviewAny", "inputs": {"source": ["caption", 0]}},
    }
    for name, picture in zip(("first", "second"), tiny.pictures(), strict=False):
        content = io.BytesIO()
        Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).numpy()).save(content, "PNG")
        (server.input_dir / f"blip-{name}.png").write_bytes(content.getvalue())
        graph[name] = {"class_type": "LoadImage", "inputs": {"image": f"blip-{name}.png"}}
    yield graph
    shutil.rmtree(target)


def test_each_picture_of_a_batch_has_its_caption_and_clients_get_them_all(
    server: object, prompt: dict, describe: Callable[..., list[str]], image: torch.Tensor
) -> None:
    done = server.run(prompt)
    assert done.succeeded, done.error
    expected = describe(image[:2], "a photo of")
    assert len(set(expected)) == 2
    assert done.report("caption") == {"captions": expected}
    assert done.outputs["show"]["text"] == expected, "the next node runs once per caption"
    again = server.run(prompt)
    assert again.report("caption") == {"captions": expected}, "a cached run reports too"


def test_nucleus_arrives_with_its_inputs(
    server: object, prompt: dict, describe: Callable[..., list[str]], image: torch.Tensor
) -> None:
    inputs = prompt["caption"]["inputs"]
    del inputs["search.num_beams"]
    inputs |= {
        "search": "nucleus",
        "search.top_p": 0.8,
        "search.temperature": 1.3,
        "search.seed": 2**64 - 1,
    }
    search = {"search": "nucleus", "top_p": 0.8, "temperature": 1.3, "seed": 2**64 - 1}
    assert server.run(prompt).report("caption") == {"captions": describe(image[:2], "a photo of", search)}


def test_replaced_weights_are_read_again(server: object, prompt: dict, tiny: ModuleType) -> None:
    first = server.run(prompt).report("caption")
    tensors = tiny.state()
    for name in ("bias", "decoder.bias"):
        tensors[f"text_decoder.cls.predictions.{name}"] += torch.from_numpy(
            np.random.RandomState(3).standard_normal(30524).astype(np.float32) * 3
        )
    tiny.save_file(tensors, server.models_dir / "blip" / "tiny" / "model.safetensors")
    assert server.run(prompt).report("caption") != first


def test_a_model_that_is_not_there_is_refused_before_anything_runs(server: object, prompt: dict) -> None:
    prompt["caption"]["inputs"]["model"] = "blip-image-captioning-large"
    with pytest.raises(Refused) as refused:
        server.run(prompt)
    [error] = refused.value.body["node_errors"]["caption"]["errors"]
    place = server.models_dir / "blip" / "blip-image-captioning-large"
    assert error["extra_info"]["input_name"] == "model"
    assert f"in {place};" in error["details"]
    assert "https://huggingface.co/Salesforce/blip-image-captioning-large" in error["details"]


def test_a_damaged_model_stops_the_node_in_one_sentence_and_the_server_goes_on(
    server: object, prompt: dict
) -> None:
    path = server.models_dir / "blip" / "tiny" / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    broken = server.run(prompt)
    assert not broken.succeeded
    assert broken.error["node_id"] == "caption"
    sentence = broken.error["exception_message"].splitlines()[0]
    assert sentence.startswith(f"{path} is damaged or holds no model weights")
    path.write_bytes(whole)
    assert server.run(prompt).succeeded


def test_other_inputs_keep_their_limits(server: object, prompt: dict) -> None:
    for name, value in (("search.num_beams", 99), ("max_new_tokens", 0), ("repetition_penalty", 0.5)):
        inputs = prompt["caption"]["inputs"]
        changed = {**prompt, "caption": {**prompt["caption"], "inputs": {**inputs, name: value}}}
        with pytest.raises(Refused) as refused:
            server.run(changed)
        [error] = refused.value.body["node_errors"]["caption"]["errors"]
        assert error["extra_info"]["input_name"] == name


def test_the_folders_are_offered(server: object, prompt: dict) -> None:
    assert "tiny" in server.client.node("RecomposeBlipCaption")["input"]["required"]["model"][1]["options"]
