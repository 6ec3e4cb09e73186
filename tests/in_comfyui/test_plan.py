"""A plan made without ComfyUI is what the template full_body does there: points, canvas and photo."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from recompose.bridge import pose_json
from recompose.cli.comfy import workflow
from recompose.cli.plan import drawing, find, make
from recompose.cli.plan.photo import opened
from recompose.core.shapes import Size
from recompose.lab.toy import photo, world
from recompose.tests.cli.plan.test_command import formats
from recompose.tests.in_comfyui import main_job


def upstream(prompt: dict, *titles: str) -> dict:
    """The part of a prompt that these nodes need."""
    kept, open_ends = {}, [workflow.find(prompt, title) for title in titles]
    while open_ends:
        node = open_ends.pop()
        kept[node] = prompt[node]
        open_ends += [value[0] for value in prompt[node]["inputs"].values() if workflow.is_link(value)]
    return kept


def cases() -> dict[str, tuple[np.ndarray, list]]:
    """Photos with their poses: the demo's, others of the drawn world cut in several ways, two people."""
    found = {"demo": (photo.cropped().image, photo.cropped().pose)}
    for seed in (3, 11, 40):
        whole = world.example(seed, part="test")
        rows = round(whole.drawing.points["left knee"][1] - 5)
        cut = world.crop(whole, 0, rows, 3, 121)
        found[f"seed {seed}"] = (cut.image, cut.pose)
    image, pose = found["seed 3"]
    other = json.loads(json.dumps(pose))
    for person in other[0]["people"]:
        flat = person["pose_keypoints_2d"]
        flat[::3] = [x + 20 if score else x for x, score in zip(flat[::3], flat[2::3], strict=True)]
    both = json.loads(json.dumps(pose))
    both[0]["people"] += other[0]["people"]
    return found | {"two people": (image, both)}


@pytest.mark.parametrize("name", cases())
def test_plan_and_template_agree_to_the_pixel(server, name: str) -> None:
    image, pose = cases()[name]
    size = Size(image.shape[1], image.shape[0])
    planned = make.plan(pose_json.read(json.dumps(pose), picture=size)[0])
    assert planned.why is None and any(planned.padding)
    prompt = upstream(main_job.prompt("planned.png", pose), "Extended canvas", "Edit Pose")
    done = server.run(prompt, {"planned.png": main_job.png(image)})
    assert done.succeeded, done.error
    assert done.report(workflow.find(prompt, "Extend Canvas"))["padding"] == list(planned.padding)
    (frame,) = done.report(workflow.find(prompt, "Edit Pose"))["pose"]
    agree(drawing.bodies(frame), [make.body(each) for each in planned.frame.people])


def agree(reported: list[drawing.Body], made: list[drawing.Body], within: float = 0.006) -> None:
    """The same people: which points are there, which are guesses, and where they are to a part of a pixel."""
    assert len(reported) == len(made)
    for one, other in zip(reported, made, strict=True):
        there = np.array(one.present)
        assert there.tolist() == list(other.present)
        assert np.array(one.guessed)[there].tolist() == np.array(other.guessed)[there].tolist()
        assert np.abs(np.array(one.points)[there] - np.array(other.points)[there]).max() <= within


def test_plan_and_template_find_the_same_people(server) -> None:
    overlay = os.environ.get("RECOMPOSE_OVERLAY_CONTROLNET_AUX")
    assert overlay, "RECOMPOSE_OVERLAY_CONTROLNET_AUX must name the folder that holds scikit-image."
    picture = Path(overlay) / "skimage" / "data" / "astronaut.png"
    planned = make.plan(find.people(opened(picture)))
    template = workflow.read(make.WORKFLOW)
    template[workflow.find(template, "Photo")]["inputs"]["image"] = "astronaut.png"
    prompt = upstream(template, "Extended canvas", "Edit Pose")
    assert any(node["class_type"] == "RecomposeDetectPose" for node in prompt.values())
    done = server.run(prompt, {"astronaut.png": picture})
    assert done.succeeded, done.error
    (frame,) = done.report(workflow.find(prompt, "Edit Pose"))["pose"]
    agree(drawing.bodies(frame), [make.body(each) for each in planned.frame.people], within=0.05)
    assert done.report(workflow.find(prompt, "Extend Canvas"))["padding"] == list(planned.padding)


@pytest.mark.parametrize("name", formats())
def test_a_photo_is_planned_as_load_image_shows_it(server, tmp_path: Path, name: str) -> None:
    picture = formats()[name]
    more = {"exif": picture.info["exif"]} if "exif" in picture.info else {}
    picture.save(tmp_path / name, **more)
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    (shown,) = server.run(prompt, {name: tmp_path / name}).images("2")
    found = np.asarray(opened(tmp_path / name)).astype(int)
    assert shown.shape == found.shape
    assert np.abs(shown[..., :3].astype(int) - found).max() <= 2
