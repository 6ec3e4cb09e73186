"""Many patches take the memory of one crop beyond the picture made; Linux tells the peak."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch
from recompose.lab.evaluate.speed import regions

SIDE = 3072


@pytest.mark.parametrize(("count", "box", "working"), [(16, 512, 512), (9, 1024, 1024), (4, 1536, 768)])
def test_patches_take_little_memory(comfy: ModuleType, count: int, box: int, working: int) -> None:
    stitch = importlib.import_module("recompose.nodes.canvas").StitchBack.execute
    with torch.inference_mode():
        regions.megabytes(stitch, torch, 1024, 4, 256, 256)  # what is loaded on first use
        found = regions.megabytes(stitch, torch, SIDE, count, box, working)
    assert found <= regions.limit(working)
