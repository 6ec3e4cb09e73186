"""The committed weights: small enough, whole, and better than guessing on pictures no training saw."""

from __future__ import annotations

import json
from statistics import mean
from types import ModuleType

import pytest
import torch
from recompose.lab.toy import table, world
from recompose.lab.toy.models import parts

PART_BYTES, ALL_BYTES = 15 * 10**6, 64 * 10**6
DECIBEL = 24.5
# Of what is shown and what is made up; naming any attribute at random is right in less than 0.2.
HEARD = {"whole": 0.88, "cropped": 0.82}


def test_parts_are_small_and_noted_and_read_in_half_precision() -> None:
    files = sorted(parts.FOLDER.glob("*"))
    assert [path.name for path in files] == sorted(model.file for model in table.MODELS.values())
    assert max(path.stat().st_size for path in files) <= PART_BYTES
    assert sum(path.stat().st_size for path in files) <= ALL_BYTES
    for name in table.MODELS:
        weights, notes = parts.read(parts.FOLDER, name)
        assert {value.dtype for value in weights.values()} == {torch.float16}
        assert json.loads(notes["steps"]) > 0 and json.loads(notes["seconds"]) > 0


def test_every_part_fits_its_network(comfy: ModuleType) -> None:
    for name, model in table.MODELS.items():
        parts.load(model.build(), parts.FOLDER, name)


def pixels(example: world.Example) -> torch.Tensor:
    return torch.from_numpy(example.image.copy()).permute(2, 0, 1)[None].float() / 255


def test_the_autoencoder_gives_unseen_pictures_back(comfy: ModuleType) -> None:
    from recompose.lab.toy.models import networks
    from recompose.training.losses import psnr

    network = networks.autoencoder()
    parts.load(network, parts.FOLDER, "vae")
    found = []
    with torch.inference_mode():
        for seed in range(6):
            image = pixels(world.example(seed, "test"))
            found.append(float(psnr(networks.decode(network, networks.encode(network, image)), image)))
    assert mean(found) > DECIBEL


@pytest.mark.parametrize("kind", HEARD)
def test_the_captioner_names_what_is_seen_and_nothing_else(kind: str) -> None:
    from recompose.lab.evaluate.models import captioner as figures

    some = [shown for shown in figures.pictures(range(16)) if shown[0] == kind]
    right, asked, invented = figures.counts(figures.described(figures.load(parts.FOLDER), some, 1))
    assert right / (asked + invented) > HEARD[kind]
