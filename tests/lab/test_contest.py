"""The contest of the samplers: its methods reproduce published numbers, its settings are the best."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from recompose.core.sampling import lagrange, repaint
from recompose.lab.evaluate.samplers import choice, gaussian, methods, report, sweep
from recompose.lab.evaluate.samplers import run as judge
from recompose.lab.evaluate.samplers.gaussian import FLOW, VE, A, B, C, CleanKnown, Gaussians, Guided
from recompose.lab.evaluate.samplers.methods import Langevin
from recompose.lab.evaluate.samplers.problems import TwoModes, picture_problems, sliced
from recompose.lab.places import RESULTS

ROOT = Path(__file__).resolve().parents[2]


def divergences(run: Any, draws: int) -> tuple[list[float], int]:
    world = Gaussians([A, B, C], VE, draws)
    moments = world.moments(run(world))
    return [
        each.divergence(problem.posterior()) for each, problem in zip(moments, (A, B, C), strict=True)
    ], world.calls


@pytest.mark.parametrize(
    ("settings", "published", "calls"),
    [
        (Langevin(5, 0.2, 5, constant=False), (0.092, 0.735, 0.696), 81),
        (Langevin(5, 0.2, 5, constant=True), (0.009, 0.266, 0.097), 115),
        (Langevin(10, 0.2, 5, constant=True), (0.003, 0.137, 0.051), 210),
    ],
)
def test_the_bidirectional_langevin_is_the_published_one(
    settings: Langevin, published: tuple[float, ...], calls: int
) -> None:
    """The published numbers were drawn, to some 5 %, and are rounded."""
    found, asked = divergences(lambda world: methods.langevin(world, "even", 20, settings), 30)
    assert asked == calls
    assert found == pytest.approx(published, rel=0.07, abs=0.001)


@pytest.mark.parametrize(
    ("improved", "wanted"), [(False, (0.0079, 0.170)), (True, (0.00074, 0.065))], ids=("own", "improved")
)
def test_the_inner_step_is_lanpaint_s_own_or_our_improved_one(
    improved: bool, wanted: tuple[float, ...]
) -> None:
    """LanPaint's own code was measured by drawing, to some 10 % on A, at settings beyond its nodes'."""
    settings = Langevin(5, 1.0, 150, constant=True, improved=improved)
    found, asked = divergences(lambda world: methods.langevin(world, "karras", 9, settings), 30)
    assert asked == 49
    assert found[:2] == pytest.approx(wanted, rel=0.1)


def test_lanpaint_is_held_to_what_its_nodes_can_be_set_to() -> None:
    fine = {"schedule": "karras", "inner": 3, "width": 1.0, "pull": 50}
    assert sweep.method("LanPaint", fine, 50) is not None
    for change in ({"width": 1.1}, {"pull": 51}):
        assert sweep.method("LanPaint", {**fine, **change}, 50) is None
        assert sweep.method("LanPaint, constant count", {**fine, **change}, 50) is not None


def test_the_guided_model_is_exact_and_so_is_its_truth() -> None:
    """By shifting the numbers: a prior with another mean is the same problem, seen from there."""
    world = Guided([A, B], VE, 1, 3.0)
    world.normal()
    x = world.latent + 2 * world.normal()
    once = torch.zeros_like(x)
    once[:, 0] = world.mean
    plain = Gaussians([A, B], VE, 1)
    answer = world.model(x, torch.tensor([0.7]))
    assert torch.allclose(answer, plain.model(x - once, torch.tensor([0.7])) + once)
    positive = world.unguided() if world.unguided else answer
    assert torch.allclose(answer - positive, (answer - plain.model(x, torch.tensor([0.7]))) * (2 / 3))
    assert world.mean == pytest.approx(0.9) and world.calls == 1
    assert world.truth(A).mean.tolist() == pytest.approx([0.9 + 0.9 * (1.5 - 0.9)])


def test_comfyui_s_noise_mask_is_the_published_one() -> None:
    found, _ = divergences(lambda world: methods.replaced(world, "even", 20), 3)
    assert found[0] == pytest.approx(1.418492, abs=1e-6)
    found, _ = divergences(lambda world: methods.replaced(world, "even", 20, fresh=True), 30)
    assert found[0] == pytest.approx(1.305667, abs=1e-6)


def test_many_problems_at_once_give_what_each_gives_alone() -> None:
    together, _ = divergences(lambda world: methods.lagrangian(world, "karras", 20, lagrange.Settings()), 30)
    sigmas = torch.tensor(methods.karras(VE, 20), dtype=torch.float64)
    alone = [
        gaussian.lagrange_moments(problem, VE, sigmas, lagrange.Settings()).divergence(problem.posterior())
        for problem in (A, B, C)
    ]
    assert together == pytest.approx(alone, rel=1e-6)


def test_fewer_rows_show_the_same_distribution() -> None:
    world = Gaussians([A, B], VE, 3)
    x = world.normal() + 2 * world.normal() @ B.covariance + world.latent
    before, after = world.moments(x), world.moments(world.settled(x))
    for one, other in zip(before, after, strict=True):
        assert torch.allclose(one.mean, other.mean)
        assert torch.allclose(one.covariance, other.covariance)


def clean_divergences(run: Any, path: Any, draws: int) -> list[float]:
    world = CleanKnown([A, B, C], path, draws)
    moments = world.moments(run(world))
    return [each.divergence(problem.posterior()) for each, problem in zip(moments, (A, B, C), strict=True)]


@pytest.mark.parametrize("path", [VE, FLOW])
def test_models_that_are_shown_known_cells_clean_are_answered_as_core_s_mask_does(path: Any) -> None:
    """Core's noise mask is right for such a model but for the width of its steps; so must ours be."""
    core = clean_divergences(lambda world: methods.replaced(world, "karras", 50), path, 3)
    assert max(core) < 0.02
    sampler = lambda world: methods.lagrangian(world, "inpaint", 50, lagrange.Settings())  # noqa: E731
    ours = clean_divergences(sampler, path, 60)
    assert max(ours) < 0.001 and all(off < other for off, other in zip(ours, core, strict=True))
    many = repaint.Settings(1, 1)
    again = clean_divergences(lambda world: methods.repainted(world, "karras", 300, many), path, 310)
    assert max(again) < 0.005


@pytest.mark.parametrize("path", [VE, FLOW])
def test_the_two_modes_denoiser_is_exact(path: Any) -> None:
    """By drawing: the mean of clean numbers that give nearly the same noisy first number."""
    world = TwoModes(path, 1, 0.8, (0.1, 0.0), 0)
    generator = torch.Generator().manual_seed(1)
    count, level = 400_000, path.level(0.4)
    signs = torch.randint(0, 2, (count, 1), generator=generator) * 2 - 1
    root = torch.linalg.cholesky(world.covariance)
    clean = 0.8 * signs + torch.randn(count, 4, generator=generator) @ root.T
    noisy = level.signal * clean + level.noise * torch.randn(count, 4, generator=generator)
    answer = world.model(noisy[None], torch.tensor([0.4]))[0]
    for low, high in ((-1.0, -0.5), (-0.2, 0.2), (0.5, 1.0)):
        band = (noisy[:, 0] > low) & (noisy[:, 0] < high)
        assert answer[band].mean(0).tolist() == pytest.approx(clean[band].mean(0).tolist(), abs=0.01)


def test_the_chosen_setting_is_the_best_and_never_on_an_edge(tmp_path: Path, monkeypatch: Any) -> None:
    """A score that is least at width 5 and pull 7 outside of the grid is found by extending it."""

    def of(self: Any, name: str, settings: dict, calls: int) -> float:
        off = abs(math.log(settings["width"] / 5)) + abs(math.log(settings["pull"] / 70))
        return 0.1 + off + 0.1 * settings["inner"]

    monkeypatch.setattr(choice.Scores, "of", of)
    found = choice.best("improved LanPaint", 50, choice.Scores(tmp_path / "scores"))
    assert found["inner"] == 1
    assert 4 < found["width"] < 6.5
    assert 50 < found["pull"] < 100
    near = {"schedule": "karras", "inner": 2, "width": 0.7, "pull": 20}
    found = choice.best("LanPaint, constant count", 100, choice.Scores(tmp_path / "scores"), near)
    assert found["inner"] == 1 and 4 < found["width"] < 6.5 and 50 < found["pull"] < 100
    assert choice.goes_on("LanPaint", 100) and not choice.goes_on("improved LanPaint", 100)


def test_a_sweep_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "scores"
    first = choice.Scores(path).of("noise mask", {"schedule": "even"}, 10)
    with path.open("a") as file:
        file.write('{"what": "torn by a ki')
    monkeypatch.setattr(sweep, "score", lambda *_: pytest.fail("scored again"))
    assert choice.Scores(path).of("noise mask", {"schedule": "even"}, 10) == first


def test_no_method_asks_more_often_than_it_may() -> None:
    for name, axes in sweep.GRIDS.items():
        settings = {axis: values[0] for axis, values in axes.items()}
        found = sweep.method(name, settings, 50)
        assert found is not None
        world = Gaussians([A], VE, found[2])
        found[0](world)
        assert 40 < world.calls <= 50, name


def test_sliced_distance_of_what_is_shifted_is_the_shift() -> None:
    truth = picture_problems()["half"].posterior()
    moved = gaussian.Moments(truth.mean + 1, truth.covariance)
    count = len(truth.mean)
    assert sliced(truth, truth) == pytest.approx(0, abs=1e-9)
    assert sliced(moved, truth) == pytest.approx(1, rel=0.25)
    wide = gaussian.Moments(truth.mean, 4 * truth.covariance)
    trace = math.sqrt(float(torch.trace(truth.covariance)) / count)
    assert sliced(wide, truth) == pytest.approx(trace, rel=0.25)


def test_the_page_says_what_was_measured() -> None:
    rows = json.loads((RESULTS / "samplers.json").read_text())
    text = (ROOT / "docs" / "samplers.md").read_text()
    assert report.page(rows, text) == text
    for name, draw in report.CURVES.items():
        assert draw(rows) == (ROOT / "docs" / "pictures" / name).read_text()


def test_a_curve_goes_through_what_was_measured() -> None:
    rows = json.loads((RESULTS / "samplers.json").read_text())
    panel = report.Panel(1, report.PERCENT)
    assert panel.y(0) == panel.bottom and panel.y(10) == pytest.approx((panel.y(0) + panel.y(20)) / 2)
    ours = [row for row in rows if row["method"] == report.OURS]
    points = " ".join(
        f"{panel.x(row['calls']):.1f},{panel.y(100 * abs(row['eps']['modes'][1])):.1f}" for row in ours
    )
    assert points in report.mode_curves(rows) and len(ours) == len(sweep.BUDGETS)


def test_ours_is_still_as_good_as_the_page_says() -> None:
    rows = json.loads((RESULTS / "samplers.json").read_text())
    said = next(row for row in rows if row["method"] == report.OURS and row["calls"] == 50)
    found = sweep.method(report.OURS, said["settings"], 50)
    assert found is not None
    for label, path in judge.PATHS.items():
        assert judge.gaussians(found[0], found[2], path) == pytest.approx(said[label]["kl"], rel=1e-3)


def test_a_jump_that_fits_nowhere_is_left_out() -> None:
    assert sweep.repaint_calls(3, repaint.Settings(16, 2)) == 0
    assert sweep.method("RePaint", {"schedule": "even", "jump_length": 64, "resamplings": 2}, 50) is None
