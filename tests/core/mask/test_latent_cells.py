from __future__ import annotations

import pytest
import torch
from recompose.core.mask import latent_cells
from recompose.core.shapes import Size


@pytest.mark.parametrize("ratio", [1, 4, 8, 16, 32])
@pytest.mark.parametrize("size", [Size(64, 96), Size(97, 61)])
def test_a_cell_is_repainted_if_any_of_its_pixels_is(ratio: int, size: Size) -> None:
    for x, y in ((0, 0), (size.width - 1, size.height - 1), (33, 17), (31, 32)):
        mask = torch.zeros(1, 1, size.height, size.width)
        mask[0, 0, y, x] = 0.01
        grid = latent_cells.whole_grid(size, ratio)
        cells = latent_cells.to_cells(mask, grid)
        assert cells.shape[-2:] == (-(-size.height // ratio), -(-size.width // ratio))
        assert cells.nonzero().tolist() == [[0, 0, y // ratio, x // ratio]]
        assert cells.max() == 1
        pixels = latent_cells.to_pixels(cells, grid, size)
        assert pixels.shape == mask.shape
        assert pixels[0, 0, y, x] == 1
        assert pixels.sum() <= ratio * ratio


def test_every_thin_line_survives_at_every_position() -> None:
    for x in range(16):
        mask = torch.zeros(1, 1, 40, 48)
        mask[..., x] = 1
        assert (
            latent_cells.to_cells(mask, latent_cells.whole_grid(Size(48, 40), 8))[0, 0, :, x // 8] == 1
        ).all()


def test_growth_is_in_whole_cells() -> None:
    mask = torch.zeros(1, 1, 80, 80)
    mask[0, 0, 44, 44] = 1
    grown = latent_cells.to_cells(mask, latent_cells.whole_grid(Size(80, 80), 8), 2)
    assert grown.sum() == 25
    assert (grown[..., 3:8, 3:8] == 1).all()


def test_resizing_keeps_the_maximum_of_what_a_pixel_overlaps() -> None:
    mask = torch.zeros(1, 1, 1, 10)
    mask[..., 3] = 0.7
    assert latent_cells.resize_to_maximum(mask, Size(3, 1)).flatten().tolist() == pytest.approx([0.7, 0.7, 0])
    assert latent_cells.resize_to_maximum(mask, Size(5, 1)).flatten().tolist() == pytest.approx(
        [0, 0.7, 0, 0, 0]
    )
    same = latent_cells.resize_to_maximum(mask, Size(10, 1))
    assert torch.equal(same, mask) and same.data_ptr() != mask.data_ptr()


@pytest.mark.parametrize("side", [128, 129, 131, 135, 136, 137, 143])
@pytest.mark.parametrize("ratio", [8, 16])
def test_cells_of_a_cut_picture_begin_where_the_vae_cuts(side: int, ratio: int) -> None:
    """ComfyUI's VAE drops the half of the rest on the left; every other pixel is in its cell."""
    size = Size(side, 200)
    grid = latent_cells.cut_grid(size, ratio)
    first, count = side % ratio // 2, side // ratio
    for x in range(side):
        mask = torch.zeros(1, 1, 200, side)
        mask[..., 100, x] = 1
        cells = latent_cells.to_cells(mask, grid)
        assert cells.shape == (1, 1, 200 // ratio, count)
        inside = first <= x < first + count * ratio
        expected = [(x - first) // ratio] if inside else []
        assert cells.amax((0, 1, 2)).nonzero().flatten().tolist() == expected
        pixels = latent_cells.to_pixels(cells, grid, size)
        assert pixels.shape == mask.shape and pixels.sum() == (ratio**2 if inside else 0)
        assert pixels[0, 0, 100, x] == inside


def test_a_picture_smaller_than_a_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="5×40 px but a latent cell has 8"):
        latent_cells.cut_grid(Size(5, 40), 8)


@pytest.mark.parametrize("size", [(104, 152), (13, 19), (26, 38), (111, 159), (107, 155)])
def test_a_mask_in_pixels_or_cells_of_the_latents_aspect_fits(size) -> None:
    latent_cells.check_aspect(Size(*size), Size(13, 19), "The mask")


@pytest.mark.parametrize("size", [(152, 104), (104, 160), (95, 152), (112, 152)])
def test_a_mask_of_another_aspect_is_refused(size) -> None:
    with pytest.raises(
        ValueError, match=r"The mask is \d+×\d+ and the latent 13×19 cells, .* another aspect"
    ):
        latent_cells.check_aspect(Size(*size), Size(13, 19), "The mask")
