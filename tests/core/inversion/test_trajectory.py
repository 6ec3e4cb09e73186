"""States between levels, and rows of batches."""

from __future__ import annotations

import pytest
import torch
from recompose.core.inversion.trajectory import Inversion, replaced, tiled
from recompose.core.sampling.noise_schedule import Kind, NoiseSchedule
from torch import Tensor

SHAPE = (2, 3, 5, 4)


def normal(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def straight(path: NoiseSchedule, sigmas: tuple[float, ...]) -> Inversion:
    """An inversion whose noise is the same all the way."""
    levels = [path.level(sigma) for sigma in sigmas]
    states = tuple(level.signal * normal(1) + level.noise * normal(2) for level in levels)
    return Inversion(sigmas, states, path, "SD15")


PATHS = {
    "noise": (NoiseSchedule(Kind.VE), (0.0, 0.03, 0.4, 3.0)),
    "flow": (NoiseSchedule(Kind.FLOW), (0.0, 0.2, 0.7, 0.9)),
    "flow of louder noise": (NoiseSchedule(Kind.FLOW, 1.5), (0.0, 0.2, 0.7, 1.0)),
    "a single step": (NoiseSchedule(Kind.VE), (0.0, 3.0)),
}


@pytest.mark.parametrize(("path", "sigmas"), PATHS.values(), ids=PATHS)
def test_a_straight_way_is_met_at_every_sigma(path: NoiseSchedule, sigmas: tuple[float, ...]) -> None:
    inversion = straight(path, sigmas)
    torch.testing.assert_close(inversion.clean(), normal(1), rtol=0, atol=1e-12)
    for sigma in (0.0, 0.01, 0.15, *sigmas, 0.55, 0.95, 1.0):
        level = path.level(sigma)
        expected = level.signal * normal(1) + level.noise * normal(2)
        torch.testing.assert_close(inversion.at(sigma), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("path", "end"), [(NoiseSchedule(Kind.VE), 3.0), (NoiseSchedule(Kind.FLOW), 1.0)])
def test_a_way_that_does_not_end_at_zero_begins_with_the_clean_latent(
    path: NoiseSchedule, end: float
) -> None:
    level = path.level(0.2)
    states = (level.signal * normal(1), normal(2), normal(3))
    inversion = Inversion((0.2, 0.6, end), states, path, "SD15")
    torch.testing.assert_close(inversion.clean(), normal(1), rtol=0, atol=1e-12)
    torch.testing.assert_close(inversion.at(0.0), normal(1), rtol=0, atol=1e-12)
    half = (1 + level.signal) / 2 * normal(1)
    torch.testing.assert_close(inversion.at(0.1), half, rtol=0, atol=1e-12)


def test_the_states_are_met_exactly_at_their_levels() -> None:
    states = tuple(normal(seed).float() for seed in range(4))
    inversion = Inversion((0.0, 0.03, 0.4, 3.0), states, NoiseSchedule(Kind.VE), "SD15")
    for sigma, state in zip(inversion.sigmas, states, strict=True):
        assert torch.equal(inversion.at(sigma), state)


def test_rows_fill_a_batch_in_turn() -> None:
    rows = normal(1)
    assert torch.equal(tiled(rows, 2), rows)
    assert torch.equal(tiled(rows, 6), torch.cat([rows] * 3))
    assert torch.equal(tiled(rows[:1], 3), rows[:1].expand(3, -1, -1, -1))
    with pytest.raises(ValueError, match=r"^2 latents were inverted but the batch has 3 rows; .*\.$"):
        tiled(rows, 3)


def test_rows_are_replaced_in_a_copy() -> None:
    x, rows = torch.zeros(4, *SHAPE[1:]), normal(1)
    found = replaced(x, rows, 1)
    assert not x.any() and not found[0].any() and not found[3].any()
    assert torch.equal(found[1:3], rows.float())
