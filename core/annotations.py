"""Where things are in the pictures of a data set, by their masks and names: COCO's instances and panoptic
segments, or folders of masks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from .folders import inside, pictures_in

PICTURES, MASKS = "pictures", "masks"
FEWEST = 64  # px of a thing that can be seen


class Instance(NamedTuple):
    """A thing: its picture, what it is called, a caption of it if there is one, and how to get its mask
    (bool H,W) for a picture of a width and height."""

    picture: Path
    label: str
    caption: str
    mask: Callable[[int, int], np.ndarray]


def read(data: Path, pictures: Path | None = None) -> list[Instance]:
    """The things of COCO's .json with a folder of pictures, or of a folder with pictures/ and masks/LABEL/.

    ValueError, one sentence, where there are none or they are unclear.
    """
    if data.is_file() and data.suffix.lower() == ".json":
        if pictures is None or not pictures.is_dir():
            raise ValueError(
                f"Expected a folder of pictures for {data.name}, got {pictures}; give --pictures."
            )
        found = list(coco(data, pictures))
    elif (data / MASKS).is_dir():
        found = list(folders(pictures or data / PICTURES, data / MASKS))
    else:
        raise ValueError(
            f"Expected COCO's .json, or a folder with {PICTURES}/ and {MASKS}/LABEL/, got {data}; give "
            "one of these."
        )
    if not found:
        raise ValueError(f"Expected things with masks in {data}, got none for the pictures; check both.")
    return found


def coco(file: Path, pictures: Path) -> Iterator[Instance]:
    """The instances or panoptic segments of COCO's format, but for crowds and what is no thing."""
    try:
        held = json.loads(file.read_text(encoding="utf-8-sig"))
        names = {each["id"]: pictures / str(each["file_name"]) for each in held["images"]}
        labels = {each["id"]: str(each["name"]) for each in held["categories"] if each.get("isthing", 1)}
        segments = list(segments_of(held["annotations"], file.with_suffix("")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"Expected COCO's images, categories and annotations in {file}, got something else ({error!r}); "
            "check it."
        ) from error
    known = {path for path in names.values() if inside(path, pictures) and path.is_file()}
    for image, category, caption, mask in segments:
        if category in labels and names.get(image) in known:
            yield Instance(names[image], labels[category], caption, mask)


def segments_of(annotations: Sequence[Mapping[str, Any]], panoptic: Path) -> Iterator[tuple[Any, ...]]:
    """Picture, category, caption and mask of each annotation; the panoptic ones' masks lie in a folder."""
    for each in annotations:
        if "segments_info" in each:
            path = panoptic / str(each["file_name"])
            for one in each["segments_info"]:
                if not one.get("iscrowd"):
                    yield (
                        each["image_id"],
                        one["category_id"],
                        "",
                        partial(panoptic_mask, path, int(one["id"])),
                    )
        elif not each.get("iscrowd") and each.get("segmentation"):
            caption = " ".join(str(each.get("caption", "")).split())
            yield each["image_id"], each["category_id"], caption, partial(mask_of, each["segmentation"])


def mask_of(segmentation: Any, width: int, height: int) -> np.ndarray:
    """A mask of COCO's polygons or of its counts of run lengths; ValueError for anything else."""
    if isinstance(segmentation, Mapping):
        rows, columns = segmentation["size"]
        counts = segmentation["counts"]
        lengths = unpacked(counts) if isinstance(counts, str) else [int(each) for each in counts]
        values = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
        if len(values) != rows * columns or (rows, columns) != (height, width):
            raise ValueError(f"{len(values)} values for {columns}×{rows} in a picture of {width}×{height} px")
        return values.reshape(columns, rows).T
    page = Image.new("1", (width, height))
    for polygon in segmentation:
        ImageDraw.Draw(page).polygon([float(each) for each in polygon], 1)
    return np.array(page)


def unpacked(text: str) -> list[int]:
    """COCO's compressed run lengths: 5 bits a character, and each from the third on as its difference to the
    one before last."""
    found: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value |= -1 << shift
            found.append(value + (found[-2] if len(found) > 2 else 0))
            value = shift = 0
    return found


def panoptic_mask(path: Path, number: int, width: int, height: int) -> np.ndarray:
    """A segment's mask: its number is in a picture's red, green and blue, lowest first."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int64)
    if pixels.shape[:2] != (height, width):
        raise ValueError(f"{path.name} is no picture of {width}×{height} px")
    return pixels @ np.array([1, 256, 65536]) == number


def folders(pictures: Path, masks: Path) -> Iterator[Instance]:
    """The masks of folders that are named by what they show, each mask with its picture's name.

    A .txt file beside a mask is the thing's caption.
    """
    if not pictures.is_dir():
        raise ValueError(f"Expected a folder of pictures, got no folder {pictures}; make it.")
    by_stem = {path.stem: path for path in pictures_in(pictures)}
    for folder in sorted(path for path in masks.iterdir() if path.is_dir()):
        for mask in pictures_in(folder):
            if mask.stem not in by_stem:
                raise ValueError(f"Expected a picture for {mask} in {pictures}, got none; add it.")
            beside = mask.with_suffix(".txt")
            caption = beside.read_text(encoding="utf-8-sig", errors="replace") if beside.is_file() else ""
            yield Instance(
                by_stem[mask.stem], folder.name, " ".join(caption.split()), partial(file_mask, mask)
            )


def file_mask(path: Path, width: int, height: int) -> np.ndarray:
    """The mask of a file, white for the thing."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("L"))
    if pixels.shape != (height, width):
        raise ValueError(f"{path} is no mask of {width}×{height} px")
    return pixels > 127
