"""Where objects are in the pictures of a folder: COCO's instances, YOLO's boxes, or masks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..folders import inside, of_stem, pictures_in
from .views import Box

LEAST = 8  # px a side below which an object cannot be seen


class Objects(NamedTuple):
    """The objects of a picture: boxes in its pixels, or in shares of its sides, or those of its mask."""

    picture: Path
    boxes: Sequence[Box] = ()
    shares: bool = False
    mask: Path | None = None

    def within(self, width: int, height: int) -> list[Box]:
        """The boxes in pixels of the picture, cut to it, without those that cannot be seen."""
        across, down = (width, height) if self.shares else (1, 1)
        found = []
        for left, top, right, bottom in self.boxes:
            box = Box(
                max(0.0, left * across), max(0.0, top * down), min(width, right * across),
                min(height, bottom * down),
            )  # fmt: skip
            if box.right - box.left >= LEAST and box.bottom - box.top >= LEAST:
                found.append(box)
        return found


def read(pictures: Path, boxes: Path) -> list[Objects]:
    """The objects of a folder's pictures; ValueError, one sentence, where there are none or they are unclear.

    `boxes` is a .json of COCO's, or a folder of YOLO's .txt files or of masks by the pictures' names.
    """
    if not pictures.is_dir():
        raise ValueError(f"Expected a folder of pictures, got no folder {pictures}; give its path.")
    if boxes.is_file() and boxes.suffix.lower() == ".json":
        found = list(coco(pictures, boxes))
    elif boxes.is_dir() and any(boxes.glob("*.txt")):
        found = list(yolo(pictures, boxes))
    elif boxes.is_dir():
        found = list(masks(pictures, boxes))
    else:
        raise ValueError(
            f"Expected COCO's .json, or a folder of YOLO's .txt files or of masks, got {boxes}; give one "
            "of these."
        )
    if not found:
        raise ValueError(f"Expected objects in {boxes} for pictures of {pictures}, got none; check both.")
    return found


def coco(pictures: Path, file: Path) -> Iterator[Objects]:
    """The instances of COCO's format, but for crowds."""
    try:
        held = json.loads(file.read_text(encoding="utf-8-sig"))
        names = {each["id"]: str(each["file_name"]) for each in held["images"]}
        boxes: dict[Any, list[Box]] = {}
        for each in held["annotations"]:
            if not each.get("iscrowd"):
                x, y, width, height = map(number, each["bbox"])
                boxes.setdefault(each["image_id"], []).append(Box(x, y, x + width, y + height))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"Expected COCO's images and annotations with boxes in {file}, got something else ({error!r}); "
            "check it."
        ) from error
    for key, name in names.items():
        path = pictures / name
        if key in boxes and inside(path, pictures) and path.is_file():
            yield Objects(path, boxes[key])


def number(value: Any) -> float:
    """A finite number; ValueError for anything else."""
    found = float(value)
    if not math.isfinite(found):
        raise ValueError(f"{value} is no number")
    return found


def yolo(pictures: Path, folder: Path) -> Iterator[Objects]:
    """The boxes of YOLO's format: class, centre and size in shares of the picture, one a line."""
    for picture in pictures_in(pictures):
        file = folder / f"{picture.stem}.txt"
        if not file.is_file():
            continue
        boxes = []
        for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines():
            if not line.strip():
                continue
            try:
                _, x, y, width, height = map(number, line.split()[:5])
            except ValueError as error:
                raise ValueError(
                    f"Expected class, x, y, width and height in {file}, got {line[:60]!r}; check it."
                ) from error
            boxes.append(Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        if boxes:
            yield Objects(picture, boxes, True)


def masks(pictures: Path, folder: Path) -> Iterator[Objects]:
    """The masks of a folder, each with its picture's name."""
    for picture in pictures_in(pictures):
        mask = of_stem(folder, picture.stem)
        if mask is not None:
            yield Objects(picture, mask=mask)
