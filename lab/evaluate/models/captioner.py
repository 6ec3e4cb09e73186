"""How many of the attributes that a picture shows the captioner names, and how many it makes up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...toy import world
from ...toy.models import folder_of_captioner, vocabulary
from ...toy.world.captions import Attributes
from ...toy.world.labels import OBJECTS
from ..captioner import load
from ..rows import Figures

PART = "test"
SEEDS = range(0, 300)
KINDS = ("whole", "cropped", "closer", "closer, cropped")
BEAMS = (1, 3)
BATCH = 25
LONGEST = 60
Shown = tuple[str, int, world.Example]  # kind, seed, picture


def flat(attributes: Attributes) -> dict[str, str]:
    """The attributes one value each; an object is asked for by its name and answered with its colour."""
    single = {name: value for name, value in attributes.items() if name != "objects"}
    return single | dict(attributes.get("objects", ()))


def compared(shown: Attributes, said: Attributes) -> dict[str, list[str | None]]:
    """By attribute what is shown and what is said where these differ; None stands for nothing."""
    true, named = flat(shown), flat(said)
    return {
        name: [true.get(name), named.get(name)]
        for name in sorted({*true, *named})
        if true.get(name) != named.get(name)
    }


def pictures(seeds: Iterable[int]) -> list[Shown]:
    """Pictures of both views, and parts of them: cut between hip and ankle, or around a thing."""
    found: list[Shown] = []
    for seed in seeds:
        whole, closer = world.example(seed, PART), world.closer(seed, PART)
        cut = world.crop_between(whole, seed), world.window_at_thing(closer, seed)
        found += zip(KINDS, [seed] * len(KINDS), (whole, cut[0], closer, cut[1]), strict=True)
    return found


@torch.inference_mode()
def said(network: nn.Module, images: list[np.ndarray], beams: int) -> list[str]:
    """The captions of pictures H,W,3 uint8 of any sizes."""
    lines, texts = vocabulary.lines(folder_of_captioner.words()), []
    for start in range(0, len(images), BATCH):
        pixels = np.stack([folder_of_captioner.normalised(image) for image in images[start : start + BATCH]])
        ids = network.generate(
            pixel_values=torch.from_numpy(pixels), num_beams=beams, max_new_tokens=LONGEST, do_sample=False
        )
        for row in ids.tolist():
            words = [lines[index] for index in row if index not in vocabulary.SPECIAL]
            texts.append(" ".join(words).replace(" ,", ","))
    return texts


def described(network: nn.Module, some: list[Shown], beams: int) -> list[dict[str, Any]]:
    """One row per picture: the attributes asked for, and those that came out wrong."""
    texts, rows = said(network, [example.image for _, _, example in some], beams), []
    for (kind, seed, example), text in zip(some, texts, strict=True):
        asked = sorted(flat(example.attributes))
        wrong = compared(example.attributes, world.parse(text))
        rows.append({"kind": kind, "seed": seed, "beams": beams, "asked": asked, "wrong": wrong})
    return rows


def measure(folder: Path) -> Figures:
    """Describe all pictures with the committed captioner, word by word and with beams as the workflows do."""
    network, chosen = load(folder), pictures(SEEDS)
    rows = [row for beams in BEAMS for row in described(network, chosen, beams)]
    return Figures(rows, summary(rows))


def counts(rows: list[dict[str, Any]], names: tuple[str, ...] | None = None) -> tuple[int, int, int]:
    """Right ones, visible ones and invisible ones named, over all attributes or some."""

    def chosen(row: dict[str, Any], key: str) -> list[str]:
        return [name for name in row[key] if names is None or name in names]

    asked = sum(len(chosen(row, "asked")) for row in rows)
    missed = sum(row["wrong"][name][0] is not None for row in rows for name in chosen(row, "wrong"))
    invented = sum(row["wrong"][name][0] is None for row in rows for name in chosen(row, "wrong"))
    return asked - missed, asked, invented


def score(rows: list[dict[str, Any]], names: tuple[str, ...] | None = None) -> str:
    """Right / (visible + invisible ones named), and the numbers behind it."""
    right, asked, invented = counts(rows, names)
    return f"{right / max(asked + invented, 1):.4f} ({right} of {asked}, {invented} invisible named)"


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the rows: in all, then by attribute as said word by word."""
    found: dict[str, Any] = {}
    for beams in BEAMS:
        for kind in KINDS:
            some = [row for row in rows if (row["kind"], row["beams"]) == (kind, beams)]
            found[f"{kind}, beams {beams}"] = score(some)
    names = {name: (name,) for row in rows for name in row["asked"] if name not in OBJECTS}
    for name, members in {**names, "objects": OBJECTS}.items():
        for kind in KINDS:
            some = [row for row in rows if (row["kind"], row["beams"]) == (kind, 1)]
            found[f"{name}, {kind}"] = score(some, members)
    return found
