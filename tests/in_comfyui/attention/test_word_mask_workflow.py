"""Word Mask in a real ComfyUI with the demo's checkpoints, on the demo's photo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

PHOTO = Path(__file__).resolve().parents[3] / "docs" / "demo" / "photo.png"
TEXT = (
    "a man with curly white hair in a pink shirt and purple trousers standing with hands on hips in a meadow"
)
PLAIN, INPAINT = "recompose_demo.safetensors", "recompose_demo_inpaint.safetensors"


def prompt(checkpoint: str = PLAIN, **given: Any) -> dict:
    """The masks and maps of words in the photo."""
    node = {
        "model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "image": ["2", 0], "text": TEXT,
        "words": "shirt", "threshold": 0.0, "one_piece": False, "grow": 0.0, "feather": 0.0, "layers": "",
        "seed": 0, **given,
    }  # fmt: skip
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": checkpoint}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}},
        "3": {"class_type": "RecomposeWordMask", "inputs": node},
        "4": {"class_type": "MaskToImage", "inputs": {"mask": ["3", 0]}},
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
        "6": {"class_type": "MaskToImage", "inputs": {"mask": ["3", 1]}},
        "7": {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}},
    }


def masks(server: Any, asked: dict) -> list[np.ndarray]:
    """The masks as they are shown, bool."""
    outcome = server.run(asked, {"photo.png": PHOTO})
    assert outcome.succeeded, outcome.error
    return [image[..., 0] > 127 for image in outcome.images("5")]


def test_each_word_has_a_mask_of_the_photo_s_size_and_again_the_same(server: Any) -> None:
    height, width = np.asarray(Image.open(PHOTO)).shape[:2]
    shirt, trousers = masks(server, prompt(words="shirt, purple trousers"))
    assert shirt.shape == trousers.shape == (height, width) and shirt.any() and trousers.any()
    assert not np.array_equal(shirt, trousers) and not shirt.all() and not trousers.all()
    (again,) = masks(server, prompt())
    assert np.array_equal(shirt, again)


def test_an_inpaint_checkpoint_finds_the_shirt_too(server: Any) -> None:
    (plain,), (inpaint,) = (masks(server, prompt(name)) for name in (PLAIN, INPAINT))
    assert (plain & inpaint).sum() > 0.5 * (plain | inpaint).sum()


def test_one_piece_that_is_grown(server: Any) -> None:
    (every,), (one,), (grown,) = (
        masks(server, prompt(threshold=0.3, words="meadow", **given))
        for given in ({}, {"one_piece": True}, {"one_piece": True, "grow": 6.0})
    )
    assert not (one & ~every).any() and not (one & ~grown).any() and grown.sum() > one.sum()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"words": "cat"}, 'Word Mask: "cat" is not in the text; its words are a, man, with, curly'),
        ({"words": ""}, "Word Mask: words is empty"),
        ({"layers": "soft"}, 'Word Mask: layers cannot be read at "soft"'),
        ({"layers": "16-"}, "names none of the model's layers 0 to 15"),
        ({"words": "shirt#2"}, '"shirt" is in the text once but #2 was asked for'),
    ],
)
def test_wrong_inputs_end_in_one_sentence(given: dict, words: str, server: Any) -> None:
    outcome = server.run(prompt(**given), {"photo.png": PHOTO})
    message = outcome.error["exception_message"].strip()
    assert words in message and "\n" not in message and message.endswith(".")
