"""How words and attention maps are measured, by hand-made maps."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import torch
from recompose.lab.evaluate.models import words


def test_otsu_separates_two_heaps() -> None:
    random = np.random.default_rng(1)
    low, high = random.normal(0.1, 0.03, 900), random.normal(0.8, 0.05, 100)
    assert 0.2 < words.otsu(np.concatenate([low, high])) < 0.65
    assert words.otsu(np.array([0.0, 0.0, 0.0, 1.0])) < 1.0


def test_a_map_of_the_things_own_cells_is_the_thing() -> None:
    mask = np.zeros((128, 128), bool)
    mask[32:96, 64:120] = True
    cells = torch.from_numpy(mask.reshape(16, 8, 16, 8).mean((1, 3))).float().flatten()
    layer = torch.zeros(256, 77)
    layer[:, 3], layer[:, 9] = cells, 1 - cells
    coarse = torch.nn.functional.avg_pool2d(layer.T.view(1, 77, 16, 16), 2)[0].flatten(1).T
    found = words.picture([layer, coarse], range(3, 4), 128, 128)
    assert words.overlap(found > words.otsu(found), mask) > 0.9
    other = words.picture([layer], range(9, 10), 128, 128)
    assert words.overlap(other > words.otsu(other), mask) < 0.1


def test_only_things_that_are_said_and_large_enough_are_looked_for(comfy: ModuleType) -> None:
    from recompose.lab.toy import world
    from recompose.lab.toy.models.tokenizer import Tokenizer

    example = world.closer(0, "test", (("ball", "red"), ("dog", "blue")), "room", person=False)
    found = words.things(example, "a blue dog in a room", Tokenizer())
    assert [(thing.name, thing.places) for thing in found] == [("dog", range(2, 4))]
    assert (found[0].mask == example.masks["dog"]).all()


def test_the_summary_is_of_the_rows() -> None:
    thing = {"name": "ball", "ceiling": 0.8, "all": 0.4, "eighth": 0.6, "sixteenth": 0.2, "decoder": 0.4}
    rows = [
        {"view": "closer", "seed": 0, "words": [0.5] * 16, "things": [thing]},
        {"view": "closer", "seed": 1, "words": [0.7] * 16, "things": []},
    ]
    found = words.summary(rows)
    assert found["attention on words, layer 3"] == pytest.approx(0.6)
    assert found["overlap of objects, closer, eighth"] == "0.6 of 0.8 (0.750), 1 things"
    assert not any("garments" in name or "whole" in name for name in found)
