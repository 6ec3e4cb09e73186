"""The templates of one person in several pictures in a real server, with the demo's models and few steps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli.comfy import workflow
from recompose.lab.toy import templates

DEMO = Path(__file__).resolve().parents[2] / "docs" / "demo"
QUICK = {
    "KSampler": {"steps": 4, "sampler_name": "euler"},
    "RecomposeInvertLatent": {"steps": 10, "scheduler": "normal"},
}


def composed(name: str) -> dict:
    found = templates.compose(name, "photo.png", (DEMO / "photo_pose.json").read_text())
    for node in found.values():
        node["inputs"].update(QUICK.get(node["class_type"], {}))
    return found


def saved(server, prompt: dict, more: dict | None = None) -> list[np.ndarray]:
    """The pictures that SaveImage left."""
    outcome = server.run(prompt | (more or {}), {"photo.png": DEMO / "photo.png"})
    assert outcome.succeeded, json.dumps(outcome.entry["status"]["messages"])[-1500:]
    (node,) = [identity for identity, each in prompt.items() if each["class_type"] == "SaveImage"]
    return outcome.images(node)


def test_the_subgraph_makes_the_same_pictures(server) -> None:
    flat, packed = (saved(server, composed(name)) for name in (templates.SAME, templates.PACKED))
    assert len(flat) == len(packed) == 3
    assert all(np.array_equal(one, other) for one, other in zip(flat, packed, strict=True))
    assert not np.array_equal(flat[0], flat[1]) and not np.array_equal(flat[1], flat[2])


def test_the_source_s_picture_is_that_of_its_prompt_alone(server) -> None:
    prompt = composed(templates.SAME)
    rows = workflow.find(prompt, "Rows")
    alone = json.loads(json.dumps(prompt))
    alone[rows] = {
        "class_type": "CLIPTextEncode",
        "inputs": {"clip": prompt[rows]["inputs"]["clip"], "text": prompt[rows]["inputs"]["source_prompt"]},
    }
    sampler = workflow.find(alone, "KSampler")
    alone[sampler]["inputs"] |= {
        "model": prompt[rows]["inputs"]["model"],
        "latent_image": [workflow.find(alone, "Size"), 0],
    }
    for title in ("Mutual Attention", "Same Noise"):
        del alone[workflow.find(alone, title)]
    (picture,) = saved(server, alone)
    # Batches of other sizes round otherwise.
    assert np.abs(saved(server, prompt)[0].astype(int) - picture).max() <= 2


def test_the_drawn_pose_changes_the_target_only(server) -> None:
    posed = composed(templates.POSED)
    free = composed(templates.POSED)
    free[workflow.find(free, "KSampler")]["inputs"] |= {
        "positive": [workflow.find(free, "Rows"), 0],
        "negative": [workflow.find(free, "Negative"), 0],
    }
    (source, target), (same, other) = saved(server, posed), saved(server, free)
    assert np.array_equal(source, same)
    assert (np.abs(target.astype(int) - other) > 20).any(-1).mean() > 0.05


def test_the_pose_is_the_edit_s(server) -> None:
    """Without the edit Edit Pose draws its standing person."""
    prompt = composed(templates.POSED)
    edit = workflow.find(prompt, "Edit Pose")
    drawn = {}
    for name in ("edited", "standing"):
        outcome = server.run(
            {edit: prompt[edit], "drawn": {"class_type": "PreviewImage", "inputs": {"images": [edit, 1]}}}
        )
        assert outcome.report(edit)["notices"] == []
        (drawn[name],) = outcome.images("drawn")
        prompt[edit]["inputs"].pop("edit", None)
    assert drawn["edited"].shape == (768, 512, 3)
    assert not np.array_equal(drawn["edited"], drawn["standing"])


def test_a_photo_s_person_changes_and_no_pixel_outside_of_both_poses(server) -> None:
    prompt = composed(templates.EDITED)
    names = {"old": "Person in the Old Pose", "new": "Person in the New Pose", "both": "Both"}
    shown = {
        name: {"class_type": "MaskToImage", "inputs": {"mask": [workflow.find(prompt, title), 0]}}
        for name, title in names.items()
    }
    shown |= {
        f"{name} shown": {"class_type": "PreviewImage", "inputs": {"images": [name, 0]}} for name in names
    }
    (node,) = [identity for identity, each in prompt.items() if each["class_type"] == "SaveImage"]
    outcome = server.run(prompt | shown, {"photo.png": DEMO / "photo.png"})
    assert outcome.succeeded, json.dumps(outcome.entry["status"]["messages"])[-1500:]
    (result,) = outcome.images(node)
    old, new, both = (outcome.images(f"{name} shown")[0][..., 0] > 0 for name in names)
    photo = np.array(Image.open(DEMO / "photo.png").convert("RGB"))
    changed = (result != photo).any(-1)
    assert result.shape == photo.shape
    assert (both == (old | new)).all() and (old & ~new).any() and (new & ~old).any() and not both.all()
    assert not changed[~both].any()
    # Both where the person was and where it came to be.
    assert changed[old & ~new].mean() > 0.5 and changed[new & ~old].mean() > 0.5


@pytest.mark.parametrize("name", templates.NAMES)
def test_nothing_but_what_a_template_says_is_noticed(name: str, server) -> None:
    outcome = server.run(composed(name), {"photo.png": DEMO / "photo.png"})
    assert outcome.succeeded, json.dumps(outcome.entry["status"]["messages"])[-1500:]
    told = {
        identity: report["notices"]
        for identity, output in outcome.outputs.items()
        for report in output.get("recompose", [])
        if report.get("notices")
    }
    assert told == {}
