"""The strip and the figures in words."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from recompose.cli import report
from recompose.core.canvas import preservation


def test_the_tint_colours_the_mask_and_nothing_else() -> None:
    canvas = Image.new("RGB", (5, 3), (100, 120, 140))
    mask = Image.new("L", (5, 3))
    mask.putpixel((4, 2), 255)
    pixels = np.asarray(report.tinted(canvas, mask))
    assert (pixels[2, 4] == [161, 93, 104]).all()  # 0.55 of the canvas, 0.45 of (235, 60, 60)
    pixels = pixels.copy()
    pixels[2, 4] = (100, 120, 140)
    assert (pixels == (100, 120, 140)).all()


def test_the_strip_brings_every_picture_to_one_height_and_labels_it() -> None:
    colours = [(255, 0, 0), (0, 160, 0), (0, 0, 255)]
    sizes = [(128, 131), (64, 192), (301, 200)]
    panels = [
        (f"panel {i}", Image.new("RGB", size, colour))
        for i, (size, colour) in enumerate(zip(sizes, colours, strict=True))
    ]
    sheet = np.asarray(report.strip(panels)).astype(int)
    for (width, height), colour in zip(sizes, colours, strict=True):
        rows, columns = np.nonzero((abs(sheet - colour) < 3).all(axis=2))
        assert rows.max() - rows.min() + 1 == report.HEIGHT
        assert abs((columns.max() - columns.min() + 1) - width * report.HEIGHT / height) <= 1
        label = sheet[report.GAP : report.GAP + report.LABEL, columns.min() : columns.max()]
        assert (label.sum(axis=2) < 200).sum() > 50  # Dark letters on light paper above each picture.


def test_png_keeps_every_pixel() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (17, 23, 3), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(report.png(Image.fromarray(noise))))) == noise).all()


@pytest.mark.parametrize("changed", [0, 1, 37])
@pytest.mark.parametrize("band", [1, 4, 64])
def test_changed_pixels_are_counted_as_the_core_counts_them(
    changed: int, band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "BAND", band)
    random = np.random.default_rng(changed)
    original = random.integers(0, 256, (19, 23, 3), dtype=np.uint8)
    saved = random.integers(0, 256, (40, 31, 3), dtype=np.uint8)
    saved[7:26, 3:26] = original
    for place in random.choice(19 * 23, changed, replace=False):
        saved[7 + place // 23, 3 + place % 23, random.integers(3)] ^= 1
    region = {"x": 3, "y": 7, "width": 23, "height": 19}
    pictures = Image.fromarray(saved), Image.fromarray(original)
    assert report.changed_pixels(*pictures, region) == changed
    assert preservation.changed_pixels(saved, original, region) == changed
    with pytest.raises(ValueError, match="Expected an original of 23×19"):
        report.changed_pixels(*pictures, region | {"x": 9})


def test_the_figures_in_words() -> None:
    lines = report.lines(
        {
            "caption": "a woman in a red coat",
            "pixels_added": {"left": 0, "top": 0, "right": 8, "bottom": 57},
            "changed_pixels": 0,
            "seam_ratio": 1.234,
            "scale": None,
            "seconds": {"total": 20.04, "start": 8.0, "caption": 1.51},
        }
    )
    assert lines[:4] == [
        "Caption: a woman in a red coat",
        "Pixels added: left 0, top 0, right 8, bottom 57",
        "Changed pixels of the original: 0",
        "Seam ratio: 1.23",
    ]
    assert "nothing was repainted" in lines[4]
    assert lines[5] == "Seconds: 20.0 (start 8.0, caption 1.5)"
