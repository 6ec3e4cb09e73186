"""Reference pictures and photos as an exemplar model sees them, by hand."""

from __future__ import annotations

import pytest
import torch
from recompose.core.exemplar.photo import holes, without_holes
from recompose.core.exemplar.reference import DEVIATION, MEAN, cut, neutral, seen
from recompose.core.mask.latent_cells import cut_grid
from recompose.core.shapes import Size


def picture(height: int, width: int) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


def test_a_reference_is_cut_tightly_to_its_mask_on_the_towers_zero() -> None:
    given, mask = picture(40, 60), torch.zeros(1, 40, 60)
    mask[:, 10:21, 30:47] = 1
    mask[:, 10:15, 30:35] = 0
    found = cut(given, mask)
    assert found.shape == (3, 11, 17)
    assert torch.equal(found[:, 5:], given[:, 15:21, 30:47])
    assert torch.equal(found[:, :5, :5], torch.tensor(MEAN).view(3, 1, 1).expand(3, 5, 5))
    assert torch.equal(cut(given, None), given)


def test_a_soft_edge_of_the_mask_is_a_mixture() -> None:
    given, mask = picture(20, 20), torch.ones(1, 20, 20)
    mask[:, :, 10:] = 0.75
    found = cut(given, mask)
    true = 0.75 * given + 0.25 * neutral(given)
    assert torch.allclose(found[..., 10:], true[..., 10:]) and torch.equal(found[..., :10], given[..., :10])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 30), (30, 7)])
def test_less_than_can_be_seen_is_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"is {width}×{height} px; connect one of at least 8 px a side"):
        cut(picture(height, width), None)
    mask = torch.zeros(1, 40, 40)
    mask[:, 3 : 3 + height, 5 : 5 + width] = 1
    with pytest.raises(ValueError, match=f"is {width}×{height} px"):
        cut(picture(40, 40), mask)


def test_an_empty_reference_mask_is_refused() -> None:
    with pytest.raises(ValueError, match="the mask of the reference is empty; paint over the object"):
        cut(picture(40, 40), torch.full((1, 40, 40), 0.4))


def test_a_picture_of_the_towers_size_is_only_rounded_and_normalised() -> None:
    given = picture(32, 32)
    levels = (given * 255).round() / 255
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
    assert torch.allclose(seen(given, 32), (levels - mean) / deviation, atol=1e-6)


def test_another_picture_is_stretched_and_the_neutral_colour_becomes_zero() -> None:
    assert seen(picture(50, 20), 32).shape == (3, 32, 32)
    assert float(seen(neutral(picture(50, 20)), 32).abs().max()) <= 0.5 / 255 / min(DEVIATION)


def test_whole_cells_are_grey_and_all_else_is_the_photo() -> None:
    photo, mask = picture(24, 40)[None], torch.zeros(1, 1, 24, 40)
    mask[..., 9, 17] = 0.1
    grid = cut_grid(Size(40, 24), 8)
    cells = holes(mask, grid)
    assert cells.nonzero().tolist() == [[0, 0, 1, 2]]
    shown = without_holes(photo, cells, grid)
    assert bool((shown[..., 8:16, 16:24] == 0.5).all())
    assert int((shown != photo).any(1).sum()) == 64
