"""The template repaint in a real server: nothing changes outside the mask, and the calls are as said."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli.comfy import workflow

ROOT = Path(__file__).resolve().parents[3]
PROMPT = json.loads((ROOT / "workflows" / "api" / "repaint.json").read_text())
LEFT, TOP, WIDTH, HEIGHT = 3, 129, 35, 12  # within whole latent cells


def photo(highest: int = 255) -> tuple[np.ndarray, bytes]:
    """The demo's photo, and its file with the ball at its lower edge masked by transparency.

    With another `highest` alpha value nothing is quite opaque, so that the mask's black is not quite 0.
    """
    picture = np.array(Image.open(ROOT / "docs" / "demo" / "photo.png").convert("RGB"))
    opaque = np.full(picture.shape[:2], highest, np.uint8)
    opaque[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] = 0
    file = io.BytesIO()
    Image.fromarray(np.dstack([picture, opaque])).save(file, "PNG")
    return picture, file.getvalue()


def prompt(checkpoint: str, **settings: object) -> dict:
    found = copy.deepcopy(PROMPT)
    quick = {
        "Photo.image": "masked.png",
        "Checkpoint.ckpt_name": checkpoint,
        "Positive.text": "a person standing on a meadow",
        "Crop to Region.width": 64,
        "Crop to Region.height": 64,
    }
    for target, value in {**quick, **settings}.items():
        node, name = workflow.locate(found, target)
        found[node]["inputs"][name] = value
    return found


@pytest.mark.parametrize(
    ("checkpoint", "highest"),
    [
        ("recompose_demo.safetensors", 255),
        ("recompose_demo.safetensors", 254),
        ("recompose_demo_inpaint.safetensors", 255),
    ],
)
def test_only_the_masked_pixels_change(checkpoint: str, highest: int, server) -> None:
    picture, file = photo(highest)
    (server.input_dir / "masked.png").write_bytes(file)
    told: list[tuple[int, int]] = []
    made = prompt(checkpoint)
    node = workflow.find(made, "Lagrange Inpaint")

    def hear(message: dict) -> None:
        if message["type"] == "progress" and message["data"]["node"] == node:
            told.append((message["data"]["value"], message["data"]["max"]))

    entry = server.client.run(made, watch=hear)
    assert entry["status"]["status_str"] == "success", json.dumps(entry["status"]["messages"])[-1500:]
    (saved,) = entry["outputs"][workflow.find(made, "Repainted")]["images"]
    out = np.array(Image.open(io.BytesIO(server.client.fetch(saved))))
    changed = (out != picture).any(-1)
    inside = changed[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH]
    assert inside.mean() > 0.5
    changed[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] = False
    assert not changed.any()
    assert told[-1] == (50, 50) and {most for _, most in told} == {50}


def test_an_error_is_one_sentence_at_the_node(server) -> None:
    (server.input_dir / "masked.png").write_bytes(photo()[1])
    made = prompt("recompose_demo.safetensors")
    encoded = workflow.find(made, "Encode")
    made[workflow.find(made, "Lagrange Inpaint")]["inputs"]["latent"] = [encoded, 0]
    outcome = server.run(made)
    assert outcome.error["node_id"] == workflow.find(made, "Lagrange Inpaint")
    assert "no noise mask" in outcome.error["exception_message"]
