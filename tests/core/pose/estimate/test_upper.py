"""Head, shoulders and arms beyond the picture's border."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose.estimate import complete
from recompose.core.pose.extension import extension_needed
from recompose.core.pose.person import Frame, Person, from_rows
from recompose.core.shapes import Size

Q = 800.0
HEAD = [0, 14, 15, 16, 17]


def shifted(rows: np.ndarray, x: float, y: float) -> np.ndarray:
    return rows + np.array([x, y, 0])


def completed(rows: np.ndarray, size: tuple[int, int]) -> Person:
    inside = ((rows[:, :2] >= 0) & (rows[:, :2] <= size)).all(axis=1)
    return complete.complete_person(from_rows(np.where(inside[:, None], rows, 0)), Size(*size))


def needed(person: Person, size: tuple[int, int]) -> tuple[float, ...]:
    return extension_needed([Frame(Size(*size), (person,))], Size(*size), 9.0)[:4]


def test_a_head_cut_off_at_the_top_comes_back_and_the_canvas_holds_its_crown(figure) -> None:
    # The shoulders lie 40 px below the border.
    truth = shifted(figure(q=Q), 0, 40 - (523 - 0.292 * Q))
    size = (823, 1000)
    found = completed(truth, size)
    assert found.estimated[HEAD].all() and not found.estimated[1:14].any()
    assert np.linalg.norm(found.points[HEAD] - truth[HEAD, :2], axis=1).max() < 0.02 * Q
    # The eyes .125 above the shoulders, the crown .075 higher.
    assert needed(found, size)[1] == pytest.approx(0.2 * Q - 40)


def test_a_face_that_is_turned_away_stays_unseen(figure) -> None:
    rows = figure(q=Q, yaw=180)
    rows[[0, 14, 15]] = 0
    found = completed(rows, (823, 640))
    assert not found.present[[0, 14, 15]].any()


@pytest.mark.parametrize("side", [1, -1])
def test_a_shoulder_and_its_arm_beyond_the_side_come_back(figure, side) -> None:
    rows = figure(q=Q)
    size = (823, 1000)
    # One shoulder 30 px beyond the border, the neck inside.
    shoulder, arm = (5, [5, 6, 7]) if side > 0 else (2, [2, 3, 4])
    border = size[0] if side > 0 else 0
    truth = shifted(rows, border + side * 30 - rows[shoulder, 0], 0)
    found = completed(truth, size)
    assert found.estimated[arm].all()
    assert np.linalg.norm(found.points[arm] - truth[arm, :2], axis=1).max() < 0.001 * Q
    assert needed(found, size)[2 if side > 0 else 0] == pytest.approx(30 + 0.03 * Q)


def test_hands_hidden_inside_the_picture_stay_hidden(figure, hide) -> None:
    found = completed(hide(figure(q=Q), [3, 4, 7]), (823, 1000))
    assert not found.present[[3, 4, 7]].any()
