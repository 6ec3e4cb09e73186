from __future__ import annotations

import numpy as np
import pytest
import torch
from recompose.core.canvas import fill, membrane
from recompose.core.shapes import Padding, Size, padded, region_of

CASES = [
    (Size(7, 5), Padding(3, 0, 0, 4)),
    (Size(7, 5), Padding(20, 13, 17, 31)),
    (Size(1, 1), Padding(2, 3, 4, 5)),
    (Size(2, 3), Padding(0, 9, 0, 0)),
    (Size(33, 21), Padding(0, 0, 0, 0)),
]


def picture(size: Size, channels: int = 3, batch: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, size.height, size.width, channels, generator=generator).permute(0, 3, 1, 2)


def textured(height: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // 16 + 2, width // 16 + 2, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (smooth + 0.03 * torch.randn(1, 3, height, width, generator=generator)).clamp(0, 1)


def inner(canvas: torch.Tensor, size: Size, padding: Padding) -> torch.Tensor:
    return fill.view(canvas, region_of(size, padding).box)


@pytest.mark.parametrize("name", fill.FILLS)
@pytest.mark.parametrize(("size", "padding"), CASES)
@pytest.mark.parametrize("channels", [3, 4])
def test_the_picture_keeps_every_value_and_alpha_is_opaque_outside(
    name: str, size: Size, padding: Padding, channels: int
) -> None:
    image = picture(size, channels)
    before = image.clone()
    canvas = fill.extend(image, padding, name)
    assert canvas.shape[-2:] == (padded(size, padding).height, padded(size, padding).width)
    assert torch.equal(inner(canvas, size, padding), before)
    assert canvas.isfinite().all()
    assert canvas.permute(0, 2, 3, 1).is_contiguous()
    for box in fill.new_boxes(size, padding):
        assert channels == 3 or (fill.view(canvas, box)[:, 3] == 1).all()
    canvas.zero_()
    assert torch.equal(image, before)


@pytest.mark.parametrize(("size", "padding"), CASES)
@pytest.mark.parametrize(("name", "mode"), [("edge", "edge"), ("mirror", "reflect")])
def test_edge_and_mirror_equal_numpy(size: Size, padding: Padding, name: str, mode: str) -> None:
    image = picture(size, batch=1)
    left, top, right, bottom = padding
    expected = np.pad(image[0].numpy(), ((0, 0), (top, bottom), (left, right)), mode=mode)
    assert np.array_equal(fill.extend(image, padding, name)[0].numpy(), expected)


def test_colour_is_the_colour() -> None:
    canvas = fill.extend(picture(Size(3, 3)), Padding(0, 0, 0, 2), "color", "#ff8000")
    assert torch.allclose(
        canvas[:, :, 3:], torch.tensor([1, 128 / 255, 0]).view(1, 3, 1, 1).expand(2, 3, 2, 3)
    )


@pytest.mark.parametrize("color", ["red", "#12345", "#gggggg", ""])
def test_what_is_no_colour_is_refused(color: str) -> None:
    with pytest.raises(ValueError, match="#ff8000"):
        fill.extend(picture(Size(3, 3)), Padding(1), "color", color)


def test_an_unknown_fill_is_refused() -> None:
    with pytest.raises(ValueError, match="smooth, edge"):
        fill.extend(picture(Size(3, 3)), Padding(1), "stretch")


@pytest.mark.parametrize("padding", [Padding(5, 0, 7, 9), Padding(0, 8, 0, 0), Padding(0, 0, 3, 21)])
def test_smooth_solves_laplace_on_a_small_canvas(padding: Padding) -> None:
    size = Size(31, 27)
    canvas = fill.extend(picture(size, batch=1), padding, "smooth")
    around = torch.nn.functional.pad(canvas, (1, 1, 1, 1), mode="replicate")
    mean = (
        around[..., 2:, 1:-1] + around[..., :-2, 1:-1] + around[..., 1:-1, 2:] + around[..., 1:-1, :-2]
    ) / 4
    for box in fill.new_boxes(size, padding):
        assert (fill.view(mean, box) - fill.view(canvas, box)).abs().max() < 1e-4


def test_smooth_of_a_large_canvas_is_close_to_the_membrane() -> None:
    size, padding = Size(260, 200), Padding(40, 30, 0, 90)
    canvas = fill.extend(textured(200, 260), padding, "smooth")
    known = torch.zeros(1, 1, *canvas.shape[-2:], dtype=torch.bool)
    inner(known, size, padding)[:] = True
    truth = membrane.harmonic(canvas.double().contiguous(), known, 20)
    error = (canvas - truth).abs()[:, :, ~known[0, 0]]
    assert error.mean() < 0.005
    assert error.max() < 0.06
    # No line where canvas and picture meet: the first new row is as near to the last one as in the truth.
    assert (canvas - truth)[..., 230, 40:].abs().mean() < 0.01


def test_smooth_stays_within_the_pictures_values() -> None:
    image = torch.full((1, 3, 50, 300), 0.25)
    image[..., 150:] = 0.75
    canvas = fill.extend(image, Padding(0, 40, 0, 400), "smooth")
    assert canvas.min() > 0.25 - 0.01
    assert canvas.max() < 0.75 + 0.01
    assert (canvas[..., -1, :].amax() - canvas[..., -1, :].amin()) < 0.4


def test_noise_is_drawn_by_its_seed() -> None:
    image = picture(Size(40, 30))
    first, again, other = (fill.extend(image, Padding(0, 0, 9, 0), "noise", seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_noise_has_the_colours_next_to_it() -> None:
    generator = torch.Generator().manual_seed(3)
    image = 0.25 + 0.03 * torch.randn(1, 3, 96, 64, generator=generator)
    image[..., 32:] = 0.7 + 0.1 * torch.randn(1, 3, 96, 32, generator=generator)
    canvas = fill.extend(image, Padding(0, 0, 0, 60), "noise")
    for columns, mean, spread in ((slice(0, 20), 0.25, 0.03), (slice(44, 64), 0.7, 0.1)):
        new = canvas[..., 96:, columns].flatten(2)
        assert new.mean(-1).flatten().tolist() == pytest.approx([mean] * 3, abs=0.02)
        assert new.std(-1).flatten().tolist() == pytest.approx([spread] * 3, rel=0.15)
