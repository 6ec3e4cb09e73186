"""`cli demo` on photos as people have them: none of their pixels changes, and a plan is beside the strip."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli import demo
from recompose.cli.comfy import workflow
from recompose.lab.toy import photo, world
from recompose.tests.in_comfyui import main_job

NAMES = ("--checkpoint", main_job.CHECKPOINT, "--controlnet", main_job.CONTROLNET)
NAMES += ("--caption-model", main_job.CAPTIONER)


def moved(pose: list, scale: float = 1.0, right: float = 0.0) -> list:
    """The pose on the picture scaled, or with its people elsewhere on it."""
    found = copy.deepcopy(pose)
    for frame in found:
        frame["canvas_width"] = round(frame["canvas_width"] * scale)
        frame["canvas_height"] = round(frame["canvas_height"] * scale)
        for person in frame["people"]:
            for key, flat in person.items():
                if key.endswith("_keypoints_2d"):
                    flat[::3] = [
                        (x + right) * scale if score else x
                        for x, score in zip(flat[::3], flat[2::3], strict=True)
                    ]
                    flat[1::3] = [y * scale for y in flat[1::3]]
    return found


def saved(folder: Path, case: str) -> tuple[Path, list]:
    """The demo's photo in one of the ways people have theirs, and its pose."""
    example = photo.cropped()
    picture, pose = Image.fromarray(example.image), example.pose
    if case == "turned":
        exif = Image.Exif()
        exif[0x0112] = 8  # Turn a quarter counterclockwise to see it upright.
        picture.transpose(Image.Transpose.ROTATE_270).save(folder / "turned.jpg", exif=exif, quality=85)
        return folder / "turned.jpg", pose
    if case == "two people":
        both = Image.new("RGB", (2 * picture.width, picture.height))
        both.paste(picture, (0, 0))
        both.paste(picture, (picture.width, 0))
        people = pose[0]["people"] + moved(pose, right=picture.width)[0]["people"]
        picture, pose = both, [pose[0] | {"people": people, "canvas_width": both.width}]
    if case == "at the edge":
        # The frame goes through the trunk.
        cut = world.crop(example, 0, picture.height, picture.width // 2 - 12, picture.width)
        picture, pose = Image.fromarray(cut.image), cut.pose
    if case == "4000 px":
        scale = 4000 / picture.height
        picture = picture.resize((round(picture.width * scale), 4000), Image.Resampling.BICUBIC)
        pose = moved(pose, scale)
        pose[0]["canvas_width"], pose[0]["canvas_height"] = picture.size
    if case == "16 bit":
        grey = np.asarray(picture.convert("L")).astype(np.uint16)
        picture = Image.fromarray(grey * 257 - grey % 7)
    if case in ("L", "CMYK", "RGBA", "P"):
        picture = picture.convert(case)
    path = folder / f"{case}.{'tif' if case == 'CMYK' else 'png'}"
    picture.save(path)
    return path, pose


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed workflow, small and in few steps."""
    prompt = workflow.read(demo.WORKFLOW)
    for node in prompt.values():
        node["inputs"] |= {"steps": 2} if "steps" in node["inputs"] else {}
        if node["class_type"] == "RecomposeCropToRegion":
            node["inputs"] |= {"width": 64, "height": 96}
    (tmp_path / "quick.json").write_text(json.dumps(prompt))
    monkeypatch.setattr(demo, "WORKFLOW", tmp_path / "quick.json")


@pytest.mark.parametrize(
    "case", ["turned", "L", "16 bit", "CMYK", "RGBA", "P", "two people", "at the edge", "4000 px"]
)
def test_no_pixel_of_the_photo_changes(server, quick, tmp_path: Path, case: str) -> None:
    path, pose = saved(tmp_path, case)
    (tmp_path / "pose.json").write_text(json.dumps(pose))
    options = ["--server", server.url, *NAMES, "--image", path, "--pose", tmp_path / "pose.json"]
    assert demo.main([str(option) for option in [*options, "--out", tmp_path / "out"]]) == 0
    figures = json.loads((tmp_path / "out" / "report.json").read_text())
    assert figures["changed_pixels"] == 0
    assert figures["pixels_added"]["bottom"] > 0
    frame = pose[0]
    assert figures["sizes"]["photo"] == [frame["canvas_width"], frame["canvas_height"]]
    with Image.open(tmp_path / "out" / "plan.png") as plan:
        assert max(plan.size) > 1024
