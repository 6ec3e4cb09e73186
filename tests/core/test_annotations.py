"""Things of COCO's files and of folders, with their masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from recompose.core import annotations

WIDTH, HEIGHT = 9, 7


def picture(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    return path


def block() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[2:5, 3:7] = True
    return mask


def counts(mask: np.ndarray) -> list[int]:
    """Run lengths down the columns, the first of what is outside."""
    found, value = [0], False
    for each in mask.T.flatten():
        if each != value:
            found.append(0)
            value = bool(each)
        found[-1] += 1
    return found


def packed(lengths: list[int]) -> str:
    """The same as COCO's text."""
    text = ""
    for index, length in enumerate(lengths):
        value = length - (lengths[index - 2] if index > 2 else 0)
        while True:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            text += chr(48 + (bits | (0x20 if more else 0)))
            if not more:
                break
    return text


def instances(folder: Path, segmentation: Any, **more: Any) -> Path:
    held = {
        "images": [{"id": 3, "file_name": "a.png"}], "categories": [{"id": 8, "name": "dog"}],
        "annotations": [{"image_id": 3, "category_id": 8, "segmentation": segmentation, **more}],
    }  # fmt: skip
    file = folder / "instances.json"
    file.write_text(json.dumps(held))
    return file


@pytest.mark.parametrize("layout", ["polygon", "counts", "text"])
def test_cocos_instances(tmp_path: Path, layout: str) -> None:
    picture(tmp_path / "pictures" / "a.png")
    lengths = counts(block())
    size = [HEIGHT, WIDTH]
    segmentation = {
        "polygon": [[3, 2, 6, 2, 6, 4, 3, 4]], "counts": {"size": size, "counts": lengths},
        "text": {"size": size, "counts": packed(lengths)},
    }[layout]  # fmt: skip
    (one,) = annotations.read(instances(tmp_path, segmentation, caption="a  dog"), tmp_path / "pictures")
    assert (one.label, one.caption, one.picture.name) == ("dog", "a dog", "a.png")
    assert np.array_equal(one.mask(WIDTH, HEIGHT), block())


def test_long_runs_are_unpacked() -> None:
    lengths = [0, 1, 40, 700, 3, 100000, 2, 5]
    assert annotations.unpacked(packed(lengths)) == lengths


def test_crowds_and_stuff_are_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "pictures" / "a.png")
    file = instances(tmp_path, [[0, 0, 4, 0, 4, 4]], iscrowd=1)
    with pytest.raises(ValueError, match="Expected things with masks"):
        annotations.read(file, tmp_path / "pictures")


def test_cocos_panoptic_segments(tmp_path: Path) -> None:
    picture(tmp_path / "pictures" / "a.jpg")
    number = 5 + 7 * 256 + 2 * 65536
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[block()] = (5, 7, 2)
    (tmp_path / "panoptic").mkdir()
    Image.fromarray(pixels).save(tmp_path / "panoptic" / "a.png")
    held = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 4, "name": "cat", "isthing": 1}, {"id": 5, "name": "sky", "isthing": 0}],
        "annotations": [
            {
                "image_id": 1, "file_name": "a.png",
                "segments_info": [{"id": number, "category_id": 4}, {"id": 0, "category_id": 5}],
            }
        ],
    }  # fmt: skip
    (tmp_path / "panoptic.json").write_text(json.dumps(held))
    (one,) = annotations.read(tmp_path / "panoptic.json", tmp_path / "pictures")
    assert one.label == "cat" and np.array_equal(one.mask(WIDTH, HEIGHT), block())


def test_folders_of_masks(tmp_path: Path) -> None:
    picture(tmp_path / "pictures" / "a.jpg")
    (tmp_path / "masks" / "red ball").mkdir(parents=True)
    Image.fromarray(block().astype(np.uint8) * 255).save(tmp_path / "masks" / "red ball" / "a.png")
    (tmp_path / "masks" / "red ball" / "a.txt").write_text("a red\nball")
    (one,) = annotations.read(tmp_path)
    assert (one.label, one.caption) == ("red ball", "a red ball")
    assert np.array_equal(one.mask(WIDTH, HEIGHT), block())
    with pytest.raises(ValueError, match="is no mask of 4×7 px"):
        one.mask(4, HEIGHT)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"images": 3}', "[" * 9999])
def test_other_files_are_refused_by_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=r"Expected COCO's images, categories and annotations in"):
        annotations.read(tmp_path / "a.json", tmp_path)


def test_data_without_masks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"got .*; give one of these"):
        annotations.read(tmp_path)
    (tmp_path / "masks" / "dog").mkdir(parents=True)
    picture(tmp_path / "pictures" / "a.png")
    with pytest.raises(ValueError, match="Expected things with masks"):
        annotations.read(tmp_path)
    picture(tmp_path / "masks" / "dog" / "b.png")
    with pytest.raises(ValueError, match=r"Expected a picture for .*b.png"):
        annotations.read(tmp_path)


def test_a_picture_outside_of_the_folder_is_not_read(tmp_path: Path) -> None:
    picture(tmp_path / "secret.png")
    (tmp_path / "pictures").mkdir()
    file = instances(tmp_path, [[0, 0, 4, 0, 4, 4]])
    file.write_text(file.read_text().replace("a.png", "../secret.png"))
    with pytest.raises(ValueError, match="Expected things with masks"):
        annotations.read(file, tmp_path / "pictures")
