from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from recompose.core.mask import distance
from recompose.core.mask.feather import Direction, Profile, feather
from scipy import ndimage


def random_mask(height: int, width: int, density: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(1, 1, height, width, generator=generator) < density).float()


def edge_distance(mask: torch.Tensor) -> np.ndarray:
    """Signed distance to the edge by scipy: half a pixel less than to the nearest pixel of the other kind."""
    masked = mask[0, 0].numpy() > 0.5
    outside, inside = (ndimage.distance_transform_edt(part) for part in (~masked, masked))
    return np.where(masked, 0.5 - inside, outside - 0.5)


@pytest.mark.parametrize(
    ("shape", "reach", "density"),
    [((37, 51), 9, 0.01), ((130, 611), 200, 0.0002), ((300, 200), 40.5, 0.002), ((19, 17), 400, 0.02)],
)
def test_distances_equal_scipys(shape: tuple[int, int], reach: float, density: float) -> None:
    seeds = random_mask(*shape, density)[0, 0].numpy() > 0
    got, expected = distance.to_nearest(seeds, reach), ndimage.distance_transform_edt(~seeds)
    near = expected <= reach
    assert near.any()
    assert np.abs(got - expected)[near].max() < 1e-4
    assert (got[~near] > reach).all()


def test_without_seeds_everything_is_far() -> None:
    assert (distance.to_nearest(np.zeros((5, 7), bool), 10) > 10).all()


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("grow", [-4, 0, 3.5, 128])
@pytest.mark.parametrize("density", [0.001, 0.3, 0.999])
def test_a_linear_feather_is_the_distance(direction: Direction, grow: float, density: float) -> None:
    mask, width = random_mask(83, 121, density), 17.0
    lowest = grow - {"both": width / 2, "inward": width, "outward": 0}[direction.value]
    expected = np.clip(1 - (edge_distance(mask) - lowest) / width, 0, 1)
    got = feather(mask, grow, width, direction)[0, 0].numpy()
    assert np.abs(got - expected).max() * width < 1e-3


@pytest.mark.parametrize(("grow", "kept"), [(1, 5), (2, 13), (-1, 0)])
def test_a_single_pixel_grows_to_a_disc(grow: int, kept: int) -> None:
    mask = torch.zeros(1, 1, 9, 9)
    mask[0, 0, 4, 4] = 1
    grown = feather(mask, grow, 0)
    rows, columns = torch.meshgrid(torch.arange(9) - 4, torch.arange(9) - 4, indexing="ij")
    assert torch.equal(grown[0, 0] > 0, (rows**2 + columns**2).sqrt() < grow + 0.5)
    assert (grown.sum() > kept - 1) or not kept


def test_growing_a_rectangle_moves_its_sides_by_whole_pixels() -> None:
    mask = torch.zeros(1, 1, 40, 50)
    mask[..., 10:20, 15:35] = 1
    grown, shrunk = feather(mask, 6, 0), feather(mask, -3, 0)
    assert grown[0, 0, 15].nonzero().flatten().tolist() == list(range(9, 41))
    assert grown[0, 0, :, 20].nonzero().flatten().tolist() == list(range(4, 26))
    expected = torch.zeros(1, 1, 40, 50)
    expected[..., 13:17, 18:32] = 1
    assert torch.equal(shrunk, expected)


@pytest.mark.parametrize(
    ("profile", "formula"),
    [
        (Profile.LINEAR, lambda t: 1 - t),
        (Profile.COSINE, lambda t: (1 + math.cos(math.pi * t)) / 2),
        (
            Profile.GAUSSIAN,
            lambda t: 0.5 - 0.5 * math.erf((6 * t - 3) / 2**0.5) / math.erf(3 / 2**0.5),
        ),
    ],
)
def test_the_profiles_across_a_straight_edge(profile: Profile, formula) -> None:
    mask = torch.zeros(1, 1, 5, 60)
    mask[..., :30] = 1
    row = feather(mask, 0, 20, Direction.BOTH, profile)[0, 0, 2]
    for x in range(60):
        t = min(max((x + 0.5 - 30 + 10) / 20, 0), 1)
        assert row[x].item() == pytest.approx(formula(t), abs=1e-5)


def test_the_border_is_an_edge_only_on_request() -> None:
    mask = torch.zeros(1, 1, 20, 30)
    mask[..., :12, :15] = 1
    soft = feather(mask, 0, 6, Direction.INWARD)
    assert soft[0, 0, 0, 0] == 1
    edged = feather(mask, 0, 6, Direction.INWARD, border_is_edge=True)
    padded = torch.nn.functional.pad(mask, (9, 9, 9, 9))
    expected = feather(padded, 0, 6, Direction.INWARD)[..., 9:-9, 9:-9]
    assert torch.allclose(edged, expected, atol=1e-6)
    assert edged[0, 0, 0, 0] < 0.1
    everything = torch.ones(1, 1, 20, 30)
    assert torch.equal(feather(everything, -3, 4), everything)


@pytest.mark.parametrize("grow", [-5.0, 0.0, 7.25])
def test_the_edge_of_a_soft_mask_lies_between_pixels(grow: float) -> None:
    rows, columns = torch.meshgrid(torch.arange(90.0), torch.arange(110.0), indexing="ij")
    radius = 27.3
    signed = ((rows - 44.2) ** 2 + (columns - 53.7) ** 2).sqrt() - radius
    mask = (0.5 - signed).clamp(0, 1)[None, None]
    got = feather(mask, grow, 12)[0, 0]
    expected = (0.5 - (signed - grow) / 12).clamp(0, 1)
    error = (got - expected).abs() * 12
    assert error.max() < 0.3
    assert error[expected > 0][expected[expected > 0] < 1].mean() < 0.08


@pytest.mark.parametrize("value", [0.02, 0.2, 0.4, 0.5])
@pytest.mark.parametrize(("grow", "width"), [(0, 16), (3, 0), (-2, 7)])
def test_a_faint_mask_has_its_edge_where_a_full_one_has(value: float, grow: float, width: float) -> None:
    mask = torch.zeros(1, 1, 60, 70)
    mask[..., 20:40, 15:50] = 1
    faint, full = (feather(each, grow, width) for each in (mask * value, mask))
    torch.testing.assert_close(faint, full, rtol=0, atol=1e-5)
    assert faint.max() == 1


def test_nothing_to_do_is_a_copy_and_inputs_stay() -> None:
    mask = torch.rand(3, 1, 21, 34)
    before = mask.clone()
    same = feather(mask, 0, 0)
    assert torch.equal(same, before)
    same.zero_()
    feather(mask, 5, 3)
    assert torch.equal(mask, before)


def test_every_mask_of_a_batch_is_its_own() -> None:
    masks = torch.cat([random_mask(40, 60, 0.01, 1), torch.zeros(1, 1, 40, 60), random_mask(40, 60, 0.5, 2)])
    together = feather(masks, 4, 9)
    assert torch.equal(together, torch.cat([feather(mask, 4, 9) for mask in masks.split(1)]))
    assert together[1].sum() == 0


def test_a_feather_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        feather(torch.zeros(1, 1, 4, 4), 0, -1)
