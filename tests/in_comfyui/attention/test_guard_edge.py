"""The edge of what Shape Guard paints."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch
from recompose.core.attention.shape import Shaping

COARSE = torch.zeros(9, 14, dtype=torch.bool)
COARSE[2:8, 3:12] = True
THING = torch.zeros(9, 14, dtype=torch.bool)
THING[3:6, 5:9] = True


@pytest.fixture(scope="module")
def guarding(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.attention.guarding")


def test_nothing_is_held_back_outside_of_the_coarse_mask(guarding: ModuleType) -> None:
    coarse = COARSE.float()
    coarse[1, 3:12] = 0.25  # a mask's edge within cells
    found = guarding.painted(THING, coarse, Shaping(feather=0.0))
    assert torch.equal(found[~COARSE & (coarse == 0)], torch.ones(int((coarse == 0).sum())))
    assert torch.equal(found[1, 3:12], torch.full((9,), 0.75))
    assert torch.equal(found[COARSE], THING[COARSE].float())


def test_the_edge_is_soft_outside_of_the_shape(guarding: ModuleType) -> None:
    hard, soft = (guarding.painted(THING, COARSE.float(), Shaping(feather=width)) for width in (0.0, 1.0))
    assert torch.equal(soft[THING], torch.ones(12)) and float(soft[3, 4]) == float(soft[5, 9]) == 0.5
    assert float(soft[4, 3]) == 0 and float(hard[3, 4]) == 0
    grown = guarding.painted(THING, COARSE.float(), Shaping(grow=1.0, feather=0.0))
    assert float(grown[3, 4]) == 1 and float(grown[4, 3]) == 0
