"""Figures of pictures compared pixel by pixel, on pictures whose answer is known by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.lab.evaluate.folders import pictures, pixels
from recompose.tests.lab.evaluate.conftest import Call, noise, save


def test_pixels_outside_the_mask_alone_count() -> None:
    real = noise(0, 20, 30)
    made, mask = real.copy(), np.zeros((20, 30), bool)
    mask[10:] = True
    made[10:] = 7
    assert pixels.changed(made, real, mask) == 0
    assert pixels.psnr(made, real, mask) is None
    made[3, 4, 1] ^= 1
    made[5, 6] ^= 2
    assert pixels.changed(made, real, mask) == 2
    # Four of 10 · 30 · 3 values differ: one by 1, three by 2.
    assert pixels.psnr(made, real, mask) == pytest.approx(10 * math.log10(255**2 / (13 / 900)))
    assert pixels.changed(made, real, None) == 2 + int((real[10:] != 7).any(2).sum())


def test_ssim_of_two_flat_pictures_is_the_term_of_their_brightness() -> None:
    a, b = (np.full((24, 32, 3), value, np.uint8) for value in (51, 102))
    x, y, c = 0.2, 0.4, 0.01**2
    assert pixels.ssim(a, b, None) == pytest.approx((2 * x * y + c) / (x * x + y * y + c), abs=1e-4)


def test_ssim_looks_at_no_window_that_touches_the_mask() -> None:
    real = noise(1, 40, 40)
    made, mask = real.copy(), np.zeros((40, 40), bool)
    mask[20:], made[20:] = True, 0
    assert pixels.ssim(made, real, mask) == 1
    made[12, 20] ^= 255
    assert pixels.ssim(made, real, mask) < 1 - 1e-3


@pytest.mark.parametrize("size", [(10, 40), (40, 10)])
def test_ssim_of_a_strip_is_not_there(size: tuple[int, int]) -> None:
    assert pixels.ssim(noise(0, *size), noise(1, *size), None) is None
    whole = np.ones((40, 40), bool)
    assert pixels.ssim(noise(0, 40, 40), noise(1, 40, 40), whole) is None


def test_a_step_at_the_masks_edge_is_seen() -> None:
    real = np.full((64, 64, 3), 120, np.uint8)
    made, mask = real.copy(), np.zeros((64, 64), bool)
    mask[32:], made[32:] = True, 140
    found = pixels.seams(made, real, mask)
    assert found and found["seam ratio"] > 10
    # Two greys differ in L* alone: 50.43 and 58.25.
    assert found["step"] == pytest.approx(7.819, abs=0.01)
    assert found["step excess"] == found["step"]
    assert pixels.seams(real, real, mask) == {"seam ratio": 1, "step": 0, "step excess": 0}
    assert pixels.seams(made, real, np.zeros_like(mask)) is None


def test_the_command_gives_the_figures_of_all_pictures(tmp_path: Path, call: Call) -> None:
    mask = np.zeros((64, 80), np.uint8)
    mask[40:] = 255
    for number in range(3):
        real = noise(number)
        made = real.copy()
        made[40:] = noise(9)[40:]
        if number == 1:
            made[20, 30] ^= 64
        save(real, tmp_path / f"real/{number}.png")
        save(made, tmp_path / f"made/{number}.png")
        save(mask, tmp_path / f"masks/{number}.png")
    said = call("--masks", "masks", "--metrics", "changed", "psnr", "ssim,seam")
    assert said.status == 0, said.errors
    assert said.value("changed pixels, in all") == 1
    assert said.value("pictures with any") == 1
    assert said.value("PSNR") == pytest.approx(10 * math.log10(255**2 / (3 * 64**2 / (40 * 80 * 3))))
    same, changed, _ = (row["SSIM"] for row in said.json["pictures"])
    assert same == 1
    assert changed < 1 - 1e-4
    assert said.value("SSIM") == pytest.approx((2 + changed) / 3)
    assert said.json["notes"] == ["PSNR leaves out 2 pictures that do not differ outside their masks."]
    assert "picture 3 of 3" in said.errors
    assert [line.split("  ")[0] for line in said.table.splitlines()[1:5]] == [
        "changed pixels, in all", "pictures with any", "PSNR", "SSIM",
    ]  # fmt: skip


def test_every_mode_is_read_as_load_image_does(tmp_path: Path, call: Call) -> None:
    colour, grey = noise(3, 30, 20), noise(4, 30, 20)[..., 0]
    deep = grey.astype(np.uint16) * 257
    clear = np.dstack([colour, np.full(grey.shape, 255, np.uint8)])
    lying = np.rot90(colour)  # which the camera's mark turns back
    cases = {
        "alpha": (colour, clear, {}),
        "deep": (np.dstack([grey] * 3), deep, {}),
        "grey": (np.dstack([grey] * 3), grey, {}),
        "turned": (colour, np.ascontiguousarray(lying), {"exif": exif(6)}),
    }
    for name, (real, made, options) in cases.items():
        save(real, tmp_path / f"real/{name}.png")
        save(made, tmp_path / f"made/{name}.png", **options)
    said = call("--metrics", "changed")
    assert said.status == 0, said.errors
    assert {row["name"]: row["changed pixels"] for row in said.json["pictures"]} == dict.fromkeys(cases, 0)


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def test_transparency_is_ignored_and_told(tmp_path: Path, call: Call) -> None:
    colour = noise(5, 30, 20)
    half = np.dstack([colour, np.full(colour.shape[:2], 128, np.uint8)])
    save(colour, tmp_path / "real/a.png")
    save(half, tmp_path / "made/a.png")
    said = call("--metrics", "changed")
    assert said.value("changed pixels, in all") == 0
    assert said.json["notes"] == ["Transparency is ignored, as by Load Image, in 1 pictures: a."]


@pytest.mark.parametrize(
    ("values", "ending", "expected"),
    [
        (np.array([[0, 1, 2, 255]], np.uint8), "png", [[0, 0, 1, 1]]),
        (np.array([[0, 257, 600, 65535]], np.uint16), "png", [[0, 0, 1, 1]]),
        (np.array([[[9, 9, 9, 255], [9, 9, 9, 0], [9, 9, 9, 250]]], np.uint8), "png", [[0, 1, 1]]),
        (np.array([[[0, 0, 0, 255], [200, 0, 0, 255]]], np.uint8), "png", [[0, 1]]),
        (np.repeat([[0, 255]], 16, 1).astype(np.uint8), "jpg", np.repeat([[0, 1]], 16, 1)),
    ],
)  # fmt: skip
def test_masks_are_what_is_transparent_or_not_black(tmp_path: Path, values, ending, expected) -> None:
    path = tmp_path / f"mask.{ending}"
    save(values, path)
    assert pictures.mask(path).astype(int).tolist() == np.asarray(expected).tolist()


def test_ssim_of_a_large_picture_is_worked_out_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    made, real, mask = noise(0, 61, 50), noise(1, 61, 50), np.zeros((61, 50), bool)
    mask[20:30, 10:25] = True
    whole = pixels.ssim(made, real, mask)
    for at_once in (1, 900, 50 * 20):
        monkeypatch.setattr(pixels, "AT_ONCE", at_once)
        assert pixels.ssim(made, real, mask) == pytest.approx(whole, abs=1e-6)
