"""The attention nodes in a real ComfyUI with the demo's checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

SOURCE = "a man with short black hair in a red shirt, blue trousers and black boots standing on a beach"
TARGET = SOURCE.replace("standing", "running")


def prompt(patched: bool, **given: Any) -> dict:
    """Two rows of one seed, with Mutual Attention or without."""
    node = {"model": ["1", 0], "keep": 0.92, "mode": "replace", "source_rows": "0", "steps": "", "layers": ""}
    node |= given
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "recompose_demo.safetensors"}},
        "2": {
            "class_type": "RecomposeRows",
            "inputs": {"source_prompt": SOURCE, "target_prompts": TARGET, "clip": ["1", 1]},
        },
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 192, "batch_size": 1}},
        "5": {"class_type": "RecomposeSameNoise", "inputs": {"latent": ["4", 0], "rows": ["2", 1]}},
        "6": {"class_type": "RecomposeMutualAttention", "inputs": node},
        "7": {
            "class_type": "KSampler",
            "inputs": {
                "model": ["6" if patched else "1", 0], "positive": ["2", 0], "negative": ["3", 0],
                "latent_image": ["5", 0], "seed": 11, "steps": 4, "cfg": 4.0, "sampler_name": "euler",
                "scheduler": "normal", "denoise": 1.0,
            },
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["7", 0], "vae": ["1", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "mutual"}},
    }  # fmt: skip


def test_the_source_s_picture_is_the_same_with_and_without_the_patch(server: Any) -> None:
    plain, mutual = (server.run(prompt(patched)).images("9") for patched in (False, True))
    assert len(plain) == len(mutual) == 2
    assert np.array_equal(plain[0], mutual[0]) and not np.array_equal(plain[1], mutual[1])


def test_masks_from_words_leave_the_source_as_it_is(server: Any) -> None:
    given = {
        "mode": "masked, from words", "clip": ["1", 1], "text_source": SOURCE, "text_target": TARGET,
        "words_source": "man",
    }  # fmt: skip
    plain, replaced, words = (
        server.run(asked).images("9") for asked in (prompt(False), prompt(True), prompt(True, **given))
    )
    assert np.array_equal(plain[0], words[0])
    assert not np.array_equal(plain[1], words[1]) and not np.array_equal(replaced[1], words[1])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": "four"}, "Mutual Attention: steps cannot be read"),
        ({"layers": "20-30"}, "none of the model's layers 0 to 15"),
        ({"source_rows": "2"}, "source_rows names 2 but there are only 0 to 1"),
        ({"mode": "masked"}, "needs mask_source and mask_target"),
    ],
)
def test_wrong_inputs_end_in_one_sentence(given: dict, words: str, server: Any) -> None:
    outcome = server.run(prompt(True, **given))
    message = outcome.error["exception_message"].strip()
    assert words in message and "\n" not in message and message.endswith(".")
