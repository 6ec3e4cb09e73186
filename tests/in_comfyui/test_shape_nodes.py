"""Mask Precision and Guess Precision as ComfyUI calls them."""

from __future__ import annotations

import importlib
from types import ModuleType, SimpleNamespace

import pytest
import torch
from recompose.core.smartbrush.precision import BOX, LEVELS, family

WIDTH, HEIGHT = 152, 104


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.shape")


def comb(batch: int = 1) -> torch.Tensor:
    """A thing with thin parts."""
    mask = torch.zeros(batch, HEIGHT, WIDTH)
    mask[:, 60:90, 20:130] = 1
    for x in range(20, 130, 12):
        mask[:, 20:60, x : x + 4] = 1
    return mask


def coarser(nodes: ModuleType, mask: torch.Tensor, precision: int, **more) -> torch.Tensor:
    return nodes.MaskPrecision.execute(**{"mask": mask, "precision": precision, "ratio": 8, **more}).args[0]


def guessed(nodes: ModuleType, mask: torch.Tensor, **more) -> int:
    return nodes.GuessPrecision.execute(**{"mask": mask, "ratio": 8, **more}).args[0]


@pytest.mark.parametrize("batch", [1, 3])
def test_masks_grow_with_precision_and_the_one_given_stays(nodes, batch: int) -> None:
    mask = comb(batch)
    before, made = mask.clone(), [coarser(nodes, mask, level) for level in range(LEVELS)]
    for level, wanted in zip(made, family(mask[:, None], 8), strict=True):
        assert level.shape == mask.shape and torch.equal(level, wanted[:, 0])
    made[0].zero_()
    assert torch.equal(mask, before)


def test_the_vae_says_how_large_a_cell_is(nodes) -> None:
    vae = SimpleNamespace(spacial_compression_encode=lambda: 2)
    assert torch.equal(coarser(nodes, comb(), 1, vae=vae), coarser(nodes, comb(), 1, ratio=2))
    assert not torch.equal(coarser(nodes, comb(), 1, vae=vae), coarser(nodes, comb(), 1))


def test_exact_and_box_are_told_apart(nodes) -> None:
    assert guessed(nodes, comb()) == 0
    assert guessed(nodes, coarser(nodes, comb(), BOX)) == BOX
    assert guessed(nodes, comb()[0]) == 0


def test_of_several_masks_the_coarsest_counts_with_a_notice(nodes, caplog) -> None:
    both = torch.cat([comb(), coarser(nodes, comb(), BOX)])
    assert guessed(nodes, both) == BOX
    assert "of the precisions 0, 5" in caplog.text


@pytest.mark.parametrize("node", ["MaskPrecision", "GuessPrecision"])
def test_an_empty_mask_is_refused(nodes, node: str) -> None:
    more = {"precision": 2} if node == "MaskPrecision" else {}
    run = getattr(nodes, node).execute
    with pytest.raises(ValueError, match="the mask is empty; paint where the thing is to be"):
        run(mask=torch.zeros(1, 64, 64), ratio=8, **more)
    with pytest.raises(ValueError, match="mask 1 of 2"):
        run(mask=torch.cat([comb(), 0 * comb()]), ratio=8, **more)
    with pytest.raises(ValueError, match="reaches ½ nowhere"):
        run(mask=comb() * 0.3, ratio=8, **more)


@pytest.mark.parametrize("level", [-1, LEVELS, 1.5])
def test_a_precision_out_of_range_is_refused(nodes, level: float) -> None:
    with pytest.raises(ValueError, match="precision must be a whole number from 0 to 5"):
        coarser(nodes, comb(), level)
