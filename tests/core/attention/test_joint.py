"""The share of words in a joint attention."""

from __future__ import annotations

import pytest
import torch
from recompose.core.attention.joint import joint_probabilities
from torch import Tensor

WORDS = slice(3, 8)


def drawn(dtype: torch.dtype = torch.float32, keys: int = 29) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = ((2, 3, 21, 16), (2, 3, keys, 16))
    q, k = (2 * torch.randn(*shape, generator=generator) for shape in shapes)
    return q.to(dtype), k.to(dtype)


def written_out(q: Tensor, k: Tensor, bias: Tensor | None = None, scale: float = 0.25) -> Tensor:
    scores = torch.einsum("bhnd,bhkd->bhnk", q.double(), k.double()) * scale
    return torch.softmax(scores if bias is None else scores + bias, -1)[..., WORDS].mean(1)


@pytest.mark.parametrize("most_bytes", [1, 2000, 2**26])
def test_it_is_the_softmax_whatever_the_turns(most_bytes: int) -> None:
    q, k = drawn()
    found = joint_probabilities(q, k, WORDS, most_bytes=most_bytes)
    assert found.shape == (2, 21, 5) and (found - written_out(q, k)).abs().max() < 1e-6
    found = joint_probabilities(q, k, WORDS, scale=0.1, most_bytes=most_bytes)
    assert (found - written_out(q, k, scale=0.1)).abs().max() < 1e-6
    parts = [joint_probabilities(q, k, part) for part in (slice(0, 3), WORDS, slice(8, 29))]
    assert (torch.cat(parts, -1).sum(-1) - 1).abs().max() < 1e-5


@pytest.mark.parametrize("shape", [(1, 1, 1, 29), (2, 1, 1, 29), (1, 1, 21, 29), (2, 3, 21, 29)], ids=str)
@pytest.mark.parametrize("most_bytes", [2000, 2**26])
def test_what_is_added_to_scores_counts(shape: tuple[int, ...], most_bytes: int) -> None:
    q, k = drawn()
    bias = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    found = joint_probabilities(q, k, WORDS, bias, most_bytes=most_bytes)
    assert (found - written_out(q, k, bias)).abs().max() < 1e-6
    seen = bias > -1
    expected = written_out(q, k, torch.where(seen, 0.0, -torch.inf))
    found = joint_probabilities(q, k, WORDS, seen, most_bytes=most_bytes)
    assert (found - expected).abs().max() < 1e-6


@pytest.mark.parametrize(("dtype", "bound"), [(torch.bfloat16, 1e-3), (torch.float16, 2e-4)], ids=str)
def test_low_precision_is_near_the_exact_share_of_its_values(dtype: torch.dtype, bound: float) -> None:
    q, k = drawn(dtype, keys=600)
    found = joint_probabilities(q, k, WORDS)
    expected = written_out(q, k)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < bound and expected.max() > 20 * bound
