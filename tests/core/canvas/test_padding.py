from __future__ import annotations

import pytest
import torch
from recompose.core.canvas import padding as canvas
from recompose.core.shapes import Padding, Size, padded, region_of

SIZE = Size(97, 151)


@pytest.mark.parametrize(
    ("padding", "multiple", "expected"),
    [
        (Padding(0, 0, 0, 61), 8, Padding(0, 0, 0, 65)),
        (Padding(3, 0, 0, 0), 8, Padding(7, 0, 0, 0)),
        (Padding(3, 0, 2, 0), 8, Padding(4, 0, 3, 0)),
        (Padding(3, 1, 3, 0), 64, Padding(15, 41, 16, 0)),
        (Padding(0, 0, 0, 0), 64, Padding(0, 0, 0, 0)),
        (Padding(0, 0, 0, 61), 1, Padding(0, 0, 0, 61)),
    ],
)
def test_only_extended_sides_grow_to_the_multiple(padding: Padding, multiple: int, expected: Padding) -> None:
    assert canvas.pad_to_multiple(SIZE, padding, multiple) == expected


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ("top left", Padding(0, 0, 14, 9)),
        ("top", Padding(7, 0, 7, 9)),
        ("top right", Padding(14, 0, 0, 9)),
        ("left", Padding(0, 4, 14, 5)),
        ("center", Padding(7, 4, 7, 5)),
        ("right", Padding(14, 4, 0, 5)),
        ("bottom left", Padding(0, 9, 14, 0)),
        ("bottom", Padding(7, 9, 7, 0)),
        ("bottom right", Padding(14, 9, 0, 0)),
    ],
)
def test_the_picture_stands_at_its_anchor(anchor: str, expected: Padding) -> None:
    assert canvas.pad_to_size(SIZE, Size(111, 160), anchor) == expected


def test_zero_keeps_a_side() -> None:
    assert canvas.pad_to_size(SIZE, Size(0, 160), "top") == Padding(0, 0, 0, 9)


@pytest.mark.parametrize("target", [Size(96, 200), Size(200, 150)])
def test_a_canvas_smaller_than_the_picture_is_refused(target: Size) -> None:
    with pytest.raises(ValueError, match="smaller than the picture of 97×151"):
        canvas.pad_to_size(SIZE, target, "center")


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(3, 4, Size(113, 151)), (1, 2, Size(97, 194)), (16, 9, Size(268, 151)), (97, 151, SIZE)],
)
def test_the_aspect_is_reached_by_growing_one_side(width: int, height: int, expected: Size) -> None:
    assert padded(SIZE, canvas.pad_to_aspect(SIZE, width, height, "center")) == expected


def test_an_aspect_without_area_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        canvas.pad_to_aspect(SIZE, 3, 0, "center")


def test_a_canvas_too_large_for_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 16384"):
        canvas.pad_to_multiple(SIZE, canvas.pad_to_aspect(SIZE, 1000, 1, "center"), 8)


def test_the_margin_is_for_the_sides_that_the_body_needs() -> None:
    assert canvas.pad_for_body((0.0, 0.0, 3.2, 61.01), 180.0, 4.0) == Padding(0, 0, 11, 69)
    assert canvas.pad_for_body((0.0, 0.0, 0.0, 0.0), 180.0, 4.0) == Padding()


def test_the_mask_is_one_where_the_canvas_is_new() -> None:
    padding = Padding(2, 0, 3, 4)
    area = canvas.new_area(Size(5, 3), padding, None, 2, 0)
    box = region_of(Size(5, 3), padding).box
    expected = torch.ones(2, 1, 7, 10)
    expected[..., box.y : box.bottom, box.x : box.right] = 0
    assert torch.equal(area, expected)
    assert box == (2, 0, 5, 3)


def test_an_incoming_mask_is_joined_at_its_place() -> None:
    mask = torch.zeros(1, 1, 3, 5)
    mask[0, 0, 1, 2] = 0.75
    area = canvas.new_area(Size(5, 3), Padding(2, 1, 0, 0), mask, 3, 0)
    assert area.shape == (3, 1, 4, 7)
    assert torch.equal(area[:, 0, 2, 4], torch.full((3,), 0.75))
    assert area.sum() == 3 * (2 * 4 + 5 + 0.75)
    assert mask.sum() == 0.75


def test_the_feather_falls_from_every_extended_side_only() -> None:
    area = canvas.new_area(Size(31, 29), Padding(0, 0, 4, 6), None, 1, 10)[0, 0]
    inner = area[:29, :31]
    for y, x in ((28, 3), (20, 0), (5, 30), (12, 25), (27, 29), (0, 0)):
        distance = min(29 - y, 31 - x) - 0.5
        assert inner[y, x].item() == pytest.approx(max(0.0, 1 - distance / 10) ** 2, abs=1e-6)
    assert (inner[:19, :21] == 0).all()


def test_a_feather_wider_than_the_picture_still_falls() -> None:
    inner = canvas.new_area(Size(5, 4), Padding(0, 0, 0, 3), None, 1, 40)[0, 0, :4]
    assert torch.allclose(inner[:, 2], (1 - (torch.arange(4, 0, -1) - 0.5) / 40) ** 2)
