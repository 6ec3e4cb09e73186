from __future__ import annotations

import pytest
import torch
from recompose.core.canvas.resample import resample
from recompose.core.shapes import Size


def test_resampling_stays_in_range_and_keeps_the_mean() -> None:
    image = (torch.rand(1, 3, 101, 67, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    for size in (Size(31, 47), Size(200, 303)):
        result = resample(image, size)
        assert result.min() >= 0 and result.max() <= 1
        assert result.mean().item() == pytest.approx(image.mean().item(), abs=0.02)
