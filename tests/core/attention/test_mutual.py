"""Mutual self-attention beside the formula written out row by row, token by token."""

from __future__ import annotations

import pytest
import torch
from recompose.core.attention.mutual import Layout, Masks, Mode, Mutual
from torch import Tensor

HEIGHT, WIDTH, CHANNELS = 3, 5, 8
PICTURE = HEIGHT * WIDTH


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """Plain attention; what it returns must hang on nothing but the row itself."""
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    return (scores if bias is None else scores + bias).softmax(-1) @ v


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def batch(rows: int, tokens: int, heads: int = 0) -> list[Tensor]:
    shape = (rows, heads, tokens, CHANNELS) if heads else (rows, tokens, CHANNELS)
    return [numbers(*shape, seed=seed) for seed in range(3)]


def masks(sources: int, targets: int) -> Masks:
    made = [(numbers(count, 1, HEIGHT, WIDTH, seed=9 + count) > 0).float() for count in (sources, targets)]
    return Masks(*made)


def written_out(
    how: Mutual, q: Tensor, k: Tensor, v: Tensor, at: Layout, bias: Tensor | None = None
) -> Tensor:
    """The same, for one query after the other."""
    rows, picture = len(k) // at.chunks, range(at.start, at.start + at.count)
    outside = [token for token in range(k.shape[-2]) if token not in picture]
    out = torch.empty_like(q)
    for row in range(len(q)):
        chunk, own = row - row % rows, row % rows
        for query in range(q.shape[-2]):
            keys = [(row, token) for token in range(k.shape[-2])]
            if own not in how.sources:
                others = [(row, token) for token in outside]
                found = [(chunk + source, token) for source in how.sources for token in picture]
                if how.mode is Mode.MASKED and how.masks and query in picture:
                    number = [each for each in range(rows) if each not in how.sources].index(own)
                    target = how.masks.target[number % len(how.masks.target)].flatten()
                    flat = how.masks.source.expand(len(how.sources), -1, -1, -1).flatten()
                    side = target[query - at.start]
                    same = [pair for pair, inside in zip(found, flat, strict=True) if inside == side]
                    found = same or found
                keys = (keys if how.mode is Mode.UNION else others) + found
            key = torch.stack([k[r, ..., t, :] for r, t in keys], -2)
            value = torch.stack([v[r, ..., t, :] for r, t in keys], -2)
            added: Tensor | None = None
            if bias is not None:
                none = torch.zeros_like(bias[row, ..., 0])
                added = torch.stack([bias[row, ..., t] if r == row else none for r, t in keys], -1)
            out[row, ..., query, :] = attend(q[row, ..., query : query + 1, :], key, value, added)[..., 0, :]
    return out


CASES = {
    "replace": (Mutual((0,)), 2, 2),
    "replace, three chunks": (Mutual((0,)), 3, 3),
    "replace, another source": (Mutual((2,)), 2, 4),
    "replace, two sources": (Mutual((0, 2)), 2, 4),
    "union": (Mutual((0,), Mode.UNION), 2, 3),
    "union, two sources": (Mutual((1, 2), Mode.UNION), 2, 4),
    "masked": (Mutual((0,), Mode.MASKED, masks(1, 1)), 2, 2),
    "masked, a mask each": (Mutual((0,), Mode.MASKED, masks(1, 2)), 2, 3),
    "masked, two sources": (Mutual((0, 2), Mode.MASKED, masks(2, 2)), 2, 4),
    "nothing in the source's mask": (
        Mutual((0,), Mode.MASKED, Masks(torch.zeros(1, 1, HEIGHT, WIDTH), masks(1, 1).target)), 2, 2,
    ),
    "all in both masks": (
        Mutual((0,), Mode.MASKED, Masks(*[torch.ones(1, 1, HEIGHT, WIDTH)] * 2)), 1, 2,
    ),
}  # fmt: skip
WORDS = {"a picture alone": (0, 0), "words before it": (4, 0), "words before and a reference after": (4, 6)}


@pytest.mark.parametrize(("before", "after"), WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("heads", [0, 2])
@pytest.mark.parametrize(("how", "chunks", "rows"), CASES.values(), ids=CASES)
def test_every_row_attends_to_what_the_formula_says(
    how: Mutual, chunks: int, rows: int, heads: int, before: int, after: int
) -> None:
    at = Layout(chunks, before, (HEIGHT, WIDTH), PICTURE)
    q, k, v = batch(chunks * rows, before + PICTURE + after, heads)
    out = how(q, k, v, None, at, attend)
    assert torch.allclose(out, written_out(how, q, k, v, at), atol=1e-12, rtol=0)
    alone = attend(q, k, v, None).unflatten(0, (chunks, rows))[:, list(how.sources)]
    assert torch.allclose(out.unflatten(0, (chunks, rows))[:, list(how.sources)], alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("mode", Mode)
def test_words_that_are_masked_out_stay_so(mode: Mode) -> None:
    how = Mutual((0,), mode, masks(1, 1))
    at = Layout(2, 4, (HEIGHT, WIDTH), PICTURE)
    q, k, v = batch(6, 4 + PICTURE)
    bias = torch.zeros(6, 1, 4 + PICTURE, dtype=torch.float64)
    bias[::2, :, 3] = -torch.inf
    bias[1, :, 2:4] = -torch.inf
    assert torch.allclose(
        how(q, k, v, bias, at, attend), written_out(how, q, k, v, at, bias), atol=1e-12, rtol=0
    )


@pytest.mark.parametrize("mode", Mode)
def test_queries_in_tiles_take_the_same_stretch_of_the_source(mode: Mode) -> None:
    """HyperTile leaves the keys in rows; attention then reads a row's keys as stretches, one a tile."""
    rows, tiles, length = 4, 2, 6
    q, _, _ = batch(rows * tiles, length)
    _, k, v = batch(rows, tiles * length)

    def tiled(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
        return attend(q, *(each.reshape(len(q), -1, CHANNELS) for each in (k, v)), bias)

    how = Mutual((0,), mode, masks(1, 1))
    out = how(q, k, v, None, Layout(2, 0, (3, 4), 12), tiled)
    cut = [each.reshape(rows * tiles, length, CHANNELS) for each in (k, v)]
    for row in range(rows * tiles):
        source = row if row // tiles % 2 == 0 else row - tiles
        keys = [
            [each[source], each[row]] if mode is Mode.UNION and source != row else [each[source]]
            for each in cut
        ]
        expected = attend(q[row], torch.cat(keys[0]), torch.cat(keys[1]), None)
        assert torch.allclose(out[row], expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize(("sources", "rows"), [((0,), 1), ((3,), 2), ((0, 1), 2)])
def test_without_a_source_and_a_target_nothing_changes(sources: tuple, rows: int) -> None:
    q, k, v = batch(2 * rows, PICTURE)
    how = Mutual(sources, Mode.UNION)
    assert torch.equal(
        how(q, k, v, None, Layout(2, 0, (HEIGHT, WIDTH), PICTURE), attend), attend(q, k, v, None)
    )


def test_a_mask_of_another_size_is_taken_at_the_nearest_pixel() -> None:
    fine = Masks(torch.zeros(1, 1, 2 * HEIGHT, 2 * WIDTH), torch.zeros(1, 1, 8 * HEIGHT, 8 * WIDTH))
    fine.source[..., :2, :] = 1
    fine.target[..., 8:, :] = 1
    source, target = fine.at((HEIGHT, WIDTH))
    assert source.tolist() == [[True] * WIDTH + [False] * (2 * WIDTH)]
    assert target.tolist() == [[False] * WIDTH + [True] * (2 * WIDTH)]


def test_inputs_are_not_changed() -> None:
    for mode in Mode:
        given = batch(4, 4 + PICTURE, 2)
        before = [each.clone() for each in given]
        Mutual((0,), mode, masks(1, 1))(*given, None, Layout(2, 4, (HEIGHT, WIDTH), PICTURE), attend)
        assert all(torch.equal(each, old) for each, old in zip(given, before, strict=True))
