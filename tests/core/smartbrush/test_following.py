"""Noise in a mask alone, and a predicted shape from one step to the next."""

from __future__ import annotations

import torch
from recompose.core.smartbrush.following import Following, Rules
from recompose.core.smartbrush.noising import shown


def test_outside_the_mask_the_latent_is_clean_and_not_scaled() -> None:
    clean, noise = torch.randn(2, 4, 5, 7), torch.randn(2, 4, 5, 7)
    mask = (torch.rand(2, 1, 5, 7) > 0.5).float()
    kept = 0.3
    x = shown(kept**0.5 * clean + (1 - kept) ** 0.5 * noise, clean, mask)
    inside = mask.bool().expand_as(x)
    assert torch.equal(x[~inside], clean[~inside])
    torch.testing.assert_close(x[inside], (kept**0.5 * clean + (1 - kept) ** 0.5 * noise)[inside])
    assert torch.equal(shown(x, clean, torch.zeros_like(mask)), clean)
    assert torch.equal(shown(x, clean, torch.ones_like(mask)), x)


def square(top: int, left: int, side: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, 12, 12)
    mask[..., top : top + side, left : left + side] = 1
    return mask


def logits(mask: torch.Tensor) -> torch.Tensor:
    return 20 * mask - 10


def test_an_exact_mask_stays() -> None:
    following = Following(square(2, 2, 8), True, 10, Rules())
    assert torch.equal(following.update(logits(square(4, 4, 2)), 9), square(2, 2, 8))


def test_a_coarse_mask_is_used_whole_at_first_and_then_reduced() -> None:
    given, thing = square(1, 1, 10), square(4, 4, 3)
    following = Following(given, False, 10, Rules(start=0.4))
    for step in range(4):
        assert torch.equal(following.update(logits(thing), step), given)
    assert torch.equal(following.update(logits(thing), 4), square(3, 3, 5))


def test_what_is_painted_never_leaves_the_mask() -> None:
    following = Following(square(2, 2, 4), False, 1, Rules(start=0))
    assert torch.equal(following.update(logits(square(4, 4, 8)), 0), square(3, 3, 3))


def test_predictions_are_averaged() -> None:
    given, one, other = square(0, 0, 12), square(1, 1, 2), square(8, 8, 2)
    following = Following(given, False, 1, Rules(start=0, grow=0, keep=0.75))
    following.update(logits(one), 0)
    assert torch.equal(following.update(logits(other), 0), one)
    # 0.75 * 0.75 of the first is left, then less than half of it.
    assert torch.equal(following.update(logits(other), 0), one)
    assert torch.equal(following.update(logits(other), 0), other)


def test_where_too_little_is_predicted_all_of_the_mask_is_used() -> None:
    given = torch.cat([square(1, 1, 10), square(1, 1, 10)])
    both = torch.cat([square(4, 4, 1), square(4, 4, 5)])
    following = Following(given, False, 1, Rules(start=0, grow=0, least=0.02))
    found = following.update(logits(both), 0)
    assert torch.equal(found[:1], given[:1]) and torch.equal(found[1:], both[1:])
