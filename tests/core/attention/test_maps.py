"""Maps and masks of words on attention whose result is known by construction."""

from __future__ import annotations

import pytest
import torch
from recompose.core.attention import maps
from recompose.core.attention.maps import Chosen
from recompose.core.attention.record import Part, Record, nearest, rows_of
from recompose.core.shapes import Size
from torch import Tensor

SIZE, HEADS, WORD = Size(12, 8), 2, 3


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def region() -> Tensor:
    """An off-centre rectangle of cells."""
    inside = torch.zeros(SIZE.height, SIZE.width)
    inside[2:5, 6:11] = 1
    return inside


def planted(inside: Tensor, keys: int = 7) -> Tensor:
    """Probabilities (1, height, width, keys) of queries of which those inside point to the word's key."""
    width = 2 * keys
    k = 6 * torch.eye(keys).repeat(1, HEADS)[None]
    q = torch.zeros(1, inside.numel(), width)
    q[0, inside.flatten() > 0] = 6 * k[0, WORD] / 6
    q[0, inside.flatten() == 0] = k[0, 0]  # the first token takes what belongs to no word
    found = maps.probabilities(q, k, HEADS)
    return found.reshape(1, *inside.shape, keys)


def part(sums: Tensor, count: int = 1, where: str = "decoder") -> Part:
    return Part(where, (0,), None, Size(sums.shape[2], sums.shape[1]), sums, count)


def test_probabilities_are_the_softmax_written_out_head_by_head() -> None:
    q, k = numbers(2, 5, 6), numbers(2, 4, 6, seed=1)
    expected = torch.zeros(2, 5, 4, dtype=torch.float64)
    for row in range(2):
        for head in range(HEADS):
            one = slice(3 * head, 3 * head + 3)
            scores = q[row, :, one].double() @ k[row, :, one].double().T / 3**0.5
            expected[row] += (scores.exp() / scores.exp().sum(-1, keepdim=True)) / HEADS
    for most in (1, 2**26):
        found = maps.probabilities(q, k, HEADS, most)
        assert (found - expected).abs().max() < 1e-6
        assert (found.sum(-1) - 1).abs().max() < 1e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_added_up_in_single(dtype: torch.dtype) -> None:
    q, k = numbers(1, 5, 6).to(dtype), numbers(1, 77, 6, seed=1).to(dtype)
    found = maps.probabilities(q, k, HEADS)
    assert found.dtype == torch.float32 and (found.sum(-1) - 1).abs().max() < 1e-6


def test_repeated_words_count_once_and_added_ones_are_left_out() -> None:
    q, k = numbers(1, 5, 6), numbers(1, 4, 6, seed=1)
    alone = maps.probabilities(q, k, HEADS)
    twice = maps.folded(maps.probabilities(q, k.repeat(1, 2, 1), HEADS), 4)
    assert twice is not None and (twice - alone).abs().max() < 1e-6
    more = maps.folded(torch.cat([alone, alone[..., :1]], -1), 4)
    assert more is not None and torch.equal(more, alone)
    assert maps.folded(alone, 5) is None


def test_a_planted_word_gives_its_region() -> None:
    chosen = [Chosen(part(planted(region())), [WORD])]
    found = maps.stretched(maps.daam(chosen, SIZE))
    threshold = maps.otsu(found)
    assert torch.equal(maps.mask_of(found[0], SIZE, threshold), region())
    assert maps.otsu(maps.stretched(maps.daam([Chosen(chosen[0].part, [WORD + 1])], SIZE))) is None


def test_daam_is_the_mean_over_tokens_layers_and_steps() -> None:
    first, second = (torch.rand(2, 8, 12, 5, generator=torch.Generator().manual_seed(n)) for n in (0, 1))
    chosen = [Chosen(part(3 * first, 3), [1, 2]), Chosen(part(second, 1, "encoder"), [1, 2])]
    expected = (3 * first[..., 1:3].mean(-1) + second[..., 1:3].mean(-1)) / 4
    assert (maps.daam(chosen, SIZE) - expected).abs().max() < 1e-6
    middle = Chosen(part(torch.full((2, 8, 12, 5), 9.0), 1, "middle"), [1, 2])
    assert torch.equal(maps.daam([*chosen, middle], SIZE), maps.daam(chosen, SIZE))
    assert maps.daam([middle], SIZE).unique().tolist() == [9.0]


def test_small_maps_lie_where_they_are_in_the_picture() -> None:
    """Width and height keep their places: a blob at the right end of a wide map stays there."""
    sums = torch.zeros(1, 2, 6, 1)
    sums[0, 1, 5, 0] = 1
    found = maps.daam([Chosen(part(sums), [0])], Size(48, 16))
    assert found.shape == (1, 16, 48) and found.min() == 0
    y, x = divmod(int(found[0].argmax()), 48)
    assert y >= 8 and x >= 40


def test_prompt_to_prompt_takes_the_quarter_maps_of_encoder_and_decoder() -> None:
    quarter = torch.zeros(1, 2, 3, 4)
    quarter[0, 0, 0, 1], quarter[0, 0, 0, 2] = 0.2, 0.3
    other = torch.ones(1, 4, 6, 4)
    chosen = [
        Chosen(each, [1, 2])
        for each in (
            part(2 * quarter, 2, "encoder"),
            part(quarter),
            part(other),
            part(9 * quarter, 1, "middle"),
        )
    ]
    found = maps.prompt_to_prompt(chosen, SIZE)
    # The highest of its neighbours: the peak spreads by one of the small map's cells, each 4×4 cells wide.
    expected = torch.zeros(8, 12)
    expected[:, :8] = 0.5
    assert (found[0] - expected).abs().max() < 1e-6


def test_maps_of_one_size_are_the_tokens_sum_and_the_mean_of_layers_and_steps() -> None:
    values = torch.rand(1, 2, 3, 4, generator=torch.Generator().manual_seed(4))
    chosen = [Chosen(part(values, 3), [1, 2]), Chosen(part(5 * values, 1, "encoder"), [3])]
    expected = (values[..., 1] + values[..., 2] + 5 * values[..., 3]) / 4
    assert torch.allclose(maps.of_one_size(chosen), expected)


@pytest.mark.parametrize(
    ("sizes", "latent", "expected"),
    [
        ([(64, 48), (32, 24), (16, 12), (8, 6)], (64, 48), (16, 12)),
        ([(16, 23), (8, 12), (4, 6), (2, 3)], (16, 23), (4, 6)),
        ([(32, 24), (16, 12)], (32, 24), (16, 12)),
    ],
)
def test_of_sizes_the_one_nearest_to_a_quarter(
    sizes: list[tuple[int, int]], latent: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert maps.quarter_of([Size(*each) for each in sizes], Size(*latent)) == Size(*expected)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.2, 0.4), (0.5, 0.9)])
def test_otsu_parts_two_heaps(low: float, high: float) -> None:
    values = torch.cat([low + 0.02 * torch.rand(300), high - 0.02 * torch.rand(40)])
    threshold = maps.otsu(values)
    assert threshold is not None and low + 0.02 < threshold <= high - 0.01
    assert int((values >= threshold).sum()) == 40


def test_otsu_has_the_largest_variance_between_classes() -> None:
    values = torch.rand(500, generator=torch.Generator().manual_seed(4)) ** 2
    threshold = maps.otsu(values)

    def between(at: float) -> float:
        low, high = values[values < at], values[values >= at]
        return len(low) * len(high) * float(high.mean() - low.mean()) ** 2

    assert threshold is not None
    best = max(between((bin + 1) / 256) for bin in range(255) if 0 < (values < (bin + 1) / 256).sum() < 500)
    assert between(threshold) > 0.999 * best


@pytest.mark.parametrize("values", [torch.zeros(9), torch.full((9,), 0.4), torch.linspace(0.40, 0.45, 50)])
def test_otsu_finds_nothing_to_part(values: Tensor) -> None:
    assert maps.otsu(values) is None


def test_stretched_rows_are_apart_and_a_flat_one_is_zero() -> None:
    rows = torch.stack([torch.tensor([[2.0, 4.0]]), torch.tensor([[7.0, 7.0]]), torch.tensor([[0.1, 0.2]])])
    assert maps.stretched(rows).flatten().tolist() == [0, 1, 0, 0, 0, 1]
    assert maps.stretched(rows, from_zero=True).flatten().tolist() == [0.5, 1, 1, 1, 0.5, 1]
    assert not maps.stretched(1 + 1e-7 * torch.rand(1, 4, 4)).any()


def test_rows_of_a_latent_are_told_by_what_they_hold() -> None:
    result = numbers(3, 4, 2, 2)
    result[2] = result[0]
    record = Record(Size(2, 2), 8, 4, [], result)
    assert rows_of(record, result) == [0, 1, 2]
    assert rows_of(record, result[1:2]) == [1]
    assert rows_of(record, result.half()) == [0, 1, 2]
    assert rows_of(record, result + 1) is None
    assert rows_of(record, numbers(1, 4, 4, 2)) is None


def test_the_nearest_run_is_that_of_a_latent_with_small_changes() -> None:
    records = [Record(Size(4, 4), 8, 4, [], numbers(1, 4, 4, 4, seed=seed)) for seed in range(3)]
    assert nearest(records, records[1].result + 0.05) is records[1]
    assert nearest(records, numbers(1, 4, 4, 4, seed=9)) is None
    assert nearest(records, records[1].result[..., :2]) is None and nearest([], records[1].result) is None
