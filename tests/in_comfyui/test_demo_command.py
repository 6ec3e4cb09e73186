"""`cli demo` for real: from the photo to the whole person, and away again whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli import demo
from recompose.cli.comfy import workflow
from recompose.lab.commands import demo as command
from recompose.lab.setup.environment import Environment
from recompose.lab.toy import photo

MADE = ("full_body.png", "plan.png", "report.json", "strip.png")
COMMAND = """
import sys
from pathlib import Path
from types import ModuleType
alias = ModuleType("recompose")
alias.__path__ = [sys.argv[1]]
sys.modules["recompose"] = alias
from recompose.lab.commands import demo
from recompose.lab.setup.environment import Environment
environment = Environment(Path(sys.executable), Path(sys.argv[2]), Path(sys.argv[3]))
sys.exit(demo.main(sys.argv[4:], environment))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models are assembled once."""
    return tmp_path_factory.mktemp("cache")


def left(cache: Path) -> list[str]:
    """What a demo leaves in the cache beside the models."""
    return [path.name for path in cache.iterdir() if not path.name.startswith("demo-models")]


def test_the_demo_extends_its_photo_and_changes_no_pixel_of_it(cache, tmp_path, capfd) -> None:
    environment = Environment(Path(sys.executable), Path(os.environ["COMFYUI_PATH"]), cache)
    assert command.main(["--out", str(tmp_path)], environment) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [*MADE]
    figures = json.loads((tmp_path / "report.json").read_text())
    given = np.asarray(Image.open(photo.FOLDER / "photo.png"))
    made = np.asarray(Image.open(tmp_path / "full_body.png"))
    added = figures["pixels_added"]
    top, lefthand = added["top"], added["left"]
    kept = made[top : top + given.shape[0], lefthand : lefthand + given.shape[1]]
    assert (kept == given).all()
    assert made.shape[0] == given.shape[0] + added["top"] + added["bottom"]
    assert made.shape[1] == given.shape[1] + added["left"] + added["right"]
    assert added["bottom"] >= 20  # the shins and the feet
    assert figures["changed_pixels"] == 0
    assert figures["seam_ratio"] > 0 and figures["scale"] > 0
    assert figures["caption"].strip()
    assert set(figures["seconds"]) == {"total", "start", *demo.PHASES, "rest"}
    carries_the_layout(tmp_path / "full_body.png")
    assert left(cache) == []
    said = capfd.readouterr()
    assert "Changed pixels of the original: 0" in said.out
    assert "100%" in said.err


def carries_the_layout(file: Path) -> None:
    """The picture opens in the page as the laid-out workflow, with the settings that made it."""
    carried = Image.open(file).info
    layout, asked = json.loads(carried["workflow"]), json.loads(carried["prompt"])
    assert layout["groups"] and any(node["type"] == "MarkdownNote" for node in layout["nodes"])
    nodes = {node.get("title"): node for node in layout["nodes"]}
    assert nodes["Outpaint"]["widgets_values"] == [1, "fixed", 30, 2.0, "dpmpp_2m_sde", "karras", 1]
    assert nodes["Checkpoint"]["widgets_values"] == ["recompose_demo_inpaint.safetensors"]
    photo_of = asked[workflow.find(asked, "Photo")]["inputs"]["image"]
    assert nodes["Photo"]["widgets_values"] == [photo_of, "image"]
    (detect,) = [node for node in layout["nodes"] if node["type"] == "RecomposeDetectPose"]
    assert detect["widgets_values"] == ["keypoint model", "recompose_demo_detector.safetensors", 0.5]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_leaving_in_the_middle_writes_nothing_and_stops_the_server(
    cache, tmp_path, root, number: int, status: int
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", COMMAND, str(root), os.environ["COMFYUI_PATH"], str(cache)]
    process = subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("["):  # The first line of the progress bar: the workflow runs.
            break
    (base,) = left(cache)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == status, errors
    assert not out.exists() and left(cache) == []
    assert not any(base.encode() in line for line in commands())


def commands() -> list[bytes]:
    """The command lines of all processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes())
        except OSError:
            continue  # It ended while we looked.
    return found


def test_a_turned_jpeg_of_odd_size_comes_back_unchanged_through_a_running_server(
    server, tmp_path, monkeypatch
) -> None:
    """JPEG decoders differ by a step or two, so the reference is what the server's own LoadImage read."""
    quick = workflow.read(demo.WORKFLOW)
    for node in quick.values():
        if "steps" in node["inputs"]:
            node["inputs"]["steps"] = 2
        if node["class_type"] == "RecomposeCropToRegion":
            node["inputs"] |= {"width": 96, "height": 128}
    (tmp_path / "quick.json").write_text(json.dumps(quick))
    monkeypatch.setattr(demo, "WORKFLOW", tmp_path / "quick.json")
    example = photo.cropped()
    upright = Image.fromarray(example.image).crop((3, 0, 126, 141))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn a quarter clockwise to see it upright.
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=80)
    moved = photo.world.crop(example, 0, 141, 3, 126).pose
    (tmp_path / "pose.json").write_text(json.dumps(moved))
    names = ["recompose_demo_inpaint.safetensors", "recompose_demo_openpose.safetensors", "recompose_demo"]
    options = ["--image", tmp_path / "turned.jpg", "--pose", tmp_path / "pose.json", "--server", server.url]
    options += ["--checkpoint", names[0], "--controlnet", names[1], "--caption-model", names[2]]
    started = time.monotonic()
    out = tmp_path / "out"
    assert demo.main([str(option) for option in [*options, "--out", out]]) == 0
    figures = json.loads((out / "report.json").read_text())
    assert figures["sizes"]["photo"] == [123, 141]
    assert figures["changed_pixels"] == 0
    assert figures["seconds"]["total"] <= time.monotonic() - started + 0.005  # it is told in hundredths
