"""Bad input through a real server: one clear sentence at the node, nothing written, the server stays up."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from recompose.cli.comfy import workflow
from recompose.cli.comfy.client import Refused
from recompose.tests.in_comfyui import main_job
from safetensors.torch import save_file

WIDTH, HEIGHT = 61, 47
# A standing person whose knees are the lowest points seen.
SEEN = {
    0: (30, 6),
    1: (30, 12),
    2: (25, 12),
    5: (35, 12),
    8: (27, 26),
    11: (33, 26),
    9: (27, 39),
    12: (33, 39),
}


def pose(width: int = WIDTH, height: int = HEIGHT, people: int = 1) -> list[dict]:
    points = [value for index in range(18) for value in (*SEEN.get(index, (0, 0)), float(index in SEEN))]
    return [
        {"canvas_width": width, "canvas_height": height, "people": [{"pose_keypoints_2d": points}] * people}
    ]


def photo() -> bytes:
    return main_job.png(np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))


def add(prompt: dict, node: str, kind: str, **inputs: object) -> list:
    """Put a node into the prompt and return a link to its first output."""
    prompt[node] = {"class_type": kind, "inputs": inputs, "_meta": {"title": node}}
    return [node, 0]


def setting(target: str, value: object) -> Callable[[dict], None]:
    def change(prompt: dict) -> None:
        node, name = workflow.locate(prompt, target)
        prompt[node]["inputs"][name] = value

    return change


def wrong_mask(target: str) -> Callable[[dict], None]:
    def change(prompt: dict) -> None:
        mask = add(prompt, "mask", "SolidMask", value=1.0, width=31, height=17)
        setting(target, mask)(prompt)

    return change


def nan_image(target: str) -> Callable[[dict], None]:
    def change(prompt: dict) -> None:
        latent = add(prompt, "latent", "LoadLatent", latent="nan.latent")
        vae = [workflow.find(prompt, "Checkpoint"), 2]
        setting(target, add(prompt, "nan", "VAEDecode", samples=latent, vae=vae))(prompt)

    return change


@dataclass
class Case:
    """A change to a sound main job, the node that has to complain, and words its sentence must hold."""

    change: Callable[[dict], None]
    at: str
    words: tuple[str, ...]
    types: tuple[str, ...] = field(default=("ValueError",))


CASES = {
    "no person": Case(setting("Load Pose.text", json.dumps(pose(people=0))), "Complete Pose", ("person",)),
    "pose is not JSON": Case(setting("Load Pose.text", "{'people': oops"), "Load Pose", ("JSON",)),
    "pose is other JSON": Case(setting("Load Pose.text", '{"cats": 3}'), "Load Pose", ("people",)),
    "no pose at all": Case(setting("Load Pose.text", ""), "Load Pose", ("pose",)),
    "pose of another size": Case(
        setting("Load Pose.text", json.dumps(pose(97, 83))), "Load Pose", ("97", "61")
    ),
    "pose far outside": Case(
        setting("Load Pose.text", json.dumps(pose()).replace("39, 1.0", "139, 1.0")),
        "Complete Pose",
        ("max_extension", "47"),
    ),
    "mask of another size, canvas": Case(wrong_mask("Extend Canvas.mask"), "Extend Canvas", ("31", "61")),
    "mask of another size, crop": Case(wrong_mask("Crop to Region.mask"), "Crop to Region", ("31", "17")),
    "mask of another size, limbs": Case(wrong_mask("Limb Mask.within"), "Limb Mask", ("31", "17")),
    "mask of another size, stitch": Case(wrong_mask("Stitch Back.mask"), "Stitch Back", ("31", "17")),
    "NaN in the photo, canvas": Case(nan_image("Extend Canvas.image"), "Extend Canvas", ("NaN",)),
    "NaN in the photo, caption": Case(nan_image("Caption.image"), "Caption", ("NaN",)),
    "NaN from the model": Case(nan_image("Stitch Back.generated"), "Stitch Back", ("NaN",)),
    "photo is no picture": Case(setting("Photo.image", "notes.png"), "Photo", (), ()),
    "corrupt checkpoint": Case(setting("Checkpoint.ckpt_name", "cut.safetensors"), "Checkpoint", (), ()),
    "ControlNet as checkpoint": Case(
        setting("Checkpoint.ckpt_name", "net.safetensors"), "Checkpoint", (), ()
    ),
    "corrupt ControlNet": Case(
        setting("ControlNet.control_net_name", "cut.safetensors"), "ControlNet", (), ()
    ),
    "corrupt caption model": Case(setting("Caption.model", "cut"), "Caption", ("cut",)),
    "caption model of another kind": Case(setting("Caption.model", "other"), "Caption", ("other",)),
}


def damaged() -> bytes:
    """A safetensors file whose header promises more than there is."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [100], "data_offsets": [0, 400]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"\0" * 12


@pytest.fixture(scope="module")
def broken(server, tmp_path_factory: pytest.TempPathFactory):
    """The server with damaged and misplaced files beside the good ones."""
    models: Path = server.models_dir
    for folder in ("checkpoints", "controlnet"):
        (models / folder / "cut.safetensors").write_bytes(damaged())
    (models / "checkpoints" / "net.safetensors").symlink_to(models / "controlnet" / main_job.CONTROLNET)
    caption = models / "blip" / main_job.CAPTIONER
    for name in ("cut", "other", "bare"):
        folder = models / "blip" / name
        folder.mkdir()
        for file in caption.iterdir():
            if file.suffix not in (".safetensors", ".bin"):
                (folder / file.name).symlink_to(file.resolve())
    (models / "blip" / "cut" / "model.safetensors").write_bytes(damaged())
    save_file({"weight": torch.ones(3, 2)}, models / "blip" / "other" / "model.safetensors")
    save_file({"latent_tensor": torch.full((1, 4, 5, 7), torch.nan)}, server.input_dir / "nan.latent")
    (server.input_dir / "notes.png").write_text("This is not a picture.")
    (server.input_dir / "bad.png").write_bytes(photo())
    yield server
    for path in [models / "checkpoints" / "cut.safetensors", models / "checkpoints" / "net.safetensors"]:
        path.unlink()
    (models / "controlnet" / "cut.safetensors").unlink()
    for name in ("cut", "other", "bare"):
        for file in (models / "blip" / name).iterdir():
            file.unlink()
        (models / "blip" / name).rmdir()


def written(server) -> list[str]:
    return sorted(str(path.relative_to(server.output_dir)) for path in server.output_dir.rglob("*"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_clear_sentence_at_the_node(case: Case, broken) -> None:
    prompt = main_job.prompt("bad.png", pose())
    case.change(prompt)
    before = written(broken)
    outcome = broken.run(prompt)
    assert not outcome.succeeded
    error = outcome.error
    assert workflow.title(prompt, error["node_id"]) == case.at, error["exception_message"]
    if case.types:
        sentence = error["exception_message"].strip()
        assert error["exception_type"] in case.types, sentence
        assert "\n" not in sentence and sentence.endswith(".") and 30 < len(sentence) < 400, sentence
        for word in case.words:
            assert word in sentence, sentence
    assert written(broken) == before
    assert broken.client.system()["comfyui_version"]


def test_the_sound_job_still_runs(broken) -> None:
    before = written(broken)
    done = main_job.run(broken, main_job.prompt("bad.png", pose()))
    assert done.region["canvas_height"] > HEIGHT
    assert len(written(broken)) == len(before) + 1


# What to lay on an empty mask of the canvas: left, top, width, height; and what the log must say.
UNUSUAL = {
    "none of the new area": ((5, 7, 20, 11), "covers none of the new area"),
    "most of the known": ((0, 0, 61, 40), "covers most of the photo"),
}


@pytest.mark.parametrize(("box", "warning"), UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_mask_is_a_warning_and_not_an_error(box: tuple, warning: str, broken) -> None:
    x, y, width, height = box
    prompt = main_job.prompt("bad.png", pose())
    region = main_job.run(broken, prompt).region
    empty = add(
        prompt, "empty", "SolidMask", value=0.0, width=region["canvas_width"], height=region["canvas_height"]
    )
    patch = add(prompt, "patch", "SolidMask", value=1.0, width=width, height=height)
    mask = add(prompt, "mask", "MaskComposite", destination=empty, source=patch, x=x, y=y, operation="add")
    setting("Stitch Back.mask", mask)(prompt)
    before = broken.process.log.read_text("utf-8", "replace").count(warning)
    assert broken.run(prompt).succeeded
    assert broken.process.log.read_text("utf-8", "replace").count(warning) == before + 1


MISSING = {
    "Checkpoint.ckpt_name": ("nowhere.safetensors",),
    "ControlNet.control_net_name": ("nowhere.safetensors",),
    # Ours says where the files are published and where they belong.
    "Caption.model": ("nowhere.safetensors", "huggingface.co", "models/blip"),
}


@pytest.mark.parametrize(("target", "words"), MISSING.items(), ids=MISSING)
def test_a_missing_model_is_refused_before_anything_runs(target: str, words: tuple, broken) -> None:
    refuse(broken, target, "nowhere.safetensors", words)


def test_a_caption_model_without_weights_is_refused_too(broken) -> None:
    refuse(broken, "Caption.model", "bare", ("bare", "huggingface.co", "models/blip"))


def refuse(server, target: str, value: str, words: tuple[str, ...]) -> None:
    prompt = main_job.prompt("bad.png", pose(), **{target: value})
    node, before = workflow.locate(prompt, target)[0], written(server)
    with pytest.raises(Refused) as refused:
        server.run(prompt)
    (complaint,) = refused.value.body["node_errors"][node]["errors"]
    for word in words:
        assert word in complaint["details"], complaint
    assert written(server) == before


def test_an_interrupt_in_the_middle_saves_nothing_and_the_next_run_works(broken) -> None:
    prompt = main_job.prompt("bad.png", pose(), **{"Outpaint.steps": 400, "Outpaint.seed": 77})
    sampler, before, seen = workflow.find(prompt, "Outpaint"), written(broken), []

    def stop(message: dict) -> None:
        if message["type"] == "progress" and message["data"]["node"] == sampler and not seen:
            seen.append(message["data"]["value"])
            broken.client.cancel(message["data"]["prompt_id"])

    entry = broken.client.run(prompt, watch=stop)
    assert seen and seen[0] < 400
    assert "execution_interrupted" in dict(entry["status"]["messages"])
    assert written(broken) == before
    done = main_job.run(broken, main_job.prompt("bad.png", pose(), **{"Outpaint.seed": 78}))
    assert "SaveImage" in done.executed
