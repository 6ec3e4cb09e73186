"""Drawn photos that are inverted: how exactly they come back, and edits of the person's pose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ....core.mask import distance
from ...toy import world
from .measures import Eyes
from .pairs import PART, Pair, pair
from .runs import POSED, REPLACE, Run
from .stage import Stage

FIRST, COUNT = 10_000, 40
AROUND = 3  # px beyond the person, which the edit may change as well
ALONE, WORDS = "words alone", "all colours in words"
EDITS = (Run(ALONE), Run(WORDS), Run(REPLACE, "replace"), Run(POSED, "replace", posed=True))
EXACT = "O-BELM"
METHODS: dict[str, dict[str, Any]] = {
    EXACT: {"method": EXACT},
    "DDIM as published": {"method": "DDIM"},
    **{
        f"fixed point, {count} iterations": {"method": "fixed point", "iterations": count, "tolerance": 0.0}
        for count in (0, 1, 3, 10)
    },
}
ITERATED = 8  # photos that the methods of many calls are measured on


def photos() -> Iterator[tuple[world.Example, Pair]]:
    """Drawn photos with another pose of the same person at the same place, without end."""
    seed = FIRST
    while True:
        photo = world.example(2 * seed, PART)
        other = world.example(2 * seed + 1, PART, photo.image.shape[0], scene=photo.scene)
        found = pair(seed, photo, other, move=False)
        if found is not None:
            yield photo, found
        seed += 1


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """In dB, of pictures of 8 bits."""
    error = np.square(one.astype(float) - other).mean()
    return round(float(10 * np.log10(255**2 / max(error, 1e-10))), 3)


def returned(stage: Stage, photo: world.Example, method: str) -> dict[str, Any]:
    """How near a photo comes back by a method: of its latent (relative), and PSNR beside the VAE's own."""
    latent = stage.encoded(photo.image)
    found = stage.back(stage.inverted(photo.image, METHODS[method]))
    (through,), (image,) = stage.pixels(latent), stage.pixels(found)
    error = float((found - latent).norm() / latent.norm())
    return {"latent": error, "psnr": psnr(image, photo.image), "psnr of the VAE": psnr(through, photo.image)}


def stitched(photo: np.ndarray, made: np.ndarray, people: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The photo with the edit where a person stands in either, and that mask (bool H,W)."""
    mask = distance.to_nearest(people[0] | people[1], AROUND) <= AROUND
    return np.where(mask[..., None], made, photo), mask


def edited(stage: Stage, inverted: Any, asked: Pair, run: Run) -> np.ndarray:
    """The edit of an inverted photo, H,W,3 uint8, as it is sampled."""
    words = asked.ceiling if run.name == WORDS else asked.target
    return stage.edited(inverted, asked, [asked.source, words], run)[1]


def edits(
    eyes: Eyes, photo: world.Example, asked: Pair, made: dict[str, np.ndarray]
) -> Iterator[dict[str, Any]]:
    """A row for each edit of a photo, stitched."""
    for name, image in made.items():
        (seen,) = eyes.look([image])
        picture, mask = stitched(photo.image, image, [photo.masks["person"], seen.person])
        changed = int((picture != photo.image).any(2)[~mask].sum())
        row = eyes.measured(asked, photo.image, picture)
        yield {"seed": asked.seed, "run": f"photo, {name}", "changed pixels outside": changed, **row}
