"""Concepts in one model, in closed form."""

from __future__ import annotations

import pytest
import torch
from recompose.core.concepts import merge
from torch import Tensor

OUT, IN = 12, 24


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def closed_form(base: Tensor, constrained: Tensor, values: Tensor, regular: Tensor) -> Tensor:
    """Of one layer."""
    (found,) = merge.closed_form([base], constrained, [values], regular)
    return found


@pytest.fixture
def problem() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Base, features of two concepts, their values, features that are to stay."""
    return normal(OUT, IN, seed=1), normal(5, IN, seed=2), normal(5, OUT, seed=3), normal(90, IN, seed=4)


def change(weight: Tensor, base: Tensor, regular: Tensor) -> float:
    return float(((weight - base) @ regular.T).norm())


def test_the_concepts_have_their_values_and_the_rest_changes_least(problem: tuple[Tensor, ...]) -> None:
    base, features, values, regular = problem
    merged = closed_form(*problem)
    assert (merged @ features.T - values.T).abs().max() < 1e-9 * values.abs().max()
    free = torch.eye(IN, dtype=torch.float64) - torch.linalg.pinv(features) @ features
    for seed in range(100):
        other = merged + 0.1 * normal(OUT, IN, seed=100 + seed) @ free
        assert (other @ features.T - values.T).abs().max() < 1e-8
        assert change(other, base, regular) > change(merged, base, regular)


def test_without_features_the_base_stays(problem: tuple[Tensor, ...]) -> None:
    base, features, values, regular = problem
    assert closed_form(base, features[:0], values[:0], regular).equal(base)


def test_values_of_the_base_change_nothing(problem: tuple[Tensor, ...]) -> None:
    base, features, _, regular = problem
    merged = closed_form(base, features, features @ base.T, regular)
    assert torch.allclose(merged, base, atol=1e-12)


def test_fewer_regularisation_features_than_numbers(problem: tuple[Tensor, ...]) -> None:
    base, features, values, regular = problem
    merged = closed_form(base, features, values, regular[:6])
    assert (merged @ features.T - values.T).abs().max() < 1e-6 * values.abs().max()


def test_features_that_are_nearly_the_same(problem: tuple[Tensor, ...]) -> None:
    base, features, values, regular = problem
    twice = torch.cat([features, features + 1e-12])
    merged = closed_form(base, twice, torch.cat([values, values]), regular)
    assert (merged @ features.T - values.T).abs().max() < 1e-6 * values.abs().max()


def test_shapes_of_another_layer_are_refused(problem: tuple[Tensor, ...]) -> None:
    base, features, values, regular = problem
    with pytest.raises(ValueError, match="Expected features of 24"):
        closed_form(base, features[:, :-1], values, regular)


def test_rows_of_several_owners_that_are_nearly_the_same_are_one_group() -> None:
    rows = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0.005, 0], [0, 1.01, 0], [0, 0, 1], [0, 0, 1]])
    groups = merge.grouped(rows, torch.tensor([0, 0, 1, 0, 1, 1]))
    together = groups[:, None] == groups
    wanted = torch.eye(6).bool()
    wanted[0, 2] = wanted[2, 0] = True  # of two owners
    wanted[4, 5] = wanted[5, 4] = True  # of one, and the same; rows 1 and 3 of one owner differ
    assert together.equal(wanted)
    means = merge.of_groups(rows, groups)
    torch.testing.assert_close(means[groups[0]], torch.tensor([1, 0.0025, 0]).double())
    none = merge.grouped(rows[:0], groups[:0])
    assert none.shape == (0,) and merge.of_groups(rows[:0], none).shape == (0, 3)


def test_places_that_concepts_share_do_not_blow_the_weight_up(problem: tuple[Tensor, ...]) -> None:
    """Two concepts with other values at places that are all but the same."""
    base, constrained, values, regular = problem
    near = constrained[:1] + 1e-4 * constrained[:1].norm() * torch.ones_like(constrained[:1])
    rows = torch.cat([constrained, near])
    wanted = torch.cat([values, values[:1] + 1])
    owners = torch.tensor([0] * len(constrained) + [1])
    groups = merge.grouped(rows, owners)
    assert len(set(groups.tolist())) == len(constrained)
    found = closed_form(base, merge.of_groups(rows, groups), merge.of_groups(wanted, groups), regular)
    blown = closed_form(base, rows, wanted, regular)
    alone = (closed_form(base, constrained, values, regular) - base).norm()
    assert (found - base).norm() < 3 * alone < 0.1 * (blown - base).norm()
    middle = rows[[0, -1]].double().mean(0)
    torch.testing.assert_close(found @ middle, wanted[[0, -1]].double().mean(0), rtol=1e-6, atol=1e-6)


def test_average() -> None:
    base = torch.zeros(2, 2)
    assert merge.average(base, [base + 1, base + 3]).equal(torch.full((2, 2), 2.0, dtype=torch.float64))
    assert merge.average(base, []).equal(base.double())
