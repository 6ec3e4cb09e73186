"""The sums behind the figures, on rows whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from recompose.lab.evaluate import rows
from recompose.lab.evaluate.models import catalogue
from recompose.lab.toy.world.labels import MATERIAL


def test_distances_are_shares_of_the_length_and_none_where_nothing_was_found() -> None:
    truth = np.array([[10, 20, 1], [30, 40, 1], [0, 0, 0], [5, 5, 1]])
    found = np.array([[13, 24, 0.9], [30, 40, 0.4], [7, 7, 0.9], [5, 5, 0.5]])
    assert rows.distances(found, truth, 100) == [0.05, None, 0.0]


def test_pck_counts_what_is_near_enough_among_all_that_is_there() -> None:
    found = [[0.05, None, 0.0], [0.051, 0.3]]
    assert rows.pck(found, 0.05) == pytest.approx(2 / 5)
    assert rows.pck(found, 0.1) == pytest.approx(3 / 5)
    assert rows.pck([], 0.1) == 0


def test_the_length_is_the_longer_side_of_the_persons_box() -> None:
    material = np.zeros((40, 30), np.uint8)
    material[3, 10:13], material[33, 11], material[39, 0] = (
        MATERIAL["hair"],
        MATERIAL["shoes"],
        MATERIAL["dog"],
    )
    assert rows.longer_side(material) == 31


def test_overlap_is_intersection_over_union() -> None:
    material = np.zeros((4, 4), np.uint8)
    material[0] = MATERIAL["top"]
    found = np.zeros((4, 4), bool)
    found[:2, :2] = True
    assert rows.overlap(found, material, "top") == pytest.approx(2 / 6, abs=1e-4)
    assert rows.overlap(found, material, "hair") is None


def test_figures_are_written_one_row_to_a_line(tmp_path: Path) -> None:
    figures = rows.Figures([{"seed": 0, "feet": 2}, {"seed": 1, "feet": None}], {"right": 0.5})
    catalogue.write(figures, tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text) == {"summary": {"right": 0.5}, "rows": figures.rows}
    assert '\n{"seed":1,"feet":null}\n' in text
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
