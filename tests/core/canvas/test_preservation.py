"""Changed pixels, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.canvas.preservation import changed_pixels


def pictures() -> tuple[np.ndarray, np.ndarray, dict]:
    """A 7×5 original lying at (2, 3) of an 11×13 result, untouched."""
    original = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    saved = np.full((13, 11, 3), 200, np.uint8)
    saved[3:8, 2:9] = original
    return saved, original, {"x": 2, "y": 3, "width": 7, "height": 5, "canvas_width": 11, "canvas_height": 13}


def test_an_untouched_original_counts_zero_whatever_is_around_it() -> None:
    assert changed_pixels(*pictures()) == 0


def test_a_pixel_counts_once_however_many_of_its_channels_differ() -> None:
    saved, original, region = pictures()
    saved[3, 2, 0] += 1
    saved[7, 8] += 1
    saved[2, 2] = 0
    saved[8, 8] = 0
    assert changed_pixels(saved, original, region) == 2


def test_one_step_down_is_a_change_too() -> None:
    saved, original, region = pictures()
    saved[5, 5, 1] -= 1
    assert changed_pixels(saved, original, region) == 1


def test_pixels_meant_to_change_do_not_count() -> None:
    saved, original, region = pictures()
    saved[3:5, 2:4] += 1
    repainted = np.zeros((13, 11), bool)
    repainted[3, 2:4] = True
    assert changed_pixels(saved, original, region, repainted) == 2


def test_a_shifted_original_is_noticed() -> None:
    saved, original, region = pictures()
    assert changed_pixels(np.roll(saved, 1, axis=1), original, region) == 35


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 6}, "6×5, but the original is 7×5"),
        ({"x": 5}, "does not lie on"),
        ({"y": -1}, "does not lie on"),
    ],
)
def test_a_region_of_another_picture_is_refused(change: dict, words: str) -> None:
    saved, original, region = pictures()
    with pytest.raises(ValueError, match=words):
        changed_pixels(saved, original, {**region, **change})


def test_floats_and_other_channel_counts_are_refused() -> None:
    saved, original, region = pictures()
    with pytest.raises(ValueError, match="8-bit"):
        changed_pixels(saved.astype(np.float32) / 255, original, region)
    with pytest.raises(ValueError, match="does not lie on"):
        changed_pixels(saved[..., :1], original, region)
