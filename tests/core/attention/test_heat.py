"""Maps as pictures."""

from __future__ import annotations

import torch
from recompose.core.attention.heat import COLOURS, GAP, heat, labelled, over, sheet
from recompose.core.shapes import Size


def test_higher_is_brighter_and_the_ends_are_the_colours() -> None:
    shown = heat(torch.linspace(0, 1, 101)[None, None])
    assert shown.shape == (1, 3, 1, 101)
    assert torch.equal(shown[0, :, 0, 0], COLOURS[0]) and torch.equal(shown[0, :, 0, -1], COLOURS[-1])
    light = (shown[0, :, 0] * torch.tensor([0.2126, 0.7152, 0.0722])[:, None]).sum(0)
    assert (light.diff() > 0).all()


def test_heat_lies_over_the_picture_where_the_map_is_high() -> None:
    found = torch.zeros(1, 4, 6)
    found[0, 1, 5] = 1
    picture = torch.full((1, 4, 4, 6), 0.8)
    shown = over(found, picture)
    assert shown.shape == (1, 3, 4, 6) and shown.min() >= 0 and shown.max() <= 1
    differs = (shown[0] - shown[0, :, :1, :1]).abs().amax(0) > 0.2
    assert differs.nonzero().tolist() == [[1, 5]]


def test_a_sheet_has_its_tiles_in_reading_order() -> None:
    tiles = [torch.full((2, 3), value) for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
    shown = sheet(tiles, Size(6, 4))
    assert shown.shape == (3, 2 * 4 + GAP, 3 * 6 + 2 * GAP)
    for number, colour in enumerate(COLOURS):
        y, x = divmod(number, 3)
        assert torch.allclose(shown[:, y * (4 + GAP) + 1, x * (6 + GAP) + 1], colour)
    assert shown[:, -1, -1].tolist() == [1, 1, 1]
    assert max(sheet(tiles[:1], Size(2000, 1000)).shape) == 256


def test_a_label_is_in_the_upper_left_corner_and_nowhere_else() -> None:
    picture = torch.full((3, 96, 160), 0.3)
    shown = labelled(picture, "red ball")
    changed = (shown != picture).any(0).nonzero()
    assert len(changed) > 0 and changed.amax(0)[0] < 24 and changed.amax(0)[1] < 120
    assert shown[:, :24].max() > 0.9 and shown[:, 0, 0].max() == 0
    for word in ("犬", "x" * 80, "é"):
        assert labelled(picture, word).shape == picture.shape
