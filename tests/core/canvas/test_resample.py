from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from recompose.core.canvas import resample as resampling
from recompose.core.canvas.resample import Resized, resample
from recompose.core.shapes import Size


def test_resampling_stays_in_range_and_keeps_the_mean() -> None:
    image = (torch.rand(1, 3, 101, 67, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    for size in (Size(31, 47), Size(200, 303)):
        result = resample(image, size)
        assert result.min() >= 0 and result.max() <= 1
        assert result.mean().item() == pytest.approx(image.mean().item(), abs=0.02)


@pytest.mark.parametrize("size", [Size(31, 47), Size(67, 300), Size(200, 101), Size(67, 101), Size(5, 900)])
def test_a_part_is_what_the_whole_has_there(size: Size) -> None:
    """torch's own resampling of the whole picture is the reference."""
    image = torch.rand(2, 3, 101, 67, generator=torch.Generator().manual_seed(2))
    whole = F.interpolate(image, (size.height, size.width), mode="bicubic", antialias=True).clamp(0, 1)
    resized = Resized(image, size)
    for rows, columns in (
        (slice(0, size.height), slice(0, size.width)),
        (slice(size.height // 3, size.height // 2), slice(1, 4)),
        (slice(size.height - 1, size.height), slice(size.width - 2, size.width)),
    ):
        assert (resized.part(rows, columns) - whole[..., rows, columns]).abs().max() < 1e-5


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [Size(31, 47), Size(120, 40), Size(31, 300)])
def test_bands_of_a_large_picture_are_its_resampling(
    layout: torch.memory_format, size: Size, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = torch.rand(2, 3, 211, 67, generator=torch.Generator().manual_seed(3)).to(memory_format=layout)
    reference = F.interpolate(image, (size.height, size.width), mode="bicubic", antialias=True).clamp(0, 1)
    monkeypatch.setattr(resampling, "LARGE", 1000)
    for picture in (image, F.pad(image, (5, 7, 3, 2))[..., 3:-2, 5:-7]):  # also a part of a larger one
        assert (resample(picture, size) - reference).abs().max() < 1e-5


def test_tiles_in_one_row_or_column_share_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    made, cubic = [], resampling._cubic
    monkeypatch.setattr(resampling, "_cubic", lambda x: made.append(x) or cubic(x))
    picture = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(5))
    resized, size = Resized(picture, Size(210, 150)), range(3)
    tiles = [(slice(50 * i, 50 * i + 50), slice(70 * j, 70 * j + 70)) for i in size for j in size]
    parts = [resized.part(*tile) for tile in tiles]
    assert len(made) == 3 + 3
    fresh = [Resized(picture, Size(210, 150)).part(*tile) for tile in tiles]
    assert all(torch.equal(*pair) for pair in zip(parts, fresh, strict=True))
