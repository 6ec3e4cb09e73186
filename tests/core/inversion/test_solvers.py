"""The solvers on normal data, where every step is one factor, and beside diffusers' own inversion."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType

import pytest
import torch
from recompose.core.inversion import solvers
from torch import Tensor

VARIANCES = (0.25, 1.0, 4.0)
ALPHAS = (1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2).cumprod(0)
ONE = torch.ones(1, 1, dtype=torch.float64)


def sigma_of(step: int) -> float:
    return math.sqrt((1 - float(ALPHAS[step])) / float(ALPHAS[step]))


LEADING = [sigma_of(step) for step in range(0, 1000, 20)]
UNIFORM = [step / 28 for step in range(29)]
SHIFTED = [3 * share / (1 + 2 * share) for share in (step / 8 for step in range(9))]


def exploding(variance: float) -> solvers.Slope:
    """The exact slope of normal data: E[noise | x] of x = clean + sigma · noise."""
    return lambda x, sigma: x * sigma / (variance + sigma**2)


def flow(variance: float) -> solvers.Slope:
    """The same for x = (1 - u) · clean + u · noise: E[noise - clean | x]."""
    return lambda x, u: x * (u - (1 - u) * variance) / ((1 - u) ** 2 * variance + u**2)


def last(states: Iterator[Tensor]) -> float:
    *_, end = states
    return float(end)


def euler_back(slope: solvers.Slope, end: float, levels: list[float]) -> float:
    return last(solvers.fixed_point(slope, end * ONE, levels[::-1], 0))


def of_euler(up: Callable, slope: solvers.Slope, levels: list[float]) -> tuple[float, float]:
    """Gain of the way up and Euler's way back, and the gain of the way up alone."""
    end = last(up(slope, ONE, levels))
    return euler_back(slope, end, levels), end


def of_itself(up: Callable, slope: solvers.Slope, levels: list[float]) -> tuple[float, float]:
    """The same for a one-state solver that also makes the way back."""
    end = last(up(slope, ONE, levels))
    return last(up(slope, end * ONE, levels[::-1])), end


def of_belm(slope: solvers.Slope, levels: list[float]) -> tuple[float, float]:
    states = list(solvers.o_belm(slope, ONE, levels))
    return last(solvers.leapfrog(slope, states[-1], states[-2], levels[::-1])), float(states[-1])


def fixed(iterations: int) -> Callable:
    return partial(solvers.fixed_point, iterations=iterations)


published = partial(solvers.ddim, exploding=True)
# Round-trip gain and end of the way up over the ideal one, for data of variance 0.25, 1 and 4.
EXPLODING: dict[str, tuple[Callable, list[float], list[float]]] = {
    "reversed sigmas": (
        partial(of_euler, fixed(0)),
        [0.903040487, 0.946130750, 0.958623372],
        [0.950284, 0.972693, 0.979093],
    ),
    "DDIM": (
        partial(of_euler, published),
        [0.962604173, 0.999173389, 1.019773215],
        [1.012964, 1.027224, 1.041549],
    ),
    "fixed point 1": (partial(of_euler, fixed(1)), [0.994928601, 0.998348299, 0.998414311], []),
    "fixed point 2": (partial(of_euler, fixed(2)), [0.999738228, 0.999926155, 0.999903999], []),
    "fixed point 3": (partial(of_euler, fixed(3)), [0.999986173, 0.999995605, 0.999993046], []),
    "O-BELM": (of_belm, [1.0, 1.0, 1.0], [0.979763, 0.992547, 0.996199]),
}
FLOW: dict[str, tuple[Callable, list[float]]] = {
    "Euler": (partial(of_euler, fixed(0)), [0.899501982, 0.912237557, 0.899501982]),
    "midpoint": (partial(of_itself, solvers.midpoint), [0.999978768, 0.999987267, 0.999978768]),
    "FireFlow": (partial(of_itself, solvers.firefly), [0.999829233, 0.999902008, 0.999829233]),
    "fixed point 3": (partial(of_euler, fixed(3)), [0.999997554, 0.999999850, 1.000001736]),
    "O-BELM": (of_belm, [1.0, 1.0, 1.0]),
}


@pytest.mark.parametrize(("run", "gains", "ends"), EXPLODING.values(), ids=EXPLODING)
def test_the_gains_of_normal_data_under_noise_are_the_closed_ones(
    run: Callable, gains: list[float], ends: list[float]
) -> None:
    found = [run(exploding(variance), LEADING) for variance in VARIANCES]
    # The table has nine digits.
    assert [gain for gain, _ in found] == pytest.approx(gains, abs=1e-9)
    ideal = [math.sqrt((v + LEADING[-1] ** 2) / (v + LEADING[0] ** 2)) for v in VARIANCES]
    shares = [end / whole for (_, end), whole in zip(found, ideal, strict=True)]
    assert not ends or shares == pytest.approx(ends, abs=1e-6)


@pytest.mark.parametrize(("iterations", "least", "most"), [(5, 2e-8, 5e-8), (10, 0, 1e-12)])
def test_a_fixed_point_closes_in_on_the_exact_inverse(iterations: int, least: float, most: float) -> None:
    for variance in VARIANCES:
        gain, _ = of_euler(fixed(iterations), exploding(variance), LEADING)
        assert least <= 1 - gain <= most


@pytest.mark.parametrize(("run", "gains"), FLOW.values(), ids=FLOW)
def test_the_gains_of_normal_data_in_a_flow_are_the_closed_ones(run: Callable, gains: list[float]) -> None:
    assert [run(flow(variance), UNIFORM)[0] for variance in VARIANCES] == pytest.approx(gains, abs=1e-9)


def test_eight_shifted_steps_of_a_flow() -> None:
    firefly = [of_itself(solvers.firefly, flow(variance), SHIFTED)[0] for variance in VARIANCES]
    euler = [of_euler(fixed(0), flow(variance), SHIFTED)[0] for variance in VARIANCES]
    assert firefly == pytest.approx([0.9767, 0.9851, 0.9906], abs=5e-5)
    assert euler == pytest.approx([0.4628, 0.6317, 0.7118], abs=5e-5)


def network(x: Tensor, sigma: float) -> Tensor:
    """A slope like a model's, x / sigma where noise is all; nothing linear, and cells hang on neighbours."""
    kept = 1 / math.sqrt(1 + sigma**2)
    wave = torch.tanh(2 * kept * (x.roll(1, -1) - 0.4 * x.roll(1, -2)) + math.cos(sigma))
    return sigma * kept**2 * x + 0.5 * kept * wave


def picture(dtype: torch.dtype = torch.float64, rows: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(rows, 3, 5, 7, generator=generator, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("levels", [LEADING, UNIFORM], ids=["noise", "flow"])
def test_o_belm_comes_back_from_any_slope(levels: list[float], dtype: torch.dtype, bound: float) -> None:
    clean = picture(dtype)
    states = [clean, *solvers.o_belm(network, clean, levels)]
    *_, found = solvers.leapfrog(network, states[-1], states[-2], levels[::-1])
    assert len(states) == len(levels) and found.dtype == dtype
    assert float((found - clean).abs().mean() / clean.abs().mean()) < bound


def test_a_single_step_of_o_belm_is_eulers() -> None:
    clean = picture()
    (end,) = solvers.o_belm(network, clean, [0.5, 0.75])
    torch.testing.assert_close(end, clean + 0.25 * network(clean, 0.5), rtol=0, atol=1e-15)
    assert list(solvers.leapfrog(network, end, clean, [0.75, 0.5])) == []


CALLS = {
    "fixed point": (fixed(3), 4 * 28),
    "O-BELM": (solvers.o_belm, 28),
    "midpoint": (solvers.midpoint, 56),
    "FireFlow": (solvers.firefly, 29),
    "DDIM": (published, 28),
}


@pytest.mark.parametrize(("up", "calls"), CALLS.values(), ids=CALLS)
def test_the_number_of_calls(up: Callable, calls: int) -> None:
    seen: list[float] = []

    def counted(x: Tensor, sigma: float) -> Tensor:
        seen.append(sigma)
        return network(x, sigma)

    assert len(list(up(counted, picture(), UNIFORM))) == 28
    assert len(seen) == calls


def test_rows_settle_on_their_own() -> None:
    clean, heard = picture(rows=3), []
    clean[1] *= 1e-3
    settle = partial(solvers.fixed_point, iterations=40, tolerance=1e-6)
    *_, whole = settle(network, clean, LEADING[:6], hear=heard.append)
    for row in range(3):
        *_, alone = settle(network, clean[row : row + 1], LEADING[:6])
        torch.testing.assert_close(whole[row : row + 1], alone, rtol=0, atol=1e-14)
    assert len(heard) == 5 and 0 < max(heard) < 1e-6


def test_what_a_fixed_point_leaves_undone_is_heard() -> None:
    few, many = [], []
    list(solvers.fixed_point(network, picture(), [0.0, 0.5], 1, hear=few.append))
    list(solvers.fixed_point(network, picture(), [0.0, 0.5], 8, hear=many.append))
    assert len(few) == len(many) == 1 and many[0] < few[0] / 10


def test_ddim_inversion_equals_diffusers_on_its_own_network(diffusers: ModuleType) -> None:
    theirs = diffusers.DDIMInverseScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False,
        set_alpha_to_one=False, timestep_spacing="leading",
    )  # fmt: skip
    theirs.set_timesteps(10)
    # Their numbers in double precision, so that only the method can differ.
    theirs.alphas_cumprod, theirs.initial_alpha_cumprod = ALPHAS, ALPHAS[0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        unet = diffusers.UNet2DModel(
            sample_size=4, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(32, 32),
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        ).eval()  # fmt: skip

    # An untrained network hardly hears of the step.
    with torch.no_grad():
        for name, weights in unet.named_parameters():
            if "time_emb_proj" in name:
                weights.mul_(1000)

    def noise(x: Tensor, step: int) -> Tensor:
        """The network's answer, loud enough for its input to matter."""
        with torch.inference_mode():
            return 10 * unet(x.float(), torch.tensor(step)).sample.double()

    clean, steps = picture()[..., :4, :4], [int(step) for step in theirs.timesteps]
    x = clean
    for step in steps:
        x = theirs.step(noise(x, step), step, x).prev_sample
    # Their first step stays where it is: both of its ends have the alpha of step 0.
    assert steps[0] == 0
    levels = [sigma_of(step) for step in steps]
    step_of = dict(zip(levels, steps, strict=True))

    def slope(given: Tensor, sigma: float) -> Tensor:
        return noise(given / math.sqrt(1 + sigma**2), step_of[sigma])

    up, down = math.sqrt(1 + levels[0] ** 2), math.sqrt(1 + levels[-1] ** 2)
    *_, end = solvers.ddim(slope, clean * up, levels, True)
    assert float((end / down - x).abs().max()) < 1e-5
    *_, other = solvers.fixed_point(slope, clean * up, levels, 0)
    assert float((other / down - x).abs().max()) > 1e-3
