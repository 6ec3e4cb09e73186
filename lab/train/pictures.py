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


@dataclass(frozen=True)
class Pictures:
    """Drawn pictures: bytes of all, rows of each, poses N,24,3 (pixels) and what is said of each."""

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
    return {"whole": example.caption, "crops": crops, "family": example.family}


def drawn(one: tuple[int, str]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Picture, points and captions of one seed of a part."""
    seed, part = one
    example = world.example(seed, part)
    points = world.points_of(example).astype(np.float32)
    return example.image, points, described(example, default_rng((CROP_SEED, seed)))


def draw(folder: Path, part: str, count: int) -> None:
    """Draw the first `count` pictures of a part into `folder`, which appears only when it is whole."""
    heights, poses, captions = [], [], []
    with replacing(folder) as unfinished:
        unfinished.mkdir()
        with (unfinished / "pixels.bin").open("wb") as file:
            for image, points, said in parallel_map(drawn, ((seed, part) for seed in range(count))):
                file.write(np.ascontiguousarray(image).tobytes())
                heights.append(image.shape[0])
                poses.append(points)
                captions.append(said)
        np.savez(unfinished / "index.npz", heights=np.array(heights), poses=np.stack(poses))
        (unfinished / "captions.json").write_text(json.dumps(captions))


def version() -> str:
    """A short name that changes when the world is drawn or described differently."""
    return versions.version(["lab.train.pictures"])


def pictures(cache: Path, part: str, count: int) -> Pictures:
    """The first `count` pictures of a part of the world, drawn on first use."""
    folder = cache / f"pictures-{part}-{count}-{version()}"
    if not folder.is_dir():
        draw(folder, part, count)
    index = np.load(folder / "index.npz")
    sizes = index["heights"].astype(np.int64) * WIDTH * 3
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    pixels = np.memmap(folder / "pixels.bin", np.uint8, "r")
    captions = json.loads((folder / "captions.json").read_text())
    return Pictures(folder, pixels, index["heights"], starts, index["poses"], captions)
