"""POSE_KEYPOINT read into people and written back: what counts as a point, and what survives."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from recompose.bridge import pose_record
from recompose.bridge.pose_record import Written
from recompose.core.pose import skeleton
from recompose.core.pose.person import Frame, from_rows, moved
from recompose.core.shapes import Size

BODY = skeleton.BODY_KEY


@pytest.fixture
def frame() -> dict:
    body = [0.0] * 54
    body[3:6], body[12:15], body[21:24] = [10, 21, 1], [-3, 40.5, 1], [7, 8, 0]
    hand = [0.0] * 63
    hand[:3] = [55, 66, 1]
    return {
        "canvas_width": 91,
        "canvas_height": 67,
        "source": "mine",
        "people": [
            {
                "pose_keypoints_2d": body,
                "foot_keypoints_2d": None,
                "hand_left_keypoints_2d": hand,
                "face_keypoints_2d": [],
                "person_id": [-1],
                "recompose": {"confidence": [0.9] * 24, "theirs": 3},
            }
        ],
    }


def person(frame: dict) -> dict:
    return frame["people"][0]


def ordered(value: object) -> str:
    return json.dumps(value)


def test_what_is_read_is_written_as_it_was_and_shares_nothing(frame) -> None:
    kept = copy.deepcopy(frame)
    (result,) = pose_record.write(pose_record.read([frame]))
    assert ordered(result) == ordered(kept)
    person(result)["recompose"]["theirs"] = 4
    person(result)["person_id"].append(5)
    person(result)[BODY][3] = 6
    assert frame == kept


def test_moved_points_are_written_and_all_else_survives(frame) -> None:
    pose = moved(pose_record.read([frame]), (2.0, 0.5), (5.0, -7.0), Size(182, 33))
    (result,) = pose_record.write(pose)
    assert (result["canvas_width"], result["canvas_height"], result["source"]) == (182, 33, "mine")
    assert person(result)[BODY][3:6] == [25, 3.5, 1] and person(result)[BODY][12:15] == [-1, 13.25, 1]
    assert person(result)[BODY][21:24] == [7, 8, 0] and person(result)[BODY][:3] == [0, 0, 0]
    assert person(result)["hand_left_keypoints_2d"][:3] == [115, 26, 1]
    kept = {key: person(frame)[key] for key in ("foot_keypoints_2d", "face_keypoints_2d", "person_id")}
    assert kept == {key: person(result)[key] for key in kept}
    assert list(person(result)) == list(person(frame))
    assert person(result)["recompose"] == {"confidence": [0.9] * 24, "theirs": 3}


def test_scores_become_presence_once(frame) -> None:
    del person(frame)["recompose"]
    person(frame)[BODY][5], person(frame)[BODY][14] = 0.3, 0.31
    person(frame)["hand_left_keypoints_2d"][2] = 0.5
    read = pose_record.read([frame], 0.3)
    found = person(pose_record.write(read)[0])
    assert np.flatnonzero(read[0].people[0].present).tolist() == [4]
    assert found[BODY][3:6] == [0, 0, 0]
    assert found[BODY][12:15] == [-3, 40.5, 1]
    assert found["hand_left_keypoints_2d"][:3] == [55, 66, 1]
    assert [found["recompose"]["confidence"][index] for index in (1, 4, 7)] == [0.3, 0.31, 0]
    again = {**frame, "people": [found]}
    assert pose_record.write(pose_record.read([again], 0.9)) == [again]
    scores = pose_record.read([again])[0].people[0].scores
    assert scores is not None and scores[[1, 4]].tolist() == [0.3, 0.31]


def test_whole_scores_are_left_alone_whatever_the_threshold(frame) -> None:
    assert pose_record.write(pose_record.read([frame], 0.99)) == [frame]


def fractions(flat: list[float]) -> list[float]:
    """The list in fractions of 91×67."""
    return (np.reshape(flat, (-1, 3)) / [91, 67, 1]).ravel().tolist()


@pytest.fixture
def crowd() -> dict:
    """Two people with ten points of the body and a hand each, well inside 91×67."""
    chance = np.random.default_rng(4)
    people = []
    for _ in range(2):
        lists = {
            key: np.column_stack([chance.uniform(5, 60, (count, 2)).round(3), np.arange(count) % 2])
            for key, count in ((BODY, 18), ("hand_right_keypoints_2d", 21))
        }
        people.append({key: rows.ravel().tolist() for key, rows in lists.items()})
    return {"canvas_width": 91, "canvas_height": 67, "people": people}


@pytest.mark.parametrize(
    "shares",
    [
        [(0, BODY)],
        [(0, "hand_right_keypoints_2d")],
        [(0, BODY), (0, "hand_right_keypoints_2d")],
        [(1, BODY), (0, "hand_right_keypoints_2d")],
        [(one, key) for one in (0, 1) for key in (BODY, "hand_right_keypoints_2d")],
    ],
)
def test_every_list_in_fractions_becomes_pixels_whatever_the_others_are_in(crowd, shares) -> None:
    given = copy.deepcopy(crowd)
    for one, key in shares:
        given["people"][one][key] = fractions(given["people"][one][key])
    found, wanted = (pose_record.read([each])[0] for each in (given, crowd))
    for one, other in zip(found.people, wanted.people, strict=True):
        for part, true in zip(one.parts().values(), other.parts().values(), strict=True):
            present = true.present
            assert (part.present == present).all()
            np.testing.assert_allclose(part.points[present], true.points[present], atol=1e-9)


def test_a_few_points_in_the_corner_of_a_picture_in_pixels_stay_there(crowd) -> None:
    hand = [0.0] * 63
    hand[:6] = [1.5, 2.0, 1.0, 0.5, 0.0, 1.0]
    corner = {BODY: [1.5, 1.0, 1.0] * 18, "hand_left_keypoints_2d": hand}
    frame = pose_record.read([{**crowd, "people": [corner, *crowd["people"]]}])[0]
    assert frame.people[0].points[0].tolist() == [1.5, 1.0]
    assert frame.people[0].hand_left.points[1].tolist() == [0.5, 0.0]
    # Where all lists are that small they are fractions.
    alone = pose_record.read([{**crowd, "people": [corner]}])[0]
    assert alone.people[0].points[0].tolist() == [1.5 * 91, 67.0]


@pytest.mark.parametrize(
    ("flat", "complaint"),
    [
        ([1, 2, 3, 4], "triples"),
        (["a", 1, 1], "numbers"),
        ([True, 1, 1] * 18, "numbers"),
        ([[1, 2, 3]], "points but holds 1"),
        (7, "numbers"),
        ([1, 2, 1] * 16, "17 or 18 .COCO.*holds 16"),
    ],
)
def test_malformed_points_are_refused(flat, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        pose_record.read([{"canvas_width": 5, "canvas_height": 7, "people": [{BODY: flat}]}])


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("recompose", "x", '"recompose" must be an object but is a str'),
        ("recompose", [1], '"recompose" must be an object but is a list'),
        ("recompose", 5, '"recompose" must be an object but is a int'),
        ("recompose", {"estimated": {"a": 1}}, '"estimated" must be a list of 0 and 1'),
        ("recompose", {"estimated": [[1], [0]]}, '"estimated" must be a list of 0 and 1'),
        ("recompose", {"estimated": "1100"}, '"estimated" must be a list of 0 and 1'),
        ("recompose", {"estimated": 1}, '"estimated" must be a list of 0 and 1'),
    ],
)
def test_malformed_marks_are_refused_in_a_sentence(frame, key, value, complaint) -> None:
    person(frame)[key] = value
    with pytest.raises(ValueError, match=complaint):
        pose_record.read([frame])


@pytest.mark.parametrize("value", [None, {}, {"estimated": None}, {"estimated": [1, None, False, 1.0]}])
def test_marks_may_be_missing_or_few(frame, value) -> None:
    person(frame)["recompose"] = value
    marks = pose_record.read([frame])[0].people[0].estimated
    assert np.flatnonzero(marks).tolist() == ([0, 3] if (value or {}).get("estimated") else [])
    assert pose_record.write(pose_record.read([frame])) == [frame]


@pytest.mark.parametrize(
    ("people", "complaint"), [([3], "JSON object, got int"), (["Ann"], "got str"), (5, "got int")]
)
def test_people_that_are_none_are_refused(people, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        pose_record.read([{"canvas_width": 5, "canvas_height": 7, "people": people}])


SIZES = [
    ({}, "how large"),
    ({"canvas_width": 5}, "how large"),
    ({"canvas_height": 5}, "how large"),
    ({"canvas_width": -5, "canvas_height": 3}, "how large"),
    ({"canvas_width": "wide", "canvas_height": 3}, "whole numbers"),
    ({"canvas_width": True, "canvas_height": 3}, "whole numbers"),
    ({"canvas_width": 5, "canvas_height": math.inf}, "whole numbers"),
    ({"canvas_width": 16385, "canvas_height": 3}, "16385×3, but a side may have at most 16384 px"),
    ({"canvas_width": 3, "canvas_height": 1e18}, "at most 16384 px"),
]


@pytest.mark.parametrize(("stated", "complaint"), SIZES, ids=lambda value: str(value)[:40])
def test_a_sensible_size_is_asked_for(stated, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        pose_record.read([{**stated, "people": []}])


def test_the_largest_size_and_a_default_are_taken() -> None:
    largest = {"canvas_width": 16384, "canvas_height": 16384.0, "people": []}
    assert pose_record.read([largest])[0].size == Size(16384, 16384)
    assert pose_record.read([{"canvas_height": 5}], default=Size(7, 9))[0].size == Size(7, 9)


def test_lists_without_points_are_written_as_asked() -> None:
    rows = np.zeros((24, 3))
    rows[3] = (4, 5, 1)
    value = Frame(Size(7, 9), (from_rows(rows),))
    listed = person(pose_record.frame_record(value))
    assert list(listed) == [BODY]
    assert {
        key: len(flat) // 3 for key, flat in person(pose_record.frame_record(value, Written.ALL)).items()
    } == (skeleton.KEYS)
    read = pose_record.read(
        [{"canvas_width": 7, "canvas_height": 9, "people": [{"foot_keypoints_2d": None}]}]
    )
    edited = replace(read[0], people=(replace(value.people[0], rest=read[0].people[0].rest),))
    assert person(pose_record.frame_record(edited))["foot_keypoints_2d"] is None
    assert person(pose_record.frame_record(edited, Written.NAMED))["foot_keypoints_2d"] == [0] * 18


def test_guesses_are_marked_and_new_lists_come_last(frame) -> None:
    (read,) = pose_record.read([frame])
    (old,) = read.people
    points, present, marks = old.points.copy(), old.present.copy(), old.estimated.copy()
    points[20], present[20], marks[20] = (30, 31), True, True
    new = replace(old, points=points, present=present, estimated=marks)
    found = person(pose_record.frame_record(replace(read, people=(new,))))
    assert found["foot_keypoints_2d"] == [0] * 6 + [30, 31, 1] + [0] * 9
    assert found["recompose"] == {"confidence": [0.9] * 24, "theirs": 3, "estimated": [0] * 20 + [1, 0, 0, 0]}
    assert found[BODY] == person(frame)[BODY] and list(found) == list(person(frame))


def test_the_editor_is_told_rounded_points(frame) -> None:
    person(frame)["face_keypoints_2d"] = [1.0041, 2, 1] * 68
    (read,) = pose_record.read([frame])
    told = pose_record.for_editor(read, "0123")
    assert told["fingerprint"] == "0123" and (told["canvas_width"], told["canvas_height"]) == (91, 67)
    assert list(person(told)) == [BODY, "face_keypoints_2d", "hand_left_keypoints_2d"]
    assert person(told)["face_keypoints_2d"][:3] == [1.0, 2, 1]


def test_one_frame_may_come_without_its_list(frame) -> None:
    assert pose_record.write(pose_record.read(frame)) == [frame]
