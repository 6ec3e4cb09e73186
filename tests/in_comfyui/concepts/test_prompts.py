"""Concepts by prompts through a real server: trained, saved, loaded, merged, painted."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from recompose.lab.toy import world
from recompose.tests.in_comfyui.conftest import RunningServer

CHECKPOINT = "recompose_demo.safetensors"
TRAINING = {
    "token": "<new1>", "class_word": "ball", "train": "keys and values", "steps": 4, "learning_rate": 0.001,
    "batch_size": 2, "size": 128, "augmentation": True, "prior_pictures": 2, "save_every": 2, "seed": 0,
    "accumulation": 1, "gradient_checkpointing": False,
}  # fmt: skip


def picture(seed: int) -> bytes:
    target = io.BytesIO()
    Image.fromarray(world.closer(seed, "test").image).save(target, "PNG")
    return target.getvalue()


def training(prefix: str, **given: Any) -> dict[str, Any]:
    """A prompt that trains a concept, saves it and paints with it."""
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "concept_1.png"}},
        "3": {
            "class_type": "RecomposeTrainConcept",
            "inputs": {
                "model": ["1", 0],
                "clip": ["1", 1],
                "vae": ["1", 2],
                "images": ["2", 0],
                **TRAINING,
                **given,
            },
        },
        "4": {
            "class_type": "RecomposeSaveConcept",
            "inputs": {"concept": ["3", 2], "filename_prefix": f"concepts/{prefix}", "layout": "Recompose"},
        },
        "5": {"class_type": "SaveImage", "inputs": {"images": ["3", 3], "filename_prefix": prefix}},
        **painting(["3", 0], ["3", 1], ["1", 2], prefix),
    }


def painting(
    model: list, clip: list, vae: list, prefix: str, text: str = "a <new1> ball on a beach"
) -> dict[str, Any]:
    return {
        "10": {"class_type": "CLIPTextEncode", "inputs": {"clip": clip, "text": text}},
        "11": {"class_type": "CLIPTextEncode", "inputs": {"clip": clip, "text": ""}},
        "12": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}},
        "13": {
            "class_type": "KSampler",
            "inputs": {
                "model": model, "positive": ["10", 0], "negative": ["11", 0], "latent_image": ["12", 0],
                "seed": 5, "steps": 4, "cfg": 3.0, "sampler_name": "ddim", "scheduler": "normal",
                "denoise": 1.0,
            },
        },
        "14": {"class_type": "VAEDecode", "inputs": {"samples": ["13", 0], "vae": vae}},
        "15": {
            "class_type": "SaveImage",
            "inputs": {"images": ["14", 0], "filename_prefix": f"{prefix}_painted"},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def trained(server: RunningServer) -> Any:
    return server.run(training("planted"), {"concept_1.png": picture(3)})


def test_a_trained_concept_paints_and_is_saved(server: RunningServer, trained: Any) -> None:
    assert trained.succeeded, trained.error
    (sheet,) = trained.images("5")
    assert sheet.shape == (3 * 128, 4 * 128, 3)  # before, and two savings
    (file,) = trained.report("4")["files"]
    assert (server.output_dir / file).is_file()
    assert not list((server.output_dir / "concepts" / "unfinished").glob("*"))
    assert len(list((server.output_dir / "concepts" / "class pictures").rglob("*.png"))) == 2


def test_the_saved_concept_paints_the_same(server: RunningServer, trained: Any) -> None:
    (file,) = trained.report("4")["files"]
    prompt = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
        "2": {
            "class_type": "RecomposeLoadConcept",
            "inputs": {
                "model": ["1", 0],
                "clip": ["1", 1],
                "file": file.removeprefix("concepts/"),
                "strength": 1.0,
            },
        },
        **painting(["2", 0], ["2", 1], ["1", 2], "loaded"),
    }
    loaded = server.run(prompt)
    assert loaded.succeeded, loaded.error
    first, second = trained.images("15")[0].astype(int), loaded.images("15")[0].astype(int)
    assert np.abs(first - second).max() <= 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"token": " "}, "token is empty"),
        ({"token": "my (cat)"}, "no blanks, brackets"),
        ({"captions": "a cat\na dog"}, "one line, or one for each of 1 pictures, got 2"),
        ({"size": 128, "masks": ["2", 1]}, "masks of the pictures"),
    ],
)
def test_bad_input_is_one_sentence(
    server: RunningServer, trained: Any, given: dict[str, Any], why: str
) -> None:
    failed = server.run(training("bad", **given))
    assert not failed.succeeded
    message = failed.error["exception_message"].strip()
    assert message.startswith("Train Concept: ") and why in message and "\n" not in message
