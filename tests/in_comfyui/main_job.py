"""The committed full-body prompt, set up small and quick for one photo; what came of it, pixel by pixel."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from recompose.cli import demo
from recompose.cli.comfy import workflow
from recompose.core.canvas.preservation import changed_pixels

PROMPT = Path(__file__).resolve().parents[2] / "workflows" / "api" / "full_body.json"
CHECKPOINT = "recompose_demo_inpaint.safetensors"
PLAIN_CHECKPOINT = "recompose_demo.safetensors"
CONTROLNET = "recompose_demo_openpose.safetensors"
CAPTIONER = "recompose_demo"


def png(picture: np.ndarray) -> bytes:
    """The PNG file of a uint8 H,W,C picture."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def prompt(photo: str, pose: object, **settings: object) -> dict:
    """The main job on `photo` with the demo's inpaint checkpoint; settings are "Title.input" = value.

    Works at 64 x 80 with two sampling steps per pass, so that a run takes seconds.
    """
    found = copy.deepcopy(json.loads(PROMPT.read_text()))
    demo.load(found, json.dumps(pose))
    quick = {
        "Photo.image": photo,
        "Checkpoint.ckpt_name": CHECKPOINT,
        "ControlNet.control_net_name": CONTROLNET,
        "Caption.model": CAPTIONER,
        "Caption.max_new_tokens": 6,
        "Crop to Region.width": 64,
        "Crop to Region.height": 80,
        "Crop the Person.width": 64,
        "Crop the Person.height": 64,
        "Outpaint.steps": 2,
        "ControlNet pass.steps": 2,
        "Draw Pose.stick_width": 1,
    }
    for target, value in {**quick, **settings}.items():
        node, name = workflow.locate(found, target)
        found[node]["inputs"][name] = value
    return found


@dataclass
class Done:
    """One finished run: the saved picture, where the photo lies on it, what ran, what was reported."""

    picture: np.ndarray
    region: dict
    executed: list[str]
    reports: dict


def run(server, prompt: dict, photo: bytes | None = None) -> Done:
    """Put the photo under the name the prompt wants, run, and fetch the saved picture; fails on any error."""
    if photo is not None:
        (server.input_dir / prompt[workflow.find(prompt, "Photo")]["inputs"]["image"]).write_bytes(photo)
    messages: list[dict] = []
    entry = server.client.run(prompt, watch=messages.append)
    assert entry["status"]["status_str"] == "success", json.dumps(entry["status"]["messages"])[-1500:]
    outputs = entry["outputs"]
    reports = {
        workflow.title(prompt, node): output["recompose"][0]
        for node, output in outputs.items()
        if output.get("recompose")
    }
    (saved,) = outputs[workflow.find(prompt, "Full body")]["images"]
    ran = [message["data"]["node"] for message in messages if message["type"] == "executing"]
    return Done(
        np.array(Image.open(io.BytesIO(server.client.fetch(saved)))),
        reports["Extend Canvas"]["region"],
        [prompt[node]["class_type"] for node in ran if node],
        reports,
    )


def changed(photo: np.ndarray, done: Done) -> int:
    """How many pixels of the photo (uint8 H,W,3) differ in any channel from the saved picture."""
    assert done.picture.shape == (done.region["canvas_height"], done.region["canvas_width"], 3)
    return changed_pixels(done.picture, photo, done.region)


def added(done: Done) -> np.ndarray:
    """The new pixels of the saved picture, N,3."""
    x, y, width, height = (done.region[name] for name in ("x", "y", "width", "height"))
    new = np.ones(done.picture.shape[:2], bool)
    new[y : y + height, x : x + width] = False
    return done.picture[new]
