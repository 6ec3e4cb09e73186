"""The study of samplers on pictures: its holes, its model, its measures and its page, by known answers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from recompose.lab import start
from recompose.lab.commands import bench as command
from recompose.lab.evaluate.evaluator import Seen
from recompose.lab.evaluate.pictures import metrics, tasks
from recompose.lab.places import DOCS, RESULTS
from recompose.lab.setup.environment import Environment
from recompose.lab.toy.world.labels import OBJECTS


@pytest.mark.parametrize("kind", tasks.COUNT)
def test_holes_are_what_they_are_called(kind: str) -> None:
    for one in tasks.tasks(kind, 6):
        hole, shares = one.hole, one.hole.mean()
        assert hole.shape == one.example.image.shape[:2] and hole.any() and not hole.all()
        assert np.array_equal(one.cells.repeat(8, 0).repeat(8, 1) & hole, hole)
        if kind == "outpaint":
            assert hole[-1].all() and not hole[0].any()
        elif kind == "box":
            assert 0.1 < shares < 0.26 and hole.sum() == hole.any(0).sum() * hole.any(1).sum()
        elif kind == "half":
            assert shares == 0.5
        elif kind == "strokes":
            assert 0.05 < shares < 0.4
        else:
            thing = max(
                (one.example.masks[name] for name in OBJECTS if name in one.example.masks), key=np.sum
            )
            assert hole[thing].all() and shares < 0.5
            assert not any(name in one.words for name in OBJECTS if name != "box")
            assert one.words in one.example.caption


def test_a_task_is_the_same_every_time_and_its_seeds_are_its_own() -> None:
    seeds = [one.seed for kind in tasks.COUNT for one in tasks.tasks(kind)]
    assert len(set(seeds)) == len(seeds) == 260
    first, again = (tasks.tasks("box", 2) for _ in range(2))
    assert all(np.array_equal(a.hole, b.hole) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].hole, first[1].hole)


def seen(top: np.ndarray) -> Seen:
    nothing = np.zeros_like(top)
    return Seen(np.zeros((24, 3)), 2, {"hair": nothing, "top": top, "bottom": nothing, "shoes": nothing})


def test_a_colour_that_changes_across_the_seam_is_found() -> None:
    hole, image = np.zeros((40, 20), bool), np.full((40, 20, 3), 119, np.uint8)
    hole[20:] = True
    everywhere = np.ones_like(hole)

    def found(true: np.ndarray) -> list[float]:
        one = SimpleNamespace(hole=hole, example=SimpleNamespace(masks={"top": true}))
        return metrics.continuity(cast(Any, one), image)

    assert found(everywhere) == [0.0]
    image[28:] = 0  # what begins a cell below the seam may be something else
    assert found(everywhere) == [0.0]
    image[20:] = 0
    assert found(everywhere) == [pytest.approx(50, abs=0.5)]  # L* of 119 is 50
    assert found(hole) == found(~hole) == []  # it never crossed the seam


def test_true_garments_read_as_going_on_and_dyed_ones_do_not() -> None:
    found: dict[str, list[float]] = {"true": [], "dyed": []}
    for one in tasks.tasks("outpaint", 30):
        dyed = np.where(one.hole[..., None], one.example.image[..., ::-1], one.example.image)
        found["true"] += metrics.continuity(one, one.example.image)
        found["dyed"] += metrics.continuity(one, dyed)
    assert len(found["true"]) > 20 and np.mean(found["true"]) < 3 and max(found["true"]) < 10
    assert np.mean(found["dyed"]) > 20


def test_the_true_picture_reads_right_and_a_grey_hole_does_not() -> None:
    one = tasks.tasks("outpaint", 1)[0]
    right = metrics.measured(one, one.example.image, seen(one.hole))
    assert right["changed_pixels"] == 0 and right["step_excess"] == 0
    grey = np.where(one.hole[..., None], np.uint8(128), one.example.image)
    wrong = metrics.measured(one, grey, seen(one.hole))
    assert wrong["changed_pixels"] == 0 and wrong["seam_ratio"] > 2 * right["seam_ratio"]
    other = one.example.image.copy()
    other[0, :3] += 1
    assert metrics.measured(one, other, seen(one.hole))["changed_pixels"] == 3


def test_painted_features_are_compared_with_the_true_ones_by_their_kernel_distance(
    comfy: ModuleType, torchmetrics: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recompose.lab.evaluate.pictures import run

    monkeypatch.setattr(run, "Painter", lambda: None)
    study = run.Study(tmp_path, {method: {} for method in run.METHODS})
    study.tasks = {"box": tasks.tasks("box", 2), "half": tasks.tasks("half", 1)}
    features = {run.TRUE: [[0.0], [3.0]]} | {method: [[1.0], [2.0]] for method in run.METHODS}
    features[run.OURS] = [[0.0], [3.0]]
    monkeypatch.setattr(study, "pictures", lambda kind, method: method)
    monkeypatch.setattr(study.judge, "features", lambda name: np.array(features[name], np.float32))
    found = study.kernel_distances()
    # Between different pictures k(1, 2) = 27 and k(0, 3) = 1; across the sets 1, 64, 1 and 343.
    assert found["box"]["RePaint"] == pytest.approx(27 + 1 - 2 * (1 + 64 + 1 + 343) / 4)
    # Unbiased, so a set lies below 0 from itself: across there are k(0, 0) = 1 and k(3, 3) = 1000 as well.
    assert found["box"][run.OURS] == pytest.approx(1 + 1 - 2 * (1 + 1 + 1 + 1000) / 4)
    assert set(found["half"].values()) == {None}


def test_without_the_library_nothing_is_painted(
    comfy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from recompose.lab.evaluate import set_distances
    from recompose.lab.evaluate.pictures import bench, run

    monkeypatch.setattr(run, "Painter", lambda: None)
    monkeypatch.setattr(run.Study, "paint", lambda *_: pytest.fail("it painted"))
    monkeypatch.setattr(set_distances.importlib.util, "find_spec", lambda name: None)
    environment = Environment(Path(sys.executable), Path(os.environ["COMFYUI_PATH"]), tmp_path)
    assert bench.main(["--pictures", "2", "--docs", str(tmp_path)], environment) == 1
    assert capsys.readouterr().err == (
        "bench pictures: Expected the library torchmetrics for the kernel distance, got none; "
        "install it with `python -m pip install torchmetrics torch-fidelity`.\n"
    )


def test_the_command_has_the_library_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(str(command.__file__))
    assert start.constant(path, "OVERLAYS") == command.OVERLAYS == ("torchmetrics",)
    monkeypatch.setattr(sys, "path", [*sys.path])
    seen: list[list[str]] = []
    part = SimpleNamespace(main=lambda arguments, environment: seen.append([*sys.path]) or 0)
    monkeypatch.setattr(command.importlib, "import_module", lambda *_: part)
    sites = {"torchmetrics": tmp_path / "site"}
    environment = Environment(Path(sys.executable), tmp_path, tmp_path, overlays=sites)
    assert command.main(["pictures"], environment) == 0
    assert seen[0][-1] == str(tmp_path / "site")


def test_every_method_paints_within_its_calls_and_alike_in_any_company(
    comfy: ModuleType, monkeypatch: Any
) -> None:
    from recompose.lab.evaluate.pictures import latent_problem as painted
    from recompose.lab.evaluate.pictures import run
    from recompose.lab.evaluate.samplers import sweep
    from recompose.lab.toy.pipeline import Painter

    chosen, painter = run.settings(run.committed()), Painter()
    assert set(run.METHODS) <= set(chosen)
    some = tasks.tasks("box", 12)
    some = [one for one in some if one.hole.shape == some[0].hole.shape][:2]
    assert len(some) == 2
    monkeypatch.setattr(painted, "CALLS", 8)
    for method in ("noise mask", "differential", "Lagrange"):
        found = sweep.method(method, chosen[method], 8)
        assert found is not None
        both, calls = painted.paint(painter, some, False, found[0])
        alone, _ = painted.paint(painter, some[1:], False, found[0])
        assert calls == 8
        assert np.abs(both[1].astype(int) - alone[0]).max() <= 2, method
        for one, image in zip(some, both, strict=True):
            assert np.array_equal(image[~one.hole], one.example.image[~one.hole])
            assert not np.array_equal(image[one.hole], one.example.image[one.hole])


def test_the_model_is_the_networks_clean_picture(comfy: ModuleType) -> None:
    from recompose.lab.evaluate.pictures import latent_problem as painted
    from recompose.lab.toy.models import diffusion
    from recompose.lab.toy.pipeline import Painter

    world = painted.Painted(Painter(), tasks.tasks("outpaint", 1), True)
    noise = torch.randn(world.latent.shape, generator=torch.Generator().manual_seed(1))
    kept = diffusion.alphas_bar()[200]
    sigma = ((1 - kept) / kept).sqrt()
    with torch.inference_mode():
        found = world.model(world.latent + sigma * noise, sigma[None])
    # little noise, and the picture itself to look at: much closer to the true latents than what it was given
    assert (found - world.latent).square().mean() < 0.3 * (sigma * noise).square().mean()


def test_the_softer_the_mask_the_more_of_a_picture_is_painted_anew(comfy: ModuleType) -> None:
    from recompose.core.sampling import lagrange
    from recompose.lab.evaluate.pictures import latent_problem as painted
    from recompose.lab.evaluate.samplers import methods
    from recompose.lab.toy.pipeline import Painter

    painter, moved = Painter(), []
    for value in (0.0, 0.05, 0.25, 0.5, 0.75, 1.0):
        world = painted.Painted(painter, tasks.tasks("box", 1), False)
        hole, world.mask = world.mask > 0, value * world.mask
        with torch.inference_mode():
            latent = methods.lagrangian(world, "karras", 25, lagrange.Settings())
        off = (latent - world.latent).abs()
        moved.append(float(off[hole.expand_as(off)].mean()))
        assert off[~hole.expand_as(off)].max() < 1e-5
    assert moved == sorted(set(moved)) and moved[0] < 1e-5 < 0.02 < moved[1]


def test_the_page_says_each_method_of_each_kind(comfy: ModuleType) -> None:
    from recompose.lab.evaluate.pictures import report, run

    row = {
        "feet": 1, "distances": [0.05, None], "seam_ratio": 1.25, "step_excess": -2.0,
        "continuity": [4.0, 6.0], "changed_pixels": 0, "calls": 50, "seconds": 3.5,
    }  # fmt: skip
    rows = [
        row | {"kind": kind, "by": method, "seed": seed}
        for kind in run.KINDS
        for method in run.METHODS
        for seed in range(5)
    ]
    true = {name: value for name, value in row.items() if name not in ("calls", "seconds")} | {"feet": 0}
    rows += [true | {"kind": kind, "by": run.TRUE, "seed": seed} for kind in run.KINDS for seed in range(5)]
    page = report.page(rows, {kind: dict.fromkeys(run.METHODS, 2.1) for kind in run.KINDS})
    assert page.count("(5 pictures)") == len(run.KINDS)
    assert "| Lagrange | 100% | 50% | 1.25 | 2.00 | 5.0 | 0 | 50 | 3.5 | 2.1 |" in page
    assert "| true picture | 0% | 50% | 1.25 | 2.00 | 5.0 | 0 |  |  |  |" in page
    assert "| Lagrange − RePaint | 0% (0% … 0%) | 0% (0% … 0%) | 0.00 (0.00 … 0.00) |" in page


def test_a_difference_counts_only_pictures_that_both_have_and_is_bold_where_it_is_sure(
    comfy: ModuleType,
) -> None:
    from recompose.lab.evaluate.pictures import report

    feet = {"Lagrange": dict.fromkeys(range(6), 1), "RePaint": {**dict.fromkeys(range(5), 0), 9: 1}}
    rows = [{"by": by, "seed": seed, "x": x} for by, found in feet.items() for seed, x in found.items()]
    take = report.difference(rows, "RePaint", lambda row: row["x"], report.Statistic.MEAN, "{:.0f}")
    assert take == "**1 (1 … 1)**"
    few = [row for row in rows if row["seed"] > 0]
    assert report.difference(few, "RePaint", lambda row: row["x"], report.Statistic.MEAN, "{:.0f}") == ""


def test_only_what_would_come_out_otherwise_is_painted_again(
    comfy: ModuleType, tmp_path: Any, monkeypatch: Any
) -> None:
    from recompose.lab.evaluate.pictures import run
    from recompose.lab.evaluate.pictures.bench import written

    monkeypatch.setattr(run, "Painter", lambda: None)
    one = tasks.tasks("box", 1)[0]
    painted: list[str] = []

    def paint_some(self: Any, kind: str, method: str, some: list[Any]) -> None:
        painted.append(method)
        for task in some:
            image = task.example.image.copy()
            image[~task.hole & (np.arange(image.shape[1]) < run.METHODS.index(method))] ^= 1
            run.Image.fromarray(image).save(self.image(kind, method, task))
            self.journal.add(
                {"kind": kind, "seed": task.seed, "by": method, "calls": 50,
                 "version": self.versions[method], "seconds": 1.5}
            )  # fmt: skip

    monkeypatch.setattr(run.Study, "paint_some", paint_some)
    chosen = {method: {} for method in run.METHODS}

    def study(folder: str, **changed: Any) -> dict[str, Any]:
        painted.clear()
        made = run.Study(tmp_path / folder, chosen | changed.get("chosen", {}), kept=changed.get("kept"))
        made.tasks = {"box": [one]}
        made.paint(lambda line: None)
        return json.loads(written(made.data()))

    first = study("a")
    assert set(first["kernel distances"]["box"].values()) == {None}  # of one picture there is none
    assert painted == list(run.METHODS)
    assert [row["by"] for row in first["rows"]] == [run.TRUE, *painted]
    expected = [int((~one.hole)[:, :count].sum()) for count in range(len(run.METHODS))]
    assert [row["changed_pixels"] for row in first["rows"]] == [0, *expected]
    assert {row["seconds"] for row in first["rows"][1:]} == {1.5}
    assert study("a") == first and painted == []
    assert study("b", kept=first) == first and painted == []
    again = study("c", kept=first, chosen={"RePaint": {"jump_length": 3}})
    assert painted == ["RePaint"] and again["rows"] == first["rows"]
    assert study("a", chosen={"RePaint": {"jump_length": 3}}) == again and painted == ["RePaint"]
    study("d", kept=first | {"measured by": "another judge"})
    assert painted == list(run.METHODS)


def test_rows_are_stamped_anew_only_where_a_share_of_them_comes_out_the_same(
    comfy: ModuleType, torchmetrics: Path, tmp_path: Any, monkeypatch: Any
) -> None:
    from recompose.lab.evaluate.pictures import again, bench, run

    monkeypatch.setattr(run, "Painter", lambda: None)
    asked: list[tuple[str, int]] = []
    spoiled: set[str] = set()

    def painted(self: Any, kind: str, method: str, some: list[Any]) -> tuple[list[np.ndarray], int]:
        asked.append((method, len(some)))
        images = [one.example.image.copy() for one in some]
        for image in images if method in spoiled else ():
            image[0, 0] ^= 1
        return images, 50

    monkeypatch.setattr(run.Study, "painted", painted)
    study = run.Study(tmp_path, {method: {} for method in run.METHODS})
    study.tasks = {"box": tasks.tasks("box", 6)}
    study.paint(lambda line: None)
    path, kept = tmp_path / "rows.json", json.loads(bench.written(study.data())) | {"versions": {}}
    path.write_text(bench.written(kept))
    asked.clear()
    assert again.again(study, kept, 0.4) == []
    for method in run.METHODS:
        assert 3 <= sum(count for name, count in asked if name == method) <= 6
    assert bench.stamp([], kept, study, path) == 0
    stamped = json.loads(path.read_text())
    assert stamped == kept | {"versions": study.versions}
    spoiled.add("RePaint")
    different = again.again(study, kept, 0.1)
    assert different and all(line.startswith("box, RePaint, seed 10") for line in different)
    before = path.read_bytes()
    assert bench.stamp(different, kept, study, path) == 1 and path.read_bytes() == before


def test_the_page_in_the_docs_shows_the_committed_rows(comfy: ModuleType) -> None:
    from recompose.lab.evaluate.pictures import report

    data = json.loads((RESULTS / "samplers_pictures.json").read_text(encoding="utf-8"))
    page = (DOCS / "samplers_pictures.md").read_text(encoding="utf-8")
    assert report.page(data["rows"], data["kernel distances"]) == page
