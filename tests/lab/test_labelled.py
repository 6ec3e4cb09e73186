"""The pictures labelled by eye: a hundred, whole, and the evaluator's word on them is told as it is."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from recompose.lab.evaluate.models.labelled import labelled


@pytest.mark.parametrize(("sheet", "methods"), [("labelled", {"a1", "b", "c"}), ("labelled_fresh", {"c"})])
def test_a_hundred_pictures_are_cut_out_of_the_sheet_whole(sheet: str, methods: set[str]) -> None:
    found = labelled(sheet)
    assert len(found) == 100 and [each.seed for each in found] == list(range(100))
    assert {each.method for each in found} == methods
    for each in found:
        assert each.image.shape[1:] == (128, 3) and each.image.shape[0] % 8 == 0
        assert each.image[0].any() and each.image[-1].any(), each.seed  # below a picture the sheet is black
    assert 0.5 < np.mean([each.feet == 2 for each in found]) < 0.97


def test_right_counts_are_told_for_all_and_for_the_sure_ones(comfy: ModuleType) -> None:
    from recompose.lab.evaluate.models import evaluator

    rows = [
        {"through": "", "kind": "generated", "sure": sure, "feet": feet, "feet_seen": seen}
        for sure, feet, seen in ((True, 2, 2), (True, 2, 3), (False, 1, 2), (True, 0, 0))
    ]
    found = evaluator.summary(rows)
    assert found["feet right, generated"].endswith("(2 of 4)")
    assert found["feet right, generated and sure"].endswith("(2 of 3)")
    assert "feet right on faults" not in found
