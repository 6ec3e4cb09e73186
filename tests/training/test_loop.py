"""The loop on a problem with a known answer; rates and stops by the table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from recompose.training import loop
from recompose.training.ema import EMA
from recompose.training.loop import Report, TrainConfig, fit, lr_at, param_groups
from torch import Tensor, nn


def line(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Points of y = 3x - 2."""
    while True:
        x = torch.randn(17, 1, generator=generator)
        yield x, 3 * x - 2


def squared(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    x, y = batch
    return (network(x) - y).square().mean()


def run(config: TrainConfig) -> tuple[nn.Linear, list[Report]]:
    torch.manual_seed(5)
    network = nn.Linear(1, 1)
    batches = line(torch.Generator().manual_seed(7))
    return network, list(fit([network], lambda batch: squared(network, batch), batches, config))


def test_it_finds_the_line() -> None:
    network, reports = run(TrainConfig(steps=400, learning_rate=0.1, warmup=5))
    assert network.weight.item() == pytest.approx(3, abs=0.01)
    assert network.bias.item() == pytest.approx(-2, abs=0.01)
    assert [report.step for report in reports] == list(range(1, 401))
    assert reports[-1].loss < 1e-3 < reports[0].loss


def test_two_runs_are_equal() -> None:
    first, second = (run(TrainConfig(steps=23, learning_rate=0.05)) for _ in range(2))
    assert torch.equal(first[0].weight, second[0].weight)
    assert [report.loss for report in first[1]] == [report.loss for report in second[1]]


def test_it_stops_when_time_is_up_and_when_the_reader_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    network, ticks = nn.Linear(1, 1), itertools.count()
    # A clock that goes on by an eighth of a second whenever it is read: at the start and twice in each step.
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 8))
    batches = line(torch.Generator().manual_seed(1))
    timed = list(
        fit([network], lambda batch: squared(network, batch), batches, TrainConfig(10**9, 0.01, seconds=1.0))
    )
    assert [report.seconds for report in timed] == [0.25, 0.5, 0.75, 1.0]
    endless = fit([network], lambda batch: squared(network, batch), batches, TrainConfig(10**9, 0.01))
    assert len(list(itertools.islice(endless, 3))) == 3


def test_a_loss_that_is_no_number_stops_before_it_spoils_the_weights() -> None:
    network = nn.Linear(1, 1)
    before = network.weight.detach().clone()
    with pytest.raises(RuntimeError, match="finite loss but step 1 gave nan"):
        list(fit([network], lambda _: network.weight.sum() * math.nan, [None], TrainConfig(5, 0.1)))
    assert torch.equal(network.weight, before)


RATES = [
    (0, 0.0, 0.25),  # a quarter of the peak after the first of four warm-up steps
    (3, 0.0, pytest.approx(0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * 3 / 100)))),
    (50, 0.0, pytest.approx(0.525)),  # half-way between the peak and a twentieth of it
    (
        50,
        15.0,
        pytest.approx(0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * 0.75))),
    ),  # time counts when it is shorter
    (100, 99.0, pytest.approx(0.05)),
]


@pytest.mark.parametrize(("step", "seconds", "expected"), RATES)
def test_learning_rate(step: int, seconds: float, expected: float) -> None:
    found = lr_at(TrainConfig(steps=100, learning_rate=1.0, seconds=20.0, warmup=4), step, seconds)
    assert found == (pytest.approx(expected, abs=0.01) if step == 0 else expected)


def test_only_matrices_fade() -> None:
    networks = [nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)), nn.Embedding(5, 2)]
    fading, kept = param_groups(networks, 0.1)
    assert [tuple(parameter.shape) for parameter in fading["params"]] == [(2, 3)]
    assert [tuple(parameter.shape) for parameter in kept["params"]] == [(2,), (2,), (2,), (5, 2)]
    assert (fading["weight_decay"], kept["weight_decay"]) == (0.1, 0.0)


def test_average_follows_fast_at_first_and_slowly_then() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = EMA(network, decay=0.9)
    nn.init.ones_(network.weight)
    average.update(network)
    assert float(average.weights()["weight"]) == pytest.approx(1 - 2 / 11)
    for _ in range(200):
        average.update(network)
    nn.init.zeros_(network.weight)
    average.update(network)
    assert float(average.weights()["weight"]) == pytest.approx(0.9, abs=1e-4)
    assert not average.weights()["weight"].requires_grad


def test_batches_of_one_step_count_as_one_batch() -> None:
    """Also with clipping, which must see the mean of their gradients."""
    found = []
    for accumulation in (1, 3):
        line = nn.Linear(2, 1)
        with torch.no_grad():
            for value in line.parameters():
                value.fill_(0.5)
        random = torch.Generator().manual_seed(1)
        points = [torch.randn(4, 2, generator=random) for _ in range(6)]
        parts = points if accumulation == 3 else [torch.cat(points[:3]), torch.cat(points[3:])]
        config = TrainConfig(2, 0.1, warmup=1, grad_clip=0.01, accumulation=accumulation)
        reports = list(fit([line], lambda batch, line=line: (line(batch) - 1).square().mean(), parts, config))
        found.append((reports, line.weight.detach().clone()))
    (once, one), (thrice, three) = found
    assert [report.loss for report in once] == pytest.approx([report.loss for report in thrice], rel=1e-5)
    torch.testing.assert_close(one, three, rtol=1e-5, atol=1e-6)
