"""RePaint's schedule against the published one, and its re-noising as one map for every kind of model."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from recompose.core.sampling.known import Observation
from recompose.core.sampling.noise_sampler import NoiseSampler
from recompose.core.sampling.noise_schedule import Kind, NoiseLevel, NoiseSchedule, renoise
from recompose.core.sampling.repaint import Settings, model_calls, plan, resampling_schedule, sample

VE, FLOW = NoiseSchedule(Kind.VE), NoiseSchedule(Kind.FLOW)
WHOLE = [
    # steps, jump_length, resamplings: length of the list, model calls, steps of noise added
    (250, 10, 10, 4571, 2410, 2160),
    (250, 10, 1, 251, 250, 0),
    (250, 10, 5, 2171, 1210, 960),
    (250, 10, 20, 9371, 4810, 4560),
    (250, 1, 10, 4733, 2491, 2241),
    (250, 5, 10, 4661, 2455, 2205),
    (250, 20, 10, 4571, 2410, 2160),
    (250, 50, 10, 3851, 2050, 1800),
    (100, 10, 10, 1721, 910, 810),
    (50, 10, 10, 771, 410, 360),
    (50, 5, 5, 411, 230, 180),
    (30, 5, 5, 231, 130, 100),
    (20, 5, 3, 81, 50, 30),
    (20, 4, 5, 149, 84, 64),
]
VECTORS = [
    (12, 3, 2, "11,10,9,8,7,6,7,8,9,8,7,6,5,4,3,4,5,6,5,4,3,2,1,0,1,2,3,2,1,0,-1"),
    (
        10,
        3,
        3,
        "9,8,7,6,7,8,9,8,7,6,7,8,9,8,7,6,5,4,3,4,5,6,5,4,3,4,5,6,5,4,3,2,1,0,1,2,3,2,1,0,1,2,3,2,1,0,-1",
    ),
]


def descending(steps: int) -> list[float]:
    return [float(steps - index) for index in range(steps + 1)]


@pytest.mark.parametrize(("steps", "jump", "times", "length", "calls", "upwards"), WHOLE)
def test_the_schedule_is_as_long_as_published(
    steps: int, jump: int, times: int, length: int, calls: int, upwards: int
) -> None:
    settings = Settings(jump, times)
    states = resampling_schedule(steps, settings)
    climbs = sum(after > before for before, after in pairwise(states))
    assert (len(states), len(states) - 1 - climbs, climbs) == (length, calls, upwards)
    assert model_calls(plan(descending(steps), settings)) == calls


@pytest.mark.parametrize(("steps", "jump", "times", "states"), VECTORS)
def test_the_schedule_is_the_published_one(steps: int, jump: int, times: int, states: str) -> None:
    assert resampling_schedule(steps, Settings(jump, times)) == [int(state) for state in states.split(",")]


@pytest.mark.parametrize(
    ("start", "end", "tops", "bottoms"),
    [
        (0.0, 1.0, {15, 10, 5}, {10, 5, 0}),
        (0.5, 1.0, {10, 5}, {5, 0}),
        (0.55, 1.0, {5}, {0}),
        (0.0, 0.5, {15}, {10}),
        (0.5, 0.75, {10}, {5}),
    ],
)
def test_jumps_lie_between_start_and_end(start: float, end: float, tops: set, bottoms: set) -> None:
    moves = plan(descending(20), Settings(5, 2, start=start, end=end))
    jumps = [move for move in moves if not move.asks_model]
    assert {19 - move.target for move in jumps} == tops
    assert {19 - move.origin for move in jumps} == bottoms


def test_a_jump_is_one_move_and_every_arrival_has_its_own_number() -> None:
    moves = plan(descending(6), Settings(3, 2))
    assert [(move.origin, move.target) for move in moves if not move.asks_model] == [(5, 2)]
    moves = plan(descending(4), Settings(3, 3))
    assert [(move.origin, move.target, move.visit) for move in moves] == [
        (0, 1, 0),
        (1, 2, 0),
        (2, 3, 0),
        (3, 0, 1),  # the start was the first visit
        (0, 1, 1),
        (1, 2, 1),
        (2, 3, 1),
        (3, 0, 2),
        (0, 1, 2),
        (1, 2, 2),
        (2, 3, 2),
        (3, 4, 0),
    ]


@pytest.mark.parametrize(
    ("sigmas", "settings", "words"),
    [
        ([], Settings(), ("0", "no step")),
        ([1.0], Settings(), ("1", "no step")),
        ([3.0, 1.0, 2.0, 0.0], Settings(1, 1), ("descend", "2 follows 1")),
        ([3.0, 1.0, 1.0, 0.0], Settings(1, 1), ("descend", "1 follows 1")),
        ([0.0, 1.0, 3.0], Settings(1, 1), ("descend", "1 follows 0")),
        ([3.0, 1.0, -1.0], Settings(1, 1), ("descend", "-1 follows 1")),
        ([3.0, math.nan, 0.0], Settings(1, 1), ("no numbers", "more steps")),
        ([math.inf, 1.0, 0.0], Settings(1, 1), ("descend", "inf")),
        (descending(10), Settings(10, 2), ("10 steps", "jump_length")),
        (descending(3), Settings(5, 2), ("5 steps", "3 steps", "jump_length")),
        (descending(20), Settings(5, 2, start=0.9), ("0.9", "20 steps")),
        (descending(20), Settings(5, 2, start=0.6, end=0.4), ("0.6", "0.4")),
    ],
)
def test_what_cannot_be_sampled_is_said_in_a_sentence(
    sigmas: list[float], settings: Settings, words: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*[a-z0-9]\.$") as caught:
        plan(sigmas, settings)
    for word in words:
        assert word in str(caught.value)


def test_without_resampling_the_jump_may_be_as_long_as_it_likes() -> None:
    assert model_calls(plan(descending(4), Settings(100, 1))) == 4


def test_adding_noise_is_the_same_map_for_exploding_preserving_and_flow_models() -> None:
    generator = torch.Generator().manual_seed(1)
    x, normal = torch.randn(2, 7, generator=generator, dtype=torch.float64)
    for lower, upper in [(0.0, 0.4), (0.02, 14.6), (0.5, 0.501), (3.0, 900.0)]:
        exploding = renoise(x, VE.level(lower), VE.level(upper), normal)
        kept = [1 / (1 + sigma**2) for sigma in (lower, upper)]
        preserving = [NoiseLevel(math.sqrt(share), math.sqrt(1 - share)) for share in kept]
        flow = [FLOW.level(sigma / (1 + sigma)) for sigma in (lower, upper)]
        for below, above in (preserving, flow):
            other = renoise(below.signal * x, below, above, normal) / above.signal
            assert (other - exploding).abs().max() / (1 + upper) < 1e-13
    assert torch.equal(renoise(x, FLOW.level(0.3), FLOW.level(1.0), normal), 0 * x + normal)


def test_noise_in_many_steps_adds_up_to_noise_in_one() -> None:
    x = torch.zeros(1, dtype=torch.float64)
    for path, sigmas in ((VE, [0.1, 0.4, 2.0, 9.0]), (FLOW, [0.1, 0.4, 0.6, 0.95])):
        variance, gain = 0.0, 1.0
        for lower, upper in pairwise(sigmas):
            step = renoise(x + 1, path.level(lower), path.level(upper), x)
            noise = renoise(x, path.level(lower), path.level(upper), x + 1)
            variance, gain = float(step) ** 2 * variance + float(noise) ** 2, gain * float(step)
        ends = path.level(sigmas[0]), path.level(sigmas[-1])
        assert gain == pytest.approx(float(renoise(x + 1, *ends, x)), abs=1e-12)
        assert variance == pytest.approx(float(renoise(x, *ends, x + 1)) ** 2, abs=1e-12)


@pytest.mark.parametrize("path", [VE, FLOW, NoiseSchedule(Kind.FLOW, 1.7)])
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_a_step_down_and_up_again_ends_with_the_level_s_own_noise(path: NoiseSchedule, eta: float) -> None:
    down = path.ancestral_sigma_down(0.8, 0.5, eta)
    assert down == 0.5 if eta == 0 else down < 0.5
    lower, upper = path.level(down), path.level(0.5)
    gain = upper.signal / lower.signal
    added = renoise(torch.zeros(1).double(), lower, upper, torch.ones(1).double())
    assert (gain * lower.noise) ** 2 + float(added) ** 2 == pytest.approx(upper.noise**2, abs=1e-12)
    assert path.ancestral_sigma_down(0.8, 0.5, 1.0) == pytest.approx(0.5**2 / 0.8, abs=1e-12)


def observation_of(latent: torch.Tensor, mask: torch.Tensor) -> Observation:
    def noised(sigma: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
        return latent + sigma.reshape(-1, *[1] * (latent.ndim - 1)) * normal

    return Observation(latent, lambda _sigma: mask, noised)


def ran(latent: torch.Tensor, mask: torch.Tensor, seed: int = 1, **settings: float) -> torch.Tensor:
    """A run with a model that halves what it sees, from the seed's own start."""
    sigmas = torch.tensor([10.0, 5.0, 2.0, 1.0, 0.4, 0.1, 0.0])
    noise = NoiseSampler(seed, latent)
    start = latent + 10 * noise(-1.0, 0)
    options = Settings(2, 3, **settings)
    report = lambda *_: None  # noqa: E731
    model = lambda x, _sigma: x / 2  # noqa: E731
    return sample(
        model, start, sigmas, noise, report, known=observation_of(latent, mask), path=VE, settings=options
    )


SHAPES = [(2, 4, 5, 7), (1, 9, 3, 3), (3, 16, 4, 2), (2, 16, 3, 4, 5), (2, 1, 31)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_is_known_stays_and_the_rest_changes_in_latents_of_any_shape(shape: tuple[int, ...]) -> None:
    latent = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    mask = (torch.rand(shape, generator=torch.Generator().manual_seed(4)) > 0.5).float()
    out = ran(latent, mask)
    assert out.shape == latent.shape
    assert (out - latent)[mask == 0].abs().max() < 1e-5
    assert (out - latent)[mask == 1].abs().min() > 0
    everything = ran(latent, torch.zeros(shape))
    assert (everything - latent).abs().max() < 1e-5


def test_a_seed_gives_the_same_again_and_another_seed_another() -> None:
    latent, mask = torch.ones(2, 4, 5, 7), torch.ones(2, 4, 5, 7)
    assert torch.equal(ran(latent, mask), ran(latent, mask))
    assert (ran(latent, mask) - ran(latent, mask, seed=2)).abs().min() > 0


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    latent = torch.randn(3, 4, 5, 7, generator=torch.Generator().manual_seed(3))
    mask = (torch.rand(3, 4, 5, 7, generator=torch.Generator().manual_seed(4)) > 0.5).float()
    alone, together = ran(latent[:1], mask[:1]), ran(latent, mask)
    assert torch.equal(alone, together[:1])
    assert (together[0] - together[1])[(mask[0] * mask[1]) == 1].abs().min() > 0


def test_fresh_noise_is_normal_and_differs_by_seed_row_sigma_and_visit() -> None:
    like = torch.zeros(2, 4, 64, 64)
    noise = NoiseSampler(5, like)
    draws = torch.cat([noise(1.0, 0), noise(1.0, 1), noise(2.0, 0), NoiseSampler(6, like)(1.0, 0)]).flatten(1)
    assert torch.equal(draws[:2].reshape(like.shape), noise(1.0, 0))
    assert (draws.mean(1).abs() < 4 / 128).all() and ((draws.std(1) - 1).abs() < 4 / 128).all()
    alike = torch.corrcoef(draws) - torch.eye(len(draws))
    assert alike.abs().max() < 4.5 / 128


def test_the_model_is_asked_as_often_as_said_and_every_call_is_reported() -> None:
    seen: list[int] = []
    latent = torch.zeros(1, 1, 2, 2)
    sigmas = torch.tensor([4.0, 2.0, 1.0, 0.5, 0.0])
    settings = Settings(1, 3)

    def report(call: int, denoised: torch.Tensor, x: torch.Tensor) -> None:
        assert denoised.shape == x.shape == latent.shape
        seen.append(call)

    sample(
        lambda x, _sigma: x / 2,
        latent,
        sigmas,
        NoiseSampler(0, latent),
        report,
        known=observation_of(latent, torch.ones_like(latent)),
        path=VE,
        settings=settings,
    )
    assert seen == list(range(model_calls(plan(sigmas.tolist(), settings))))


def test_nan_from_the_model_is_an_error() -> None:
    latent = torch.zeros(1, 1, 2, 2)
    sigmas = torch.tensor([4.0, 2.0, 0.0])

    def model(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        return torch.where(sigma[0] > 3, torch.full_like(x, math.nan), x / 2)

    with pytest.raises(ValueError, match="NaN"):
        sample(
            model,
            latent,
            sigmas,
            NoiseSampler(0, latent),
            lambda *_: None,
            known=observation_of(latent, torch.ones_like(latent)),
            path=VE,
            settings=Settings(1, 1),
        )


@pytest.mark.parametrize("path", [VE, FLOW])
def test_jumps_keep_what_a_start_from_a_picture_holds(path: NoiseSchedule) -> None:
    """A normal number of variance 1, noised to 0.7 (denoise below 1): how it follows from its start is known."""
    begun, count = 0.7, 100_000
    ratio = path.level(begun).noise_to_signal
    sigmas = torch.linspace(begun, 0, 25).double()
    latent = torch.zeros(1, 1, count).double()
    noise = NoiseSampler(3, latent)
    level = path.level(begun)
    start = level.signal * noise(-1.0, 0) + level.noise * noise(-1.0, 1)

    def exact(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        at = path.level(float(sigma[0]))
        return at.signal / (at.signal**2 + at.noise**2) * x

    def slope(settings: Settings, keep: bool) -> float:
        out = sample(
            exact, start, sigmas, noise, lambda *_: None, path=path, settings=settings, keep=keep,
            known=observation_of(latent, torch.ones_like(latent)),
        )  # fmt: skip
        return float((out * start).mean() / (start * start).mean()) * level.signal

    wanted = 1 / (1 + ratio**2)
    for settings in (Settings(1, 1), Settings(4, 5), Settings(8, 3)):
        assert slope(settings, keep=True) == pytest.approx(wanted, abs=0.03), settings
    assert slope(Settings(4, 5), keep=False) < wanted - 0.1
