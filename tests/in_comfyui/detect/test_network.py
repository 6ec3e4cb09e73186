"""The small keypoint model in Detect Pose: drawn people in their own pixels, nobody, and unfit files."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.bridge import pose_record
from recompose.lab.toy import world
from recompose.lab.toy.models import parts
from recompose.lab.toy.world import picture
from safetensors.torch import save_file

SEEDS = range(6)
RIGHT = 0.95


@pytest.fixture
def node(comfy: ModuleType) -> type:
    return importlib.import_module("recompose.nodes.detect").DetectPose


@pytest.fixture
def filled(models: Path) -> Path:
    """A models folder with the demo's detector."""
    folder = models / "keypoint_models"
    folder.mkdir(parents=True)
    save_file(parts.read(parts.FOLDER, "detector")[0], folder / "drawn.safetensors")
    return folder


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.copy())[None].float() / 255


def found(node: type, image: np.ndarray, name: str = "drawn.safetensors") -> tuple[dict, torch.Tensor]:
    pose, preview = node.execute(tensor(image), {"detector": "keypoint model", "model": name}, 0.5).args
    return pose[0], preview


@pytest.mark.parametrize("times", [1, 5])
def test_it_finds_drawn_people_in_their_own_pixels(node: type, filled: Path, times: int) -> None:
    right = asked = 0
    for seed in SEEDS:
        example = world.crop_between(world.example(seed, "test"), seed)
        height, width = example.image.shape[:2]
        size = (times * width, times * height)
        frame, preview = found(node, np.asarray(Image.fromarray(example.image).resize(size)))
        assert (frame["canvas_width"], frame["canvas_height"]) == size
        assert preview.shape[1:3] == (size[1], size[0])
        (person,) = frame["people"]
        assert len(person["recompose"]["confidence"]) == 24
        seen, true = pose_record.read([frame])[0].people[0].rows, picture.rows(example.pose)
        there = true[:, 2] > 0
        far = np.hypot(*(seen[:, :2] / times - true[:, :2]).T)
        right += int(((far < 0.05 * example.drawing.stature) & (seen[:, 2] > 0))[there].sum())
        asked += int(there.sum())
    assert right / asked > RIGHT, right / asked


def test_nobody_is_found_where_nobody_is(node: type, filled: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame, _ = found(node, np.full((150, 128, 3), 128, np.uint8))
    assert frame["people"] == [] and "nobody was found in picture 1 of 1" in caplog.text


def test_unfit_and_missing_files_are_named(node: type, filled: Path) -> None:
    save_file({"layer.weight": torch.zeros(3)}, filled / "other.safetensors")
    (filled / "broken.safetensors").write_bytes(b"no weights")
    image = np.zeros((64, 64, 3), np.uint8)
    for name, words in (
        ("other.safetensors", "holds another kind of network"),
        ("broken.safetensors", "is damaged"),
        ("none.safetensors", "none.safetensors is not in"),
    ):
        with pytest.raises(ValueError, match=words):
            found(node, image, name)
