"""Lines of pictures whose edges are known."""

from __future__ import annotations

import numpy as np
import torch
from recompose.core.mask import pieces
from recompose.core.sketch import edges


def disc(size: int = 97, radius: float = 30) -> tuple[torch.Tensor, np.ndarray]:
    """A bright disc on grey, and every pixel's distance from its rim."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    far = np.hypot(x, y) - radius
    picture = 0.4 + 0.4 * np.clip(0.5 - far, 0, 1)
    return torch.from_numpy(picture).float().expand(3, -1, -1), np.abs(far)


def lines(picture: torch.Tensor, blur: float = 1.0, threshold: float = 0.4) -> np.ndarray:
    return edges.thinned(edges.binarised(edges.strength(picture, blur), threshold))


def test_the_rim_of_a_disc_is_one_closed_line() -> None:
    picture, far = disc()
    found = lines(picture)
    assert found.any() and far[found].max() < 1.5
    # Closed: what is inside cannot be reached from outside without crossing the line.
    outside = pieces.touching(~edges.widened(found, 3), np.pad(np.ones((1, 1), bool), ((0, 96), (0, 96))))
    assert outside[0, 96] and not outside[48, 48]


def test_an_edge_in_one_channel_alone_is_found() -> None:
    picture = torch.full((3, 40, 40), 0.5)
    picture[0, :, :20], picture[1, :, :20] = 0.8, 0.2
    found = lines(picture)
    assert found[5:35, 18:22].any(axis=1).all() and not found[:, :17].any() and not found[:, 23:].any()


def test_a_plain_picture_and_faint_noise_have_no_lines() -> None:
    noise = 0.5 + 0.004 * torch.randn(3, 50, 60, generator=torch.Generator().manual_seed(1))
    assert not lines(torch.full((3, 50, 60), 0.3)).any() and not lines(noise).any()


def test_a_weak_part_of_a_line_stays_if_it_touches_a_strong_one() -> None:
    strengths = np.zeros((9, 12))
    strengths[2, 1:5], strengths[3, 5:9], strengths[7, 1:9] = 0.9, 0.3, 0.3
    wanted = strengths > 0
    wanted[7] = False
    np.testing.assert_array_equal(edges.binarised(strengths, 0.5), wanted)


def test_thinning_leaves_a_line_of_one_pixel_and_keeps_it_whole() -> None:
    bar = np.zeros((20, 40), dtype=bool)
    bar[6:13, 5:35] = True
    found = edges.thinned(bar)
    assert (found.sum(axis=0) <= 1).all() and found[9, 9:30].all() and not found[bar == 0].any()
    np.testing.assert_array_equal(edges.thinned(found), found)


def test_a_widened_line_has_its_width() -> None:
    line = np.zeros((30, 30), dtype=bool)
    line[15, 5:25] = True
    for width in range(1, 9):
        found = edges.widened(line, width)
        assert (found[:, 10:20].sum(axis=0) == width).all(), width


def test_pieces_that_hold_a_seed() -> None:
    chance = np.random.default_rng(4)
    for _ in range(30):
        inside, seeds = chance.random((9, 11)) < 0.5, chance.random((9, 11)) < 0.05
        grown = seeds & inside
        for _ in range(99):
            wide = np.pad(grown, 1)
            near = [wide[1 + y : 10 + y, 1 + x : 12 + x] for y in (-1, 0, 1) for x in (-1, 0, 1)]
            grown = np.logical_or.reduce(near) & inside
        np.testing.assert_array_equal(pieces.touching(inside, seeds), grown)
