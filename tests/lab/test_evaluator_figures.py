"""What is measured of the evaluator: sums by hand-made rows, and ceilings of cells by hand-made masks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from recompose.lab.evaluate import cells
from recompose.lab.evaluate.evaluator import Seen, Thing
from recompose.lab.evaluate.models import evaluator, things
from recompose.lab.toy.world.labels import MATERIAL
from recompose.lab.toy.world.palette import COLOURS


def box(top: int, bottom: int, left: int, right: int, size: tuple[int, int] = (64, 128)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_a_mask_of_whole_cells_has_no_ceiling() -> None:
    assert cells.ceiling(box(8, 32, 16, 40)) == 1
    assert cells.halves(box(8, 32, 16, 40)) == 1


def test_what_fills_cells_in_part_has_the_ceiling_of_the_best_choice_of_cells() -> None:
    # One full cell and a quarter of the next: with it 80 of 128, without it 64 of 80.
    assert cells.ceiling(box(0, 8, 0, 10)) == pytest.approx(0.8)
    assert cells.halves(box(0, 8, 0, 10)) == pytest.approx(0.8)
    # 3 px of each of four cells: none is half full, but all of them are better than nothing.
    corner = box(5, 11, 5, 11)
    assert cells.halves(corner) == 0
    assert cells.ceiling(corner) == pytest.approx(36 / 256)
    # A full cell and six tenths of another.
    assert cells.halves(box(0, 8, 0, 13)) == pytest.approx(104 / 128)
    # A mask that reaches a border inside a cell.
    assert cells.in_cells(np.ones((12, 8), bool)).tolist() == [[1], [0.5]]


def test_things_are_large_from_three_cells_each_way() -> None:
    assert things.large(box(0, 24, 4, 28))
    assert not things.large(box(0, 23, 0, 60))
    assert not things.large(box(0, 60, 0, 23))


def seen(**given: Thing) -> Seen:
    return Seen(np.zeros((24, 3)), 2, {}, "walking", "snow", given)


def test_what_is_seen_is_put_beside_what_is_there() -> None:
    image = np.zeros((64, 128, 3), np.uint8)
    material = np.zeros((64, 128), int)
    material[8:40, 8:40], material[0:8, 100:108] = MATERIAL["ball"], MATERIAL["hair"]
    image[material == MATERIAL["ball"]] = COLOURS["red"]
    said = {"scene": "beach", "hair": "tied", "hair colour": "blond", "top": "coat", "top colour": "red"}
    said |= {"objects": (("ball", "red"),)}
    found = things.compared(
        image,
        said,
        material,
        seen(ball=Thing(box(8, 24, 8, 40), "ball", "orange"), dog=Thing(box(50, 60, 0, 9), "dog", "red")),
    )
    assert (found["scene"], found["scene seen"], found["pose"]) == ("beach", "snow", "")
    assert list(found["things"]) == ["hair", "ball"] and found["false"] == ["dog"]
    assert json.loads(json.dumps(found)) == found  # rows are kept as JSON
    ball, hair = found["things"]["ball"], found["things"]["hair"]
    assert (ball["kind"], ball["kind seen"], ball["colour"], ball["colour seen"]) == (
        "ball",
        "ball",
        "red",
        "orange",
    )
    assert (ball["median"], ball["overlap"], ball["large"], ball["cells"]) == ("red", 0.5, True, 1.0)
    assert (hair["kind seen"], hair["overlap"], hair["large"]) == (None, 0.0, False)
    assert things.compared(image, {"subject": "things"}, material, seen())["pose"] == "nobody"


def row(kind: str, seen_kind: str | None, overlap: float, pose: str = "walking") -> dict[str, Any]:
    dog = {"large": True, "kind": "dog", "kind seen": "dog", "colour": "red", "colour seen": "red"}
    dog |= {"median": "pink", "overlap": 0.9, "cells": 1.0, "half cells": 0.5}
    hair = {"large": False, "kind": kind, "kind seen": seen_kind, "colour": "", "colour seen": "red"}
    hair |= {"median": "red", "overlap": overlap, "cells": 0.5, "half cells": 0.0}
    return {
        "pose": pose,
        "pose seen": "walking",
        "scene": "",
        "scene seen": "snow",
        "things": {"dog": dog, "hair": hair},
        "false": ["top"] if kind == "tied" else [],
    }


def test_figures_count_only_what_is_said() -> None:
    rows = [row("long", "long", 0.5), row("tied", None, 0.7, "running"), row("", "long", 0.3)]
    found = things.summary(rows, "v")
    assert found["pose right, v"].endswith("(2 of 3)") and found["scene right, v"] is None
    assert found["kind right, v"].endswith("(4 of 5)") and found["kind of hair right, v"].endswith("(1 of 2)")
    assert found["colour right, v"].endswith("(3 of 3)")
    assert found["colour by the median right, v"].startswith("0.0000 ±")
    assert found["overlap of large things, v"] == "0.9000 ± 0.0000 (3 things)"
    assert found["overlap of hair, v"].startswith("0.5000 ± ") and found["overlap of seat, v"] is None
    assert found["overlap of dog, v"] == "0.9000 ± 0.0000 (3 things)"
    best = things.ceilings(rows, "v")
    assert best["ceiling of cells of hair, v"].startswith("0.5000 ±")
    assert best["ceiling of half-filled cells of large things, v"].startswith("0.5000 ±")
    assert found["things seen that are not there, v"] == "1 in 3 pictures"


def test_an_error_is_of_the_pictures_not_of_their_things() -> None:
    # One thing each: the standard error of a mean, s/√n.
    values = [0.2, 0.4, 0.9, 0.7]
    assert things.error([(value, 1) for value in values]) == pytest.approx(np.std(values, ddof=1) / 2)
    # The same thing told ten times a picture is no more certain.
    assert things.error([(10 * value, 10) for value in values]) == pytest.approx(np.std(values, ddof=1) / 2)
    # All right, or all wrong: what one more of the other kind would change.
    assert things.error([(1.0, 1)] * 19) == pytest.approx(1 / 20)
    assert things.error([(0.0, 2)] * 12) == pytest.approx(1 / 25)
    assert things.error([(1.0, 1)]) == 1


def test_round_trips_have_figures_of_their_own() -> None:
    faults = [
        {"through": through, "kind": "one foot", "seed": 0, "feet": 1, "feet_seen": feet}
        for through, feet in (("", 1), ("", 2), ("round trip", 1))
    ]
    found = evaluator.summary(faults)
    assert found["feet right on faults"].endswith("(1 of 2)")
    assert found["feet right on faults, round trip"].endswith("(1 of 1)")
