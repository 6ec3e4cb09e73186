"""Distances of sets: Gaussians in closed form, the curve over the number of pictures, and local crops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recompose.core.shapes import Box
from recompose.lab.evaluate import set_distances
from recompose.lab.evaluate.folders import crops, figures, store


def exactly(count: int, mean: np.ndarray, covariance: np.ndarray, seed: int) -> np.ndarray:
    """Points count,D whose sample mean and covariance are exactly these."""
    drawn = np.random.default_rng(seed).normal(size=(count, len(mean)))
    drawn -= drawn.mean(0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn.T))).T
    return mean + white @ np.linalg.cholesky(covariance).T


def rooted(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(np.sqrt(values)) @ vectors.T


def test_the_frechet_distance_of_independent_gaussians_is_that_of_means_and_widths() -> None:
    mean, other = np.array([0.0, 1, -2, 0.5]), np.array([1.0, 1, 0, 0])
    wide, wider = np.array([1.0, 2, 0.5, 3]), np.array([2.0, 2, 1, 1])
    real = exactly(50, mean, np.diag(wide**2), 0)
    made = exactly(40, other, np.diag(wider**2), 1)
    expected = ((mean - other) ** 2).sum() + ((wide - wider) ** 2).sum()
    assert set_distances.frechet(real, made) == pytest.approx(expected, rel=1e-9)


def test_the_frechet_distance_of_gaussians_that_share_no_axes() -> None:
    random = np.random.default_rng(2)
    first, second = (each @ each.T + 0.1 * np.eye(6) for each in random.normal(size=(2, 6, 6)))
    half = rooted(first)
    expected = 9 * 6 + np.trace(first + second - 2 * rooted(half @ second @ half))
    real, made = exactly(80, np.zeros(6), first, 3), exactly(80, np.full(6, 3.0), second, 4)
    assert set_distances.frechet(real, made) == pytest.approx(expected, rel=1e-9)
    assert set_distances.frechet(made, real) == pytest.approx(expected, rel=1e-9)


def test_a_set_has_no_distance_from_itself_even_where_its_covariance_is_singular() -> None:
    few = np.random.default_rng(5).normal(size=(12, 40)).astype(np.float32)
    assert set_distances.frechet(few, few) == pytest.approx(0, abs=1e-5)
    # Points on one line, along which the second set is three times as wide.
    line = np.outer(np.linspace(-1, 1, 30), np.eye(8)[0])
    width = line[:, 0].std(ddof=1)
    assert set_distances.frechet(line, 3 * line) == pytest.approx((2 * width) ** 2, abs=1e-6)


def test_the_frechet_distance_falls_as_pictures_are_added_and_the_kernel_distance_does_not() -> None:
    random = np.random.default_rng(6)
    frechet, kernel = [], []
    for count in (10, 40, 160):
        drawn = [random.normal(size=(2, count, 8)) for _ in range(20)]
        frechet.append(np.mean([set_distances.frechet(*each) for each in drawn]))
        values = [set_distances.kernel(*each) for each in drawn]
        kernel.append(np.mean(values) / (np.std(values, ddof=1) / np.sqrt(20)))
    assert frechet[0] > 2 * frechet[1] > 4 * frechet[2] > 0
    assert max(map(abs, kernel)) < 3  # standard errors around 0


def test_the_kernel_distance_worked_out_by_hand() -> None:
    real, made = np.array([[1.0, 1.0], [3.0, 1.0]]), np.array([[0.0, 2.0], [0.0, 0.0]])
    # k(a, b) = (a·b / 2 + 1)³; within the sets k = 27 and 1, between them 8, 1, 8, 1.
    assert set_distances.kernel(real, made) == pytest.approx(27 + 1 - 2 * (8 + 1 + 8 + 1) / 4)


def test_sets_of_unequal_size_are_compared_by_the_same_subsets_every_time() -> None:
    random = np.random.default_rng(7)
    real, made = random.normal(size=(30, 4)), random.normal(size=(20, 4)) + 1
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    assert set_distances.kernel(real, made) == set_distances.kernel(real, made) > 1
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("name", "place", "inception", "expected"),
    [
        ("fid", "", True, "FID"),
        ("kid", "local ", True, "Local KID"),
        ("fid", "", False, "Fréchet distance of the evaluator's features"),
        ("kid", "local ", False, "local kernel distance of the evaluator's features"),
    ],
)
def test_only_inceptions_features_make_a_fid(name: str, place: str, inception: bool, expected: str) -> None:
    assert figures.label(name, place, inception) == expected


def test_few_pictures_say_little() -> None:
    lines = [figures.Figure(name, 1.0, "lower", count) for name, count in [("FID", 2047), ("KID", 49)]]
    little, chance = figures.few(lines)
    assert little.startswith("FID: with fewer than 2048 pictures it says little")
    assert chance.startswith("KID: with fewer than 50 pictures it is mostly chance")
    assert figures.few([each._replace(pictures=2048) for each in lines]) == []


def test_a_distance_is_worked_out_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, sets = store.Store(tmp_path), np.random.default_rng(8).normal(size=(2, 20, 3))
    found = figures.distance("fid", *sets, kept)
    monkeypatch.setattr(set_distances, "frechet", None)
    assert figures.distance("fid", *sets, kept) == found
    monkeypatch.setattr(set_distances, "frechet", lambda *_: -1.0)
    assert figures.distance("fid", sets[0], sets[1] + 1, kept) == -1


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        # 10 × 4 with 10 % on each side is 12 × 6, squared 12 × 12, around the same middle.
        (slice(40, 44), slice(50, 60), Box(49, 36, 12, 12)),
        (slice(0, 100), slice(60, 70), Box(15, 0, 100, 100)),  # squared as far as the picture is high
        (slice(0, 100), slice(0, 150), Box(0, 0, 165, 100)),  # a square would not fit: cut
        (slice(50, 51), slice(80, 81), Box(79, 49, 3, 3)),
    ],
)
def test_the_local_crop_is_the_masks_box_padded_squared_and_cut(rows, columns, expected: Box) -> None:
    mask = np.zeros((100, 200), bool)
    mask[rows, columns] = True
    box = crops.box_of(mask)
    assert box == expected
    picture = np.arange(100 * 200 * 3).reshape(100, 200, 3)
    assert crops.cut(picture, box).shape == (expected.height, expected.width, 3)
    assert crops.cut(picture, box)[0, 0, 0] == picture[expected.y, expected.x, 0]


def test_an_empty_mask_has_no_crop() -> None:
    assert crops.box_of(np.zeros((10, 20), bool)) is None
