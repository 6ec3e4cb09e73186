"""The world drawn once into flat files, so that training reads instead of draws."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator, default_rng

from ...core.pose.skeleton import L_ANKLE, L_HIP, R_ANKLE, R_HIP
from .. import version as versions
from ..files import replacing
from ..toy import world
from ..toy.world.composition import WIDTH
from ..toy.world.labels import MATERIALS
from .parallel import parallel_map

CROPS = 2
CROP_SEED = 7
VIEWS = ("whole", "closer")
CELL = 8  # pixels to a cell of the latent


@dataclass(frozen=True)
class Pictures:
    """Drawn pictures: bytes of all, rows of each, poses N,24,3 (pixels), what is said of each, how much of
    each cell is made of what.

    The captions of a picture are that of the whole and, as `crops`, those of windows that end at a row; the
    `boxes` (left, top, right, bottom) are those of the closer view's things.
    """

    folder: Path
    pixels: np.ndarray
    heights: np.ndarray
    starts: np.ndarray
    poses: np.ndarray
    captions: list[dict[str, Any]]
    shares: np.ndarray

    def __len__(self) -> int:
        return len(self.heights)

    def image(self, index: int) -> np.ndarray:
        """Picture H,128,3 uint8."""
        height, start = int(self.heights[index]), int(self.starts[index])
        return self.pixels[start : start + height * WIDTH * 3].reshape(height, WIDTH, 3)

    def share(self, index: int) -> np.ndarray:
        """How much of each cell is made of each material, M,H/8,16 uint8 (255: all of it)."""
        pixels, cell = 3, CELL * CELL
        start = int(self.starts[index]) // (pixels * cell) * len(MATERIALS)
        size = int(self.heights[index]) * WIDTH // cell * len(MATERIALS)
        return self.shares[start : start + size].reshape(len(MATERIALS), -1, WIDTH // CELL)


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


def shares(material: np.ndarray) -> np.ndarray:
    """How much of each cell of a plane H,W is made of each material, M,H/8,W/8 uint8 (255: all of it)."""
    height, width = material.shape
    cells = material.reshape(height // CELL, CELL, width // CELL, CELL)
    counts = [(cells == number).sum((1, 3)) for number in range(len(MATERIALS))]
    return (np.stack(counts) * 255 // CELL**2).astype(np.uint8)


def unseen(example: world.Example) -> bool:
    """Whether a picture shows a pair of kind and colour that training leaves out."""
    return any(world.UNSEEN[name] == colour for name, colour in example.drawing.attributes.get("objects", ()))


class Drawn(NamedTuple):
    """One picture, its points, its captions and how much of each cell is made of what."""

    image: np.ndarray
    points: np.ndarray
    said: dict[str, Any]
    shares: np.ndarray


def drawn(one: tuple[int, str, str]) -> Drawn | None:
    """One seed of a part in a view; None for a picture that is left out."""
    seed, part, view = one
    example = world.example(seed, part) if view == "whole" else world.closer(seed, part)
    if unseen(example):
        return None
    points = world.points_of(example).astype(np.float32)
    cells = shares(example.window.cut(example.drawing.material))
    if view == "whole":
        return Drawn(example.image, points, described(example, default_rng((CROP_SEED, seed))), cells)
    return Drawn(example.image, points, described_closer(example), cells)


def draw(folder: Path, part: str, count: int, view: str) -> None:
    """Draw the first `count` seeds of a part into `folder`, which appears only when it is whole."""
    heights, poses, captions = [], [], []
    with replacing(folder) as unfinished:
        unfinished.mkdir()
        with (unfinished / "pixels.bin").open("wb") as file, (unfinished / "shares.bin").open("wb") as cells:
            for found in parallel_map(drawn, ((seed, part, view) for seed in range(count))):
                if found is None:
                    continue
                file.write(np.ascontiguousarray(found.image).tobytes())
                cells.write(found.shares.tobytes())
                heights.append(found.image.shape[0])
                poses.append(found.points)
                captions.append(found.said)
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
    cells = np.memmap(folder / "shares.bin", np.uint8, "r")
    return Pictures(folder, pixels, index["heights"], starts, index["poses"], captions, cells)
