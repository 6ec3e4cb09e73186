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
        cells = latent_cells.to_cells(mask, ratio)
        assert cells.shape[-2:] == (-(-size.height // ratio), -(-size.width // ratio))
        assert cells.nonzero().tolist() == [[0, 0, y // ratio, x // ratio]]
        assert cells.max() == 1
        pixels = latent_cells.to_pixels(cells, ratio, size)
        assert pixels.shape == mask.shape
        assert pixels[0, 0, y, x] == 1
        assert pixels.sum() <= ratio * ratio


def test_every_thin_line_survives_at_every_position() -> None:
    for x in range(16):
        mask = torch.zeros(1, 1, 40, 48)
        mask[..., x] = 1
        assert (latent_cells.to_cells(mask, 8)[0, 0, :, x // 8] == 1).all()


def test_growth_is_in_whole_cells() -> None:
    mask = torch.zeros(1, 1, 80, 80)
    mask[0, 0, 44, 44] = 1
    grown = latent_cells.to_cells(mask, 8, 2)
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


def test_a_video_gets_its_frames_joined() -> None:
    cells = torch.zeros(9, 1, 4, 5)
    cells[4, 0, 2, 3] = 1
    joined = latent_cells.over_frames(cells, 3, 1)
    assert joined.shape == (1, 1, 3, 4, 5)
    assert joined.nonzero().tolist() == [[0, 0, 1, 2, 3]]
    assert latent_cells.over_frames(cells[4:5], 3, 1)[0, 0, :, 2, 3].tolist() == [1, 1, 1]
    two = latent_cells.over_frames(cells[3:5], 3, 2)
    assert two.shape == (2, 1, 3, 4, 5) and two[0].sum() == 0 and two[1].sum() == 3
    with pytest.raises(ValueError, match="9 masks but 2 videos"):
        latent_cells.over_frames(cells, 3, 2)


@pytest.mark.parametrize("size", [(104, 152), (13, 19), (26, 38), (111, 159), (107, 155)])
def test_a_mask_in_pixels_or_cells_of_the_latents_aspect_fits(size) -> None:
    latent_cells.check_aspect(Size(*size), Size(13, 19), "The mask")


@pytest.mark.parametrize("size", [(152, 104), (104, 160), (95, 152), (112, 152)])
def test_a_mask_of_another_aspect_is_refused(size) -> None:
    with pytest.raises(
        ValueError, match=r"The mask is \d+×\d+ and the latent 13×19 cells, .* another aspect"
    ):
        latent_cells.check_aspect(Size(*size), Size(13, 19), "The mask")
