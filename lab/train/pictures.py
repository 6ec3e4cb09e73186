"""The world drawn once into flat files, so that training reads instead of draws."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng

from ...core.pose.skeleton import L_ANKLE, L_HIP, R_ANKLE, R_HIP
from .. import version as versions
from ..files import replacing
from ..toy import world
from ..toy.world.composition import WIDTH
from .parallel import parallel_map

CROPS = 2
CROP_SEED = 7
VIEWS = ("whole", "closer")


@dataclass(frozen=True)
class Pictures:
    """Drawn pictures: bytes of all, rows of each, poses N,24,3 (pixels) and what is said of each.

    The captions of a picture are that of the whole and, as `crops`, those of windows that end at a row; the
    `boxes` (left, top, right, bottom) are those of the closer view's things.
    """

    folder: Path
    pixels: np.ndarray
    heights: np.ndarray
    starts: np.ndarray
    poses: np.ndarray
    captions: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.heights)

    def image(self, index: int) -> np.ndarray:
        """Picture H,128,3 uint8."""
        height, start = int(self.heights[index]), int(self.starts[index])
        return self.pixels[start : start + height * WIDTH * 3].reshape(height, WIDTH, 3)


def described(example: world.Example, random: Generator) -> dict[str, Any]:
    """The caption of the whole picture and those of windows whose lower edge cuts the legs off."""
    height, crops = example.image.shape[0], []
    rows = world.points_of(example)[:, 1]
    hip, ankle = max(rows[R_HIP], rows[L_HIP]), max(rows[R_ANKLE], rows[L_ANKLE])
    for _ in range(CROPS):
        bottom = int(np.clip(hip + random.random() * (ankle - hip), 0.3 * height, height - 1))
        crops.append([bottom, world.crop(example, 0, bottom).caption])
    return {"whole": example.caption, "crops": crops, "family": example.family, "boxes": []}


def described_closer(example: world.Example) -> dict[str, Any]:
    """The caption of a closer picture, those of its things alone, and their boxes."""
    said, bottom = example.attributes, example.image.shape[0]
    things = {"subject": "things", "objects": said["objects"]}
    texts = [world.caption(things)]
    if "scene" in said:
        texts.append(world.caption(things | {"scene": said["scene"]}))
    boxes = [box(example.masks[name]) for name, _ in said["objects"]]
    crops = [[bottom, text] for text in texts]
    return {"whole": example.caption, "crops": crops, "family": example.family, "boxes": boxes}


def box(mask: np.ndarray) -> list[int]:
    """Left, top, right and bottom of a mask's pixels."""
    rows, columns = np.nonzero(mask)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def unseen(example: world.Example) -> bool:
    """Whether a picture shows a pair of kind and colour that training leaves out."""
    return any(world.UNSEEN[name] == colour for name, colour in example.drawing.attributes.get("objects", ()))


def drawn(one: tuple[int, str, str]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]] | None:
    """Picture, points and captions of one seed of a part in a view; None for one that is left out."""
    seed, part, view = one
    example = world.example(seed, part) if view == "whole" else world.closer(seed, part)
    if unseen(example):
        return None
    points = world.points_of(example).astype(np.float32)
    if view == "whole":
        return example.image, points, described(example, default_rng((CROP_SEED, seed)))
    return example.image, points, described_closer(example)


def draw(folder: Path, part: str, count: int, view: str) -> None:
    """Draw the first `count` seeds of a part into `folder`, which appears only when it is whole."""
    heights, poses, captions = [], [], []
    with replacing(folder) as unfinished:
        unfinished.mkdir()
        with (unfinished / "pixels.bin").open("wb") as file:
            for found in parallel_map(drawn, ((seed, part, view) for seed in range(count))):
                if found is None:
                    continue
                image, points, said = found
                file.write(np.ascontiguousarray(image).tobytes())
                heights.append(image.shape[0])
                poses.append(points)
                captions.append(said)
        np.savez(unfinished / "index.npz", heights=np.array(heights), poses=np.stack(poses))
        (unfinished / "captions.json").write_text(json.dumps(captions))


def version() -> str:
    """A short name that changes when the world is drawn or described differently."""
    return versions.version(["lab.train.pictures"])


def pictures(cache: Path, part: str, count: int, view: str = "whole") -> Pictures:
    """The pictures of the first `count` seeds of a part, less those left out; drawn on first use."""
    folder = cache / f"pictures-{part}-{view}-{count}-{version()}"
    if not folder.is_dir():
        draw(folder, part, count, view)
    index = np.load(folder / "index.npz")
    sizes = index["heights"].astype(np.int64) * WIDTH * 3
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    pixels = np.memmap(folder / "pixels.bin", np.uint8, "r")
    captions = json.loads((folder / "captions.json").read_text())
    return Pictures(folder, pixels, index["heights"], starts, index["poses"], captions)
