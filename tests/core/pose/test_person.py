"""Moving and measuring people; the tables of the skeleton."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from recompose.core.pose import skeleton
from recompose.core.pose.person import Frame, Part, bounding_box, common_size, everybody, from_rows, moved
from recompose.core.shapes import Size


@pytest.fixture
def frame() -> Frame:
    body = np.zeros((18, 3))
    body[1], body[4], body[7] = [10, 21, 1], [-3, 40.5, 1], [7, 8, 0]
    at, present = np.zeros((21, 2)), np.zeros(21, dtype=bool)
    at[0], present[0] = [55, 66], True
    person = replace(from_rows(body), hand_left=Part(at, present), rest={"theirs": 3})
    return Frame(Size(91, 67), (person,), "mine")


def test_present_points_are_moved_and_all_else_is_carried_along(frame) -> None:
    kept = frame.people[0].rows
    (result,) = moved([frame], (2.0, 0.5), (5.0, -7.0), Size(182, 33))
    (person,) = result.people
    assert (result.size, result.rest) == (Size(182, 33), "mine")
    assert person.rows[[0, 1, 4, 7]].tolist() == [[0, 0, 0], [25, 3.5, 1], [-1, 13.25, 1], [7, 8, 0]]
    assert person.hand_left.rows[0].tolist() == [115, 26, 1] and len(person.face) == 0
    assert person.rest is frame.people[0].rest
    assert (frame.people[0].rows == kept).all() and frame.size == Size(91, 67)


def test_nobody_can_change_a_person(frame) -> None:
    (person,) = frame.people
    for array in (person.points, person.present, person.estimated, person.hand_left.points):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_box_holds_all_present_points(frame) -> None:
    assert bounding_box(frame) == (-3, 21, 55, 66)
    assert bounding_box(Frame(Size(3, 4))) is None
    (person,) = frame.people
    without = replace(person, hand_left=replace(person.hand_left, present=np.zeros(21, dtype=bool)))
    assert bounding_box(replace(frame, people=(without,))) == (-3, 21, 10, 40.5)


def test_measured_points_are_present_and_not_guessed() -> None:
    person = from_rows(np.array([[1, 2, 0.4], [3, 4, 0], [5, 6, 1]]), np.arange(24) >= 2)
    assert person.present.tolist() == [True, False, True, *[False] * 21]
    assert np.flatnonzero(person.measured).tolist() == [0]
    assert (
        list(everybody([Frame(Size(3, 4), (person,)), Frame(Size(3, 4), (person, person))])) == [person] * 3
    )


def test_the_frames_share_one_size() -> None:
    frames = [Frame(Size(5, height)) for height in (7, 9)]
    assert common_size(frames[:1]) == Size(5, 7)
    with pytest.raises(ValueError, match="5×7, 5×9"):
        common_size(frames)
    with pytest.raises(ValueError, match="no frame"):
        common_size([])


def test_the_tables_agree_with_themselves() -> None:
    assert [skeleton.MIRRORED[index] for index in skeleton.MIRRORED] == list(range(24))
    limbs = {frozenset(limb) for limb in skeleton.LIMBS}
    assert {frozenset(skeleton.MIRRORED[end] for end in limb) for limb in limbs} == limbs
    assert len(limbs) == 17 and len(skeleton.COLORS) == 18
    assert len(skeleton.FOOT_LIMBS) == len(skeleton.FOOT_COLORS) == 6
    assert (
        skeleton.HAND_EDGES[:5] == ((0, 1), (1, 2), (2, 3), (3, 4), (0, 5)) and len(skeleton.HAND_EDGES) == 20
    )
