"""Boxes of COCO's, YOLO's and of masks, and one sentence for anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recompose.core.exemplar import annotations
from recompose.core.exemplar.views import Box


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.jpg", "b.PNG", "c.webp", "._a.jpg", "notes.txt"):
        (folder / name).write_bytes(b"")
    return folder


def coco(folder: Path, **changed: object) -> Path:
    held = {
        "images": [
            {"id": 7, "file_name": "a.jpg"},
            {"id": 9, "file_name": "b.PNG"},
            {"id": 1, "file_name": "no.jpg"},
        ],
        "annotations": [
            {"image_id": 7, "bbox": [3, 5, 20, 30]},
            {"image_id": 7, "bbox": [1, 1, 9, 9], "iscrowd": 1},
            {"image_id": 9, "bbox": [0.5, 0, 12, 12.5], "iscrowd": 0},
            {"image_id": 1, "bbox": [0, 0, 12, 12]},
        ],
    }
    path = folder.parent / "instances.json"
    path.write_text(json.dumps(held | changed))
    return path


def test_coco_instances_without_crowds_and_missing_pictures(pictures: Path) -> None:
    found = annotations.read(pictures, coco(pictures))
    assert [(each.picture.name, list(each.boxes)) for each in found] == [
        ("a.jpg", [Box(3, 5, 23, 35)]),
        ("b.PNG", [Box(0.5, 0, 12.5, 12.5)]),
    ]


def test_yolo_boxes_are_shares_of_the_picture(pictures: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("0 0.5 0.25 0.5 0.25\n\n3 0.9 0.9 0.4 0.4 0.77\n")
    (only,) = annotations.read(pictures, labels)
    assert only.within(200, 80) == [Box(50, 10, 150, 30), Box(140, 56, 200, 80)]


def test_masks_go_by_name(pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    (folder / "b.png").write_bytes(b"")
    (only,) = annotations.read(pictures, folder)
    assert only.picture.name == "b.PNG" and only.mask == folder / "b.png"


def test_what_cannot_be_seen_is_left_out() -> None:
    held = annotations.Objects(Path("a"), [Box(-5, -5, 2, 50), Box(0, 0, 7, 40), Box(90, 10, 300, 20)])
    assert held.within(100, 100) == [Box(90, 10, 100, 20)]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"annotations": [{"image_id": 7, "bbox": [1, 2, 3]}]},
            "Expected COCO's images and annotations with boxes",
        ),
        (
            {"annotations": [{"image_id": 7, "bbox": [1, 2, 3, "nan"]}]},
            "Expected COCO's images and annotations",
        ),
        ({"images": 5}, "Expected COCO's images and annotations"),
        ({"annotations": []}, "Expected objects in .*, got none; check both"),
        ({"images": [{"id": 7, "file_name": "../instances.json"}]}, "got none; check both"),
    ],
)
def test_other_json_is_told(pictures: Path, changed: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        annotations.read(pictures, coco(pictures, **changed))


def test_other_files_are_told(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Expected COCO's \.json, or a folder of YOLO's"):
        annotations.read(pictures, pictures / "notes.txt")
    with pytest.raises(ValueError, match="Expected a folder of pictures, got no folder"):
        annotations.read(tmp_path / "none", pictures)
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("0 0.5 0.25\n")
    with pytest.raises(
        ValueError, match=r"Expected class, x, y, width and height in .*a\.txt, got '0 0.5 0.25'"
    ):
        annotations.read(pictures, labels)
