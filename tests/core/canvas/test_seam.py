from __future__ import annotations

import pytest
import torch
from recompose.core.canvas import seam
from recompose.core.shapes import Box


def smooth(height: int = 200, width: int = 180, seed: int = 0, noise: float = 0.004) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = 0.25 + 0.4 * torch.rand(1, 3, 4, 5, generator=generator)
    image = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (image + noise * torch.randn(image.shape, generator=generator)).clamp(0, 1)


def textured(seed: int = 0) -> torch.Tensor:
    return smooth(seed=seed, noise=0.08)


def below(image: torch.Tensor, row: int = 120) -> torch.Tensor:
    mask = torch.zeros(1, 1, *image.shape[-2:])
    mask[..., row:, :] = 1
    return mask


def blob(image: torch.Tensor) -> torch.Tensor:
    rows, columns = torch.meshgrid(*(torch.arange(n) for n in image.shape[-2:]), indexing="ij")
    return (((rows - 90) ** 2 + (columns - 80) ** 2).sqrt() < 45).float()[None, None]


def brighter(image: torch.Tensor, delta: float) -> torch.Tensor:
    """The picture with L* raised by `delta` as far as one linear step over sRGB gives it."""
    step = 0.01
    slope = (seam.lab((image + step).permute(0, 2, 3, 1)) - seam.lab(image.permute(0, 2, 3, 1))).norm(
        dim=-1
    ) / step
    return image + (delta / slope).float()[:, None]


def test_lab_of_known_colours() -> None:
    colours = torch.tensor([[1.0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]])
    expected = torch.tensor(
        [
            [100, 0, 0],
            [0, 0, 0],
            [53.24, 80.09, 67.20],
            [87.73, -86.18, 83.18],
            [32.30, 79.19, -107.86],
            [53.39, 0, 0],
        ]
    )
    assert torch.allclose(seam.lab(colours).float(), expected, atol=0.02)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [below, blob])
@pytest.mark.parametrize("picture", [smooth, textured])
def test_an_uncut_picture_has_no_seam(picture, shape, seed: int) -> None:
    image = picture(seed=seed)
    found = seam.measure(image, shape(image))
    assert found.ratio < 1.2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [below, blob])
def test_a_step_of_five_is_seen_on_a_smooth_picture(shape, seed: int) -> None:
    image = smooth(seed=seed)
    mask = shape(image)
    cut = torch.where(mask > 0, brighter(image, 5.0), image)
    found = seam.measure(cut, mask)
    assert found.ratio > 1.5
    assert seam.measure(image, mask).ratio < found.ratio


def test_texture_hides_what_a_smooth_picture_shows() -> None:
    image = textured()
    mask = below(image)
    cut = torch.where(mask > 0, brighter(image, 2.0), image)
    assert seam.measure(cut, mask).ratio < 1.3


def test_the_step_is_the_distance_of_the_sides() -> None:
    image = torch.full((1, 3, 90, 70), 0.5)
    mask = below(image, 40)
    cut = torch.where(mask > 0, brighter(image, 5.0), image)
    found = seam.measure(cut, mask)
    assert found.step == pytest.approx(5, abs=0.1)
    assert found.ratio == pytest.approx((5 + 0.5) / 0.5, rel=0.03)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_a_seam_the_ratio_is_one(value: float) -> None:
    image = smooth()
    assert seam.measure(image, torch.full((1, 1, 200, 180), value)) == (1.0, 0.0)


def test_a_mask_of_a_part_ends_at_the_part() -> None:
    """What was put in up to the border of its crop has its edge there."""
    image = smooth()
    box = Box(40, 60, 70, 50)
    mask = torch.zeros(1, 1, 200, 180)
    mask[..., box.y : box.bottom, box.x : box.right] = 1
    cut = torch.where(mask > 0, brighter(image, 5.0), image)
    found = seam.measure_part(cut, torch.ones(1, 1, 50, 70), box)
    assert found.ratio > 1.5 and found.ratio == pytest.approx(seam.measure(cut, mask).ratio, rel=0.1)
    whole = Box(0, 0, 180, 200)
    assert seam.measure_part(cut, mask, whole) == seam.measure(cut, mask)


@pytest.mark.parametrize("corner", [(0, 0), (3, 9), (100, 80), (170, 150)])
def test_only_what_is_near_the_masked_part_is_looked_at(corner: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(sum(corner))
    image, mask = textured(), torch.zeros(2, 1, 200, 180)
    mask[1, 0, corner[0] : corner[0] + 30, corner[1] : corner[1] + 30] = (
        torch.rand(30, 30, generator=generator)[: 200 - corner[0], : 180 - corner[1]] > 0.4
    ).float()
    images = torch.cat([image, brighter(image, 3.0)])
    looked = []
    whole = seam.measure(images, mask)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            seam, "measure", lambda *given, measure=seam.measure: (looked.append(given), measure(*given))[1]
        )
        assert seam.measure_part(images, mask, Box(0, 0, 180, 200)) == whole
    assert max(looked[0][0].shape[-2:]) <= 30 + 2 * (seam.FARTHEST + 1)


def test_every_picture_of_a_batch_counts() -> None:
    good = smooth()
    bad = torch.where(below(good) > 0, brighter(good, 9.0), good)
    mask = below(good)
    alone = seam.measure(bad, mask).ratio
    both = seam.measure(torch.cat([good, bad, bad]), mask).ratio
    assert both == pytest.approx(alone, rel=0.2)
