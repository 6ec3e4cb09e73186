from __future__ import annotations

import numpy as np
import pytest
import torch
from recompose.core.canvas import membrane


def world(height: int, width: int, kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    values = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
    known = torch.zeros(1, 1, height, width, dtype=torch.bool)
    if kind == "above":
        known[..., : height // 2, :] = True
    elif kind == "hole":
        known[:] = True
        known[..., height // 4 : -3, 5 : width // 2] = False
    else:
        known[:] = torch.rand(known.shape, generator=generator) > 0.95
    return values, known


def solve_directly(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The same equation written out: the sum of (u - neighbour) over the neighbours that exist is 0."""
    from scipy.sparse import lil_matrix
    from scipy.sparse.linalg import spsolve

    height, width = known.shape
    matrix, right = lil_matrix((known.size, known.size)), np.zeros(known.size)
    for y in range(height):
        for x in range(width):
            here = y * width + x
            if known[y, x]:
                matrix[here, here], right[here] = 1, values[y, x]
                continue
            for other_y, other_x in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= other_y < height and 0 <= other_x < width:
                    matrix[here, here] += 1
                    matrix[here, other_y * width + other_x] -= 1
    return spsolve(matrix.tocsr(), right).reshape(height, width)


@pytest.mark.parametrize("kind", ["above", "hole", "dots"])
@pytest.mark.parametrize(("height", "width"), [(23, 38), (64, 17)])
def test_multigrid_agrees_with_a_direct_solution(height: int, width: int, kind: str) -> None:
    values, known = world(height, width, kind)
    solution = membrane.harmonic(values, known, 12)
    expected = solve_directly(values[1, 2].numpy(), known[0, 0].numpy())
    assert np.abs(solution[1, 2].numpy() - expected).max() < 1e-5
    assert torch.equal(solution[..., known[0, 0]], values[..., known[0, 0]])


def test_a_linear_ramp_is_its_own_membrane() -> None:
    ramp = torch.linspace(0, 1, 45, dtype=torch.float64).expand(1, 1, 31, 45)
    known = torch.zeros(1, 1, 31, 45, dtype=torch.bool)
    known[..., 0] = known[..., -1] = True
    assert (membrane.harmonic(ramp, known, 20) - ramp).abs().max() < 1e-6


def test_nothing_known_gives_zero_and_everything_known_gives_it_back() -> None:
    values = torch.rand(1, 3, 9, 13)
    assert torch.equal(membrane.harmonic(values, torch.zeros(1, 1, 9, 13, dtype=torch.bool)), values * 0)
    assert torch.equal(membrane.harmonic(values, torch.ones(1, 1, 9, 13, dtype=torch.bool)), values)


def test_the_large_solver_is_close_to_the_exact_one() -> None:
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, 40, 60, generator=generator) * 0.2 - 0.1
    values = torch.nn.functional.interpolate(coarse, (600, 900), mode="bicubic")
    values += 0.02 * torch.randn(values.shape, generator=generator)
    known = torch.ones(1, 1, 600, 900, dtype=torch.bool)
    known[..., 100:, 50:850] = False
    assert values.shape[-1] * values.shape[-2] > membrane.LARGE
    exact = membrane.harmonic(values.double(), known, 12)
    error = (membrane.membrane(values, known) - exact).abs()
    assert error.max() < 0.03
    assert error.mean() < 0.5 / 255


@pytest.mark.parametrize("length", [2.0, 8.0, 16.0])
def test_a_screened_membrane_falls_by_e_every_length_beside_a_straight_edge(length: float) -> None:
    known = torch.zeros(1, 1, 150, 40, dtype=torch.bool)
    known[..., :30, :] = True
    values = torch.full((1, 1, 150, 40), 0.5)
    found = membrane.screened(values, known, length)
    assert torch.equal(found[..., :30, :], values[..., :30, :])
    away = torch.arange(1, 121)
    expected = 0.5 * torch.exp(-away / length)
    assert (found[0, 0, 30:, 20] - expected).abs().max() < 0.05
    assert found[0, 0, -1].abs().max() < 0.01


def test_a_screened_membrane_of_nothing_known_is_zero() -> None:
    values = torch.rand(1, 3, 9, 13)
    assert not membrane.screened(values, torch.zeros(1, 1, 9, 13, dtype=torch.bool), 8).any()
