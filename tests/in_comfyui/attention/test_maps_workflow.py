"""Record Attention and Attention Maps in a real ComfyUI with the demo's checkpoint, run again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

TEXT = "a woman with long red hair in a green shirt, blue trousers and white boots standing on a beach"
SAMPLER, MAPS, PICTURE = "6", "8", "7"


def prompt(recorded: bool = True, seed: int = 11, second: bool = False, **given: Any) -> dict:
    """A picture and the maps of its words; with `second`, of a second sampler with the same model."""
    node = {
        "attention": ["5", 1], "latent": ["16" if second else SAMPLER, 0], "clip": ["1", 1], "text": TEXT,
        "words": "shirt, boots", "show": "overlay", "threshold": 0.0, "labels": True, "aggregation": "DAAM",
        "layers": "", "steps": "", "image": [PICTURE, 0], **given,
    }  # fmt: skip
    sampler = {
        "model": ["5" if recorded else "1", 0], "positive": ["2", 0], "negative": ["3", 0],
        "latent_image": ["4", 0], "seed": seed, "steps": 4, "cfg": 4.0, "sampler_name": "euler",
        "scheduler": "normal", "denoise": 1.0,
    }  # fmt: skip
    found = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "recompose_demo.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": TEXT, "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 192, "batch_size": 2}},
        "5": {
            "class_type": "RecomposeRecordAttention",
            "inputs": {"model": ["1", 0], "detail": "all together", "steps": "", "layers": ""},
        },
        SAMPLER: {"class_type": "KSampler", "inputs": sampler},
        PICTURE: {"class_type": "VAEDecode", "inputs": {"samples": [SAMPLER, 0], "vae": ["1", 2]}},
        MAPS: {"class_type": "RecomposeAttentionMaps", "inputs": node},
        "9": {"class_type": "SaveImage", "inputs": {"images": [MAPS, 0], "filename_prefix": "maps"}},
        "10": {"class_type": "MaskToImage", "inputs": {"mask": [MAPS, 2]}},
        "11": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "values"}},
        "12": {"class_type": "SaveImage", "inputs": {"images": [PICTURE, 0], "filename_prefix": "picture"}},
    }  # fmt: skip
    if second:
        found["16"] = {"class_type": "KSampler", "inputs": {**sampler, "seed": seed + 1}}
    if not recorded:
        for name in ("5", MAPS, "9", "10", "11"):
            del found[name]
    return found


def cached(outcome: Any) -> list[str]:
    return dict(outcome.entry["status"]["messages"])["execution_cached"]["nodes"]


def test_the_picture_is_the_same_and_a_cached_sampler_still_has_its_record(server: Any) -> None:
    first = server.run(prompt())
    assert first.succeeded and len(first.images("9")) == 4 and first.images("9")[0].shape == (192, 128, 3)
    assert server.run(prompt(recorded=False)).images("12")[0].tolist() == first.images("12")[0].tolist()
    again = server.run(prompt(words="boots"))
    assert SAMPLER in cached(again) or np.array_equal(again.images("12")[1], first.images("12")[1])
    third = server.run(prompt(words="boots, beach"))
    assert SAMPLER in cached(third)
    for one, two in ((0, 1), (2, 3)):
        assert np.array_equal(third.images("11")[one], first.images("11")[two])
    assert np.array_equal(again.images("11")[0], third.images("11")[0])


def test_two_samplers_with_one_model_have_a_record_each(server: Any) -> None:
    alone = [server.run(prompt(seed=seed)).images("11") for seed in (21, 22)]
    first, second = server.run(prompt(seed=21)), server.run(prompt(seed=21, second=True))
    assert first.succeeded and second.succeeded
    for outcome, expected in ((first, alone[0]), (second, alone[1])):
        assert all(np.array_equal(*each) for each in zip(outcome.images("11"), expected, strict=True))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"words": "cat"}, '"cat" is not in the text; its words are a, woman, with, long, red, hair'),
        ({"words": "boots#2"}, '"boots" is in the text once but #2 was asked for'),
        ({"text": ""}, "the text has no words"),
        ({"show": "sheet of steps"}, "the record holds all steps together"),
        ({"layers": "four"}, "layers cannot be read"),
        ({"latent": ["4", 0]}, "nothing was recorded"),
    ],
)
def test_wrong_inputs_end_in_one_sentence(given: dict, words: str, server: Any) -> None:
    seed = 11 if "latent" not in given else 31
    asked = prompt(seed=seed, **given)
    if "latent" in given:  # nothing makes the sampler run, or run first
        asked["5"]["inputs"]["layers"] = "3"
        for name in (PICTURE, SAMPLER, "12"):
            del asked[name]
        del asked[MAPS]["inputs"]["image"]
    outcome = server.run(asked)
    message = outcome.error["exception_message"].strip()
    assert words in message and "\n" not in message and message.endswith(".")


def test_another_latent_is_a_notice(server: Any) -> None:
    asked = prompt(seed=41)
    asked["13"] = {
        "class_type": "LatentFlip",
        "inputs": {"samples": [SAMPLER, 0], "flip_method": "y-axis: horizontally"},
    }
    asked[MAPS]["inputs"]["latent"] = ["13", 0]
    outcome = server.run(asked)
    assert outcome.succeeded and "not what the recorded run made" in outcome.report(MAPS)["notices"][0]
