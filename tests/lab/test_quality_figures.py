"""Bootstrap, figures, what counts as fallen, the page and the sheet, on known rows."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.lab.evaluate import bootstrap
from recompose.lab.evaluate.bootstrap import Statistic
from recompose.lab.evaluate.main_job import calibration, completion, report, sheet, statistics


def row(seed: int, method: str, **changes: object) -> dict:
    """A faultless result."""
    return {
        "seed": seed,
        "method": method,
        "family": ("standing", "sitting")[seed % 2],
        "changed_pixels": 0,
        "seam_ratio": 1.0 + 0.01 * (seed % 10),
        "step_excess": 0.1 * (seed % 7) - 0.3,
        "feet": 2,
        "true_feet": 2,
        "to_completed": [0.01, 0.02],
        "to_true": [0.03, 0.08],
        "completed_to_true": [0.04, 0.07],
        "seconds": 5.0,
        **changes,
    }


def everything(pictures: int = 40, **changes: object) -> list[dict]:
    rows = []
    for seed in range(pictures):
        rows += [
            row(seed, "a1", changed_pixels=900, feet=seed % 2),
            row(seed, "a2", seam_ratio=2.0 + seed / 40),
        ]
        rows += [row(seed, "b", to_completed=[None, 0.2]), row(seed, "c", **changes)]
    return rows


def test_the_interval_of_a_known_sample() -> None:
    """The mean of n ones and n zeros has a standard error of 0.5/√(2n); the interval is 1.96 of them."""
    found = bootstrap.interval([0.0, 1.0] * 200)
    assert found.value == 0.5
    assert found.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.004)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.004)
    assert found == bootstrap.interval([0.0, 1.0] * 200)


@pytest.mark.parametrize("statistic", Statistic)
def test_many_pictures_are_resampled_in_parts(statistic: Statistic, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=301).tolist()
    whole = bootstrap.interval(values, statistic)
    monkeypatch.setattr(bootstrap, "LARGEST", 7 * 301 + 5)
    assert bootstrap.interval(values, statistic) == whole


def test_the_median_does_not_follow_a_few_wild_readings() -> None:
    values = [1.0] * 90 + [500.0] * 10
    assert bootstrap.interval(values, Statistic.MEDIAN) == (1, 1, 1)
    assert bootstrap.interval(values).value == pytest.approx(50.9)


def test_a_paired_difference_excludes_zero_where_two_apart_ones_do_not() -> None:
    base = np.random.default_rng(3).normal(0, 10, 60)
    found = bootstrap.paired(base + 1 + 0.1 * np.cos(base), base)
    assert found.value == pytest.approx(1, abs=0.1) and found.excludes_zero
    one, other = bootstrap.interval(base + 1), bootstrap.interval(base)
    assert one.low < other.high
    assert not bootstrap.paired(base, base).excludes_zero


def test_nothing_has_no_interval_and_pairs_must_match() -> None:
    with pytest.raises(ValueError, match="at least one"):
        bootstrap.interval([])
    with pytest.raises(ValueError, match="3 and 2"):
        bootstrap.paired([1, 2, 3], [1, 2])


def test_the_figures_of_known_rows() -> None:
    found = statistics.figures(everything())
    assert list(found) == ["a1", "a2", "b", "c", "completed"]
    assert found["a1"]["changed_pixels"] == (900, 900, 900)
    assert found["a1"]["feet_right"].value == 0 and found["c"]["feet_right"].value == 1
    assert found["c"]["true_05"].value == 0.5 and found["c"]["true_10"].value == 1
    assert found["b"]["completed_10"].value == 0
    assert found["completed"]["true_05"].value == 0.5
    assert found["c"]["step_error"].value > abs(found["c"]["step_excess"].value)


def test_a_difference_takes_only_pictures_that_both_have() -> None:
    rows = everything(10)[:-1]
    found = statistics.difference(rows, "c", "b", "completed_10")
    assert found == (1, 1, 1) and found.excludes_zero
    assert statistics.difference(rows, "c", "a2", "feet_right").excludes_zero is False


def test_the_same_rows_have_not_fallen() -> None:
    assert statistics.fallen(everything(), everything()) == []
    assert statistics.fallen(everything(), []) == []


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"changed_pixels": 1}, "changed pixels"),
        ({"seam_ratio": 1.3}, "R, median"),
        ({"step_excess": 2.0}, "the same, absolute"),
        ({"feet": 1}, "feet right"),
        ({"to_completed": [0.2, 0.01]}, "PCK@0.05, completed"),
        ({"to_true": [None, None]}, "PCK@0.1, true"),
    ],
    ids=lambda value: str(value),
)
def test_a_fallen_figure_is_named(changes: dict, column: str) -> None:
    found = statistics.fallen(everything(**changes), everything())
    assert any(sentence.startswith(f"c, {column}:") for sentence in found)
    assert statistics.fallen(everything(), everything(**changes)) == []


def test_other_methods_and_seconds_may_get_worse() -> None:
    worse = [one | {"seconds": 99.0} | ({"feet": 0} if one["method"] == "a2" else {}) for one in everything()]
    assert statistics.fallen(worse, everything()) == []


def test_a_column_that_only_one_side_holds_is_left_out() -> None:
    """Rows without an evaluator's columns, or from before a column was added, are still comparable."""
    lean = [
        {key: value for key, value in one.items() if key != "feet"} for one in everything(changed_pixels=4)
    ]
    assert "feet_right" not in statistics.figures(lean)["c"] and "true_10" in statistics.figures(lean)["c"]
    for rows, committed in ((lean, everything()), (everything(changed_pixels=4), lean[:0] + everything())):
        assert any("changed pixels" in sentence for sentence in statistics.fallen(rows, committed))
    assert not any("feet" in sentence for sentence in statistics.fallen(lean, everything(feet=2)))


def test_a_part_is_held_against_the_same_pictures_and_one_wrong_is_within_the_interval() -> None:
    committed = everything(40)
    for one in committed:
        if one["seed"] >= 8:
            one["feet"] = 0
    part = [one for one in everything(8) if one["method"] == "c"]
    assert statistics.fallen(part, committed) == []
    part[0]["feet"] = 1
    assert statistics.fallen(part, committed) == []
    part[1]["feet"] = 1
    assert any("feet right" in sentence for sentence in statistics.fallen(part, committed))


def page(rows: list[dict]) -> str:
    checked = calibration.Calibration([1.0, 0.9, 7.0], [5.0, 6.0, 9.0])
    legs = [
        completion.Completed("standing", 0.2, [0.1, 0.2]),
        completion.Completed("sitting", 0.9, [0.0, 0.02]),
    ]
    truth = [{"feet": 2 - (seed == 3), "true_feet": 2, "to_true": [0.01, 0.07]} for seed in range(4)]
    return report.report(rows, truth, checked, legs, "Sampled well.", 10_000)


def test_the_page_tells_every_figure_aim_family_and_calibration() -> None:
    text = page(everything())
    assert "| changed pixels | 900 (900 … 900) | 0 (0 … 0) | 0 (0 … 0) | 0 (0 … 0) |  |" in text
    assert "| 0 changed pixels | 0 (0 … 0) | reached |" in text
    assert "| R: better than (a2)" not in text  # its title says that it is a median
    assert "| R, median: better than (a2), interval without 0 | -1.4" in text
    assert "### Standing (20 pictures)" in text and "### Sitting (20 pictures)" in text
    assert "### Walking" not in text
    assert "| never cut | 0.90 | 0.92 | 1.00 | 5.80 | 7.00 | 33 % |" in text
    assert "| standing | 15.0 % · 50 % (1) |  |  | 15.0 % · 50 % (1) |" in text
    assert "| true pictures | 75 % (25 … 100) | 50 % (50 … 50) | 100 % (100 … 100) |" in text
    assert "![Seeds 0 to 11](pictures/quality.png)" in text


def test_an_aim_that_is_missed_is_called_missed() -> None:
    text = page(everything(feet=1, seam_ratio=3.0))
    assert "| R ≤ 1.2 | 3.00 (3.00 … 3.00) | missed |" in text
    assert "| feet right ≥ 90 % | 0 % (0 … 0) | missed |" in text
    assert text.count("| missed |") >= 4


def test_the_sheet_holds_every_picture_in_its_place() -> None:
    reds = [np.full((20 + number, 16, 3), (200, number, 0), np.uint8) for number in range(8)]
    rows = [(str(number), reds[2 * number : 2 * number + 2]) for number in range(4)]
    drawn = np.asarray(sheet.sheet(rows, ("one", "two")))
    found = {tuple(colour) for colour in drawn.reshape(-1, 3)}
    assert {(200, number, 0) for number in range(8)} <= found
