"""Training views: known geometry, and that a reference shows another picture of the same thing."""

from __future__ import annotations

import math

import pytest
import torch
from recompose.core.exemplar import views
from recompose.core.exemplar.views import Box, Chance


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_polygon_is_filled_like_its_area() -> None:
    square = views.corners(Box(3, 5, 11, 9))
    found = views.filled(square, 16)
    true = torch.zeros(1, 16, 16)
    true[:, 5:9, 3:11] = 1
    assert torch.equal(found, true)
    angles = torch.linspace(0, 2 * math.pi, 73)[:-1]
    disc = 128 + 100 * torch.stack([angles.cos(), angles.sin()], 1)
    assert float(views.filled(disc, 256).sum()) == pytest.approx(math.pi * 100**2, rel=5e-3)
    star = torch.tensor([[0.0, 0.0], [16.0, 0.0], [16.0, 16.0], [8.0, 4.0], [0.0, 16.0]])
    assert float(views.filled(star, 16)[0, 15, 8]) == 0 and float(views.filled(star, 16)[0, 2, 8]) == 1


def test_curves_pass_the_corners_and_bend_half_way_to_the_box_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "JITTER", 0)
    box, outer = Box(100, 120, 200, 240), Box(60, 100, 260, 300)
    points = views.curves(box, outer, 512, Chance(random(1))).reshape(4, views.POINTS, 2)
    assert torch.equal(points[:, 0], views.corners(box))
    assert torch.equal(points[:, -1], views.corners(box).roll(-1, 0))
    middle = (box.top + outer.top) / 2  # a quadratic curve's extreme is half way to its control point
    assert float(points[0, :, 1].min()) == pytest.approx(middle, abs=0.1)
    assert float(points[1, :, 0].max()) == pytest.approx((box.right + outer.right) / 2, abs=0.2)


SIZES = [
    (200, 300, Box(40, 60, 110, 130)),
    (300, 200, Box(0, 0, 60, 200)),
    (128, 128, Box(100, 90, 128, 128)),
]


@pytest.mark.parametrize(("width", "height", "box"), SIZES)
def test_the_square_holds_the_box_and_lies_in_the_picture(width: int, height: int, box: Box) -> None:
    seen = set()
    for seed in range(60):
        chance = Chance(random(seed))
        wide = views.extended(box, width, height, chance)
        window = views.square(wide, width, height, chance)
        assert 0 <= wide.left <= box.left and box.right <= wide.right <= width
        assert window.right - window.left == pytest.approx(window.bottom - window.top)
        assert 0 <= window.left <= wide.left + 1e-6 and wide.right <= window.right + 1e-6 <= width + 2e-6
        assert 0 <= window.top <= wide.top + 1e-6 and wide.bottom <= window.bottom + 1e-6 <= height + 2e-6
        free = min(box.left, box.top, width - box.right, height - box.bottom)
        assert window.right - window.left >= min(width, height) * (1 - views.INWARD) - free
        seen.add(round(window.left))
    assert len(seen) > 10 or box.left == 0 or width == height


def test_a_box_longer_than_any_square_takes_the_whole_picture() -> None:
    assert views.square(Box(10, 10, 190, 50), 200, 100, Chance(random(1))) == Box(0, 0, 200, 100)


def test_the_mask_covers_the_object_and_the_photo_is_the_picture() -> None:
    picture = torch.zeros(3, 96, 160)
    box = Box(50, 20, 90, 60)
    picture[:, 20:60, 50:90] = 1
    kinds = set()
    for seed in range(40):
        found = views.view(picture, box, 64, 32, random(seed))
        assert found.photo.shape == (3, 64, 64) and found.mask.shape == (1, 64, 64)
        assert found.reference.shape == (3, 32, 32)
        shown = found.photo[:1] > 0.5
        assert float((shown & (found.mask < 0.5)).sum()) <= 0.1 * float(shown.sum())
        rows = found.mask[0].sum(1)
        kinds.add(len(set(rows[rows > 0].tolist())) == 1)
    assert kinds == {True, False}  # rectangles and other shapes


def test_a_reference_is_another_picture_of_the_same_object() -> None:
    picture, box = torch.rand(3, 128, 128, generator=random(3)), Box(30, 30, 90, 90)
    found = [views.view(picture, box, 64, 32, random(seed)).reference for seed in range(12)]
    assert all(torch.isfinite(each).all() for each in found)
    differences = [float((each - found[0]).abs().mean()) for each in found[1:]]
    assert min(differences) > 0.01
    again = views.view(picture, box, 64, 32, random(0)).reference
    assert torch.equal(again, found[0])


def test_flips_turns_blurs_and_bends_come_as_often_as_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROTATED", "BLURRED", "BENT", "FLIPPED"):
        monkeypatch.setattr(views, name, 0.0)
    picture = torch.rand(3, 32, 32, generator=random(1))
    plain = views.varied(picture, 32, Chance(random(1)))
    assert torch.allclose(plain, views.seen(picture, 32), atol=0.02)
    monkeypatch.setattr(views, "FLIPPED", 1.0)
    assert torch.allclose(views.varied(picture, 32, Chance(random(1))), plain.flip(-1), atol=0.02)
    monkeypatch.setattr(views, "FLIPPED", 0.5)
    flips = [
        torch.allclose(views.varied(picture, 32, Chance(random(seed))), plain.flip(-1), atol=0.02)
        for seed in range(100)
    ]
    assert 35 <= sum(flips) <= 65
