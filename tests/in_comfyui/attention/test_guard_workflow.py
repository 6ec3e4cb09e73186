"""Shape Guard in a real ComfyUI with the demo's inpaint checkpoint, and the template coarse_brush."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from recompose.cli.comfy import workflow
from recompose.lab.evaluate.help import brush
from recompose.lab.toy import coarse_brush

FILE, SAMPLER, GUARD, MASK, PICTURE = "guard.png", "6", "5", "9", "8"


@pytest.fixture(scope="module")
def photo(comfy: Any) -> bytes:
    file = io.BytesIO()
    brush.with_mask(brush.drawn()).save(file, "PNG")
    return file.getvalue()


def prompt(guarded: bool = True, seed: int = 3, **given: Any) -> dict:
    """A thing painted in a box of a drawn photo, and its mask."""
    box = brush.drawn()
    node = {
        "model": ["1", 0], "clip": ["1", 1], "latent": ["4", 2], "text": box.text, "words": box.words,
        "start": 0.33, "least": 0.02, "threshold": 0.0, "grow": 0.0, "feather": 8.0, **given,
    }  # fmt: skip
    found = {
        "1": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "recompose_demo_inpaint.safetensors"},
        },
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": box.text, "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "4": {
            "class_type": "InpaintModelConditioning",
            "inputs": {
                "positive": ["2", 0], "negative": ["3", 0], "vae": ["1", 2], "pixels": ["7", 0],
                "mask": ["7", 1], "noise_mask": True,
            },
        },
        GUARD: {"class_type": "RecomposeShapeGuard", "inputs": node},
        SAMPLER: {
            "class_type": "KSampler",
            "inputs": {
                "model": [GUARD if guarded else "1", 0], "positive": ["4", 0], "negative": ["4", 1],
                "latent_image": ["4", 2], "seed": seed, "steps": 6, "cfg": 3.0, "sampler_name": "euler",
                "scheduler": "normal", "denoise": 1.0,
            },
        },
        "7": {"class_type": "LoadImage", "inputs": {"image": FILE}},
        PICTURE: {"class_type": "VAEDecode", "inputs": {"samples": [SAMPLER, 0], "vae": ["1", 2]}},
        MASK: {
            "class_type": "RecomposeShapeGuardMask",
            "inputs": {"guard": [GUARD, 1], "latent": [SAMPLER, 0]},
        },
        "10": {"class_type": "MaskToImage", "inputs": {"mask": [MASK, 0]}},
        "11": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "shape"}},
        "12": {"class_type": "SaveImage", "inputs": {"images": [PICTURE, 0], "filename_prefix": "guarded"}},
    }  # fmt: skip
    if not guarded:
        for name in (GUARD, MASK, "10", "11"):
            del found[name]
    return found


def cached(outcome: Any) -> list[str]:
    return dict(outcome.entry["status"]["messages"])["execution_cached"]["nodes"]


def test_a_cached_sampler_still_has_its_mask_and_a_second_run_is_the_same(server: Any, photo: bytes) -> None:
    first = server.run(prompt(), {FILE: photo})
    assert first.succeeded, first.error
    (mask,), (picture,) = first.images("11"), first.images("12")
    assert mask.shape == picture.shape == brush.drawn().photo.shape and mask.any() and not mask.all()
    assert not mask[~brush.drawn().mask].any()
    asked = prompt()
    asked["11"]["inputs"]["filename_prefix"] = "again"
    again = server.run(asked)
    assert SAMPLER in cached(again) and np.array_equal(again.images("11")[0], mask)
    other = server.run(prompt(seed=4))
    assert not np.array_equal(other.images("12")[0], picture)
    back = server.run(prompt())
    assert np.array_equal(back.images("12")[0], picture) and np.array_equal(back.images("11")[0], mask)


def test_without_a_guard_the_picture_is_the_same_to_the_bit(server: Any, photo: bytes) -> None:
    plain = server.run(prompt(guarded=False, seed=5), {FILE: photo}).images("12")[0]
    off = server.run(prompt(seed=5, start=1.0))
    assert np.array_equal(off.images("12")[0], plain)
    assert np.array_equal(off.images("11")[0][..., 0] == 255, brush.drawn().mask)
    assert not np.array_equal(server.run(prompt(seed=5)).images("12")[0], plain)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"words": "cat"}, '"cat" is not in the text; its words are'),
        ({"words": ""}, "words is empty; write what is to be painted"),
        ({"text": ""}, "the text has no words"),
        ({"latent": ["13", 0]}, "the latent has no noise mask"),
        ({"latent": ["14", 0], "mask": ["7", 1]}, "another aspect"),
    ],
)
def test_wrong_inputs_end_in_one_sentence(given: dict, words: str, server: Any, photo: bytes) -> None:
    asked = prompt(seed=6, **given)
    asked["13"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["7", 0], "vae": ["1", 2]}}
    size = {"width": 256, "height": 64, "batch_size": 1}
    asked["14"] = {"class_type": "EmptyLatentImage", "inputs": size}
    outcome = server.run(asked, {FILE: photo})
    message = outcome.error["exception_message"].strip()
    assert words in message and "\n" not in message and message.endswith(".")


def test_another_latent_in_the_sampler_is_one_sentence(server: Any, photo: bytes) -> None:
    asked = prompt(seed=6)
    size = {"width": 64, "height": 64, "batch_size": 1}
    asked["14"] = {"class_type": "EmptyLatentImage", "inputs": size}
    asked[SAMPLER]["inputs"]["latent_image"] = ["14", 0]
    message = server.run(asked, {FILE: photo}).error["exception_message"].strip()
    assert "cells but the sampler's has 8×8; connect the latent" in message and message.endswith(".")


def test_the_template_changes_no_pixel_outside_of_the_thing(server: Any, photo: bytes) -> None:
    box = brush.drawn()
    asked = coarse_brush.compose(FILE, box.text, box.words)
    for node in asked.values():
        if node["class_type"] == "KSampler":
            node["inputs"] |= {"steps": 6, "sampler_name": "euler", "scheduler": "normal"}
    outcome = server.run(asked, {FILE: photo})
    assert outcome.succeeded, outcome.error
    (result,) = outcome.images(workflow.find(asked, "With the thing"))
    changed = (result != box.photo).any(-1)
    assert result.shape == box.photo.shape and changed.any()
    assert not changed[~box.mask].any() and changed[box.mask].mean() < 0.97
    (mask,) = outcome.images(workflow.find(asked, "Mask of the thing"))
    assert mask.any() and not mask.all()


def test_a_photo_of_another_size_than_the_crop(server: Any, photo: bytes) -> None:
    large = Image.open(io.BytesIO(photo)).resize((301, 333), Image.Resampling.NEAREST)
    file = io.BytesIO()
    large.save(file, "PNG")
    box = brush.drawn()
    asked = coarse_brush.compose("large.png", box.text, box.words)
    for node in asked.values():
        if node["class_type"] == "KSampler":
            node["inputs"] |= {"steps": 3, "sampler_name": "euler", "scheduler": "normal"}
    outcome = server.run(asked, {"large.png": file.getvalue()})
    assert outcome.succeeded, outcome.error
    (result,) = outcome.images(workflow.find(asked, "With the thing"))
    whole, outside = np.asarray(large), np.asarray(large)[..., 3] == 255
    assert np.array_equal(result[outside], whole[..., :3][outside])
