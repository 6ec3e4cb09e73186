"""The judge's interface: pictures of any size, points at the maps' peaks, masks of the picture's size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recompose.core.pose import eye
from recompose.lab.evaluate import evaluator

SIZES = [(128, 128), (192, 128), (77, 53), (600, 400), (9, 130), (1, 1)]


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_it_looks_at_pictures_of_any_size() -> None:
    looker = evaluator.Judge(eye.eye(3))
    images = [picture(*size) for size in SIZES]
    seen = looker.look(images)
    for what, image in zip(seen, images, strict=True):
        assert what.points.shape == (24, 3) and np.isfinite(what.points).all()
        assert (what.points[:, :2] >= 0).all() and 0 <= what.feet <= 3
        # A point lies in a cell, and the last cell may reach over the border by less than itself.
        assert (what.points[:, 0] < image.shape[1] + 4).all()
        assert list(what.garments) == ["hair", "top", "bottom", "shoes"]
        assert all(mask.shape == image.shape[:2] and mask.dtype == bool for mask in what.garments.values())
    assert looker.features(images).shape == (len(images), eye.DIMENSIONS)
    assert looker.look([]) == [] and looker.features([]).shape == (0, eye.DIMENSIONS)


def test_company_changes_nothing() -> None:
    looker = evaluator.Judge(eye.eye(3))
    images = [picture(160, 128), picture(160, 128)[:, ::-1]]
    alone, beside = looker.look(images[:1])[0], looker.look(images)[0]
    assert np.allclose(alone.points, beside.points, atol=1e-3) and alone.feet == beside.feet


@pytest.mark.parametrize(("x", "y"), [(4.0, 7.0), (3.3, 6.8), (5.5, 3.1)])
def test_a_peaks_middle_is_found_between_cells(x: float, y: float) -> None:
    rows, columns = torch.arange(14)[:, None], torch.arange(11)[None]
    peak = -((columns - x) ** 2 + (rows - y) ** 2) / 2
    other = -((columns - 10.0) ** 2 + (rows - 13.0) ** 2) / 2 - 1  # a smaller peak elsewhere must not pull
    found = eye.points(torch.logaddexp(peak, other)[None])[0]
    assert found.tolist() == pytest.approx([(x + 0.5) * 4, (y + 0.5) * 4], abs=0.4)


def test_three_certain_points_are_somebody() -> None:
    points = np.zeros((24, 3), np.float32)
    points[:2, 2] = 0.9
    assert not evaluator.Seen(points, 0, {}).somebody
    points[7, 2] = 0.5
    assert evaluator.Seen(points, 0, {}).somebody


def test_the_chances_of_a_number_of_things_are_those_of_independent_ones() -> None:
    def score(chance: float) -> float:
        return (np.log(chance / (1 - chance)) - evaluator.BIAS) / evaluator.GAIN

    found = evaluator.chances(np.array([score(0.5), score(0.9), score(0.2), score(0.6)]))
    assert found.sum() == pytest.approx(1)
    assert found[0] == pytest.approx(0.5 * 0.1 * 0.8 * 0.4)
    assert found[1] == pytest.approx(0.016 + 0.144 + 0.004 + 0.024)  # each alone
    assert evaluator.chances(np.zeros(0)).tolist() == [1, 0, 0, 0]
    assert evaluator.chances(np.array([score(1 - 1e-9)] * 5))[3] == pytest.approx(1)


def test_feet_are_counted_where_the_number_and_the_middles_agree_or_one_is_sure() -> None:
    image = picture(64, 64)

    def views(number: int, sureness: float, middles: int) -> eye.Views:
        maps = torch.full((1, 32, 32), -8.0)
        for index in range(middles):
            maps[0, 10, 2 + 4 * index] = 3.0
        maps[0, 20, 20] = 5.0  # beyond the picture's 16 cells
        said = torch.zeros(1, 4)
        said[0, number] = sureness
        empty = torch.zeros(0)
        return eye.Views(empty, empty, maps, said, empty, empty)

    assert evaluator.feet(views(2, 5.0, 2), 0, image) == 2
    assert evaluator.feet(views(2, 1.0, 1), 0, image) == 1
    assert evaluator.feet(views(0, 9.0, 0), 0, image) == 0
    assert evaluator.feet(views(3, 2.0, 4), 0, image) == 3
