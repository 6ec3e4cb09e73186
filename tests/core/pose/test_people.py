"""Reading, moving and measuring points; the rest of the dictionaries stays as it was."""

from __future__ import annotations

import copy

import pytest
from recompose.core.pose import people, skeleton
from recompose.core.shapes import Size


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


def test_points_are_mapped_and_all_else_survives(frame) -> None:
    kept = copy.deepcopy(frame)
    moved = people.map_points([frame], (2.0, 0.5), (5.0, -7.0), Size(182, 33))[0]
    assert frame == kept
    person = moved["people"][0]
    assert (moved["canvas_width"], moved["canvas_height"], moved["source"]) == (182, 33, "mine")
    assert person["pose_keypoints_2d"][3:6] == [25, 3.5, 1]
    assert person["pose_keypoints_2d"][12:15] == [-1, 13.25, 1]
    assert person["pose_keypoints_2d"][21:24] == [7, 8, 0]
    assert person["pose_keypoints_2d"][:3] == [0, 0, 0]
    assert person["hand_left_keypoints_2d"][:3] == [115, 26, 1]
    assert (person["foot_keypoints_2d"], person["face_keypoints_2d"], person["person_id"]) == (None, [], [-1])
    assert person["recompose"] == {"confidence": [0.9] * 24, "theirs": 3}
    person["recompose"]["theirs"] = 4
    assert frame == kept


def test_the_box_holds_all_present_points(frame) -> None:
    assert people.bounding_box(frame) == (-3, 21, 55, 66)
    assert people.bounding_box({"people": []}) is None
    frame["people"][0]["hand_left_keypoints_2d"][2] = 0.2
    assert people.bounding_box(frame) == (-3, 21, 10, 40.5)
    assert people.bounding_box(frame, threshold=0.1) == (-3, 21, 55, 66)


def test_a_normalised_frame_becomes_pixels_everywhere(frame) -> None:
    shares = copy.deepcopy(frame)
    for key, (width, height) in {"pose_keypoints_2d": (91, 67), "hand_left_keypoints_2d": (91, 67)}.items():
        flat = shares["people"][0][key]
        for start in range(0, len(flat), 3):
            if flat[start + 2]:
                flat[start], flat[start + 1] = flat[start] / width, flat[start + 1] / height
    assert people.is_normalised(shares) and not people.is_normalised(frame)
    assert people.bounding_box(shares) == pytest.approx(people.bounding_box(frame))
    for change in (
        people.in_pixels,
        lambda pose: people.with_presence(pose, 0.3),
        lambda pose: people.map_points(pose, (2, 3), (5, 7), Size(91, 67)),
    ):
        a, b = (people.points(change([given])[0]["people"][0]) for given in (shares, frame))
        assert a == pytest.approx(b)
    assert people.in_pixels([frame]) == [frame]


def test_scores_become_presence_once(frame) -> None:
    assert people.with_presence([frame], 0.3) == [frame]
    person = frame["people"][0]
    del person["recompose"]
    person["pose_keypoints_2d"][5], person["pose_keypoints_2d"][14] = 0.3, 0.31
    person["hand_left_keypoints_2d"][2] = 0.5
    found = people.with_presence([frame], 0.3)[0]["people"][0]
    assert found["pose_keypoints_2d"][3:6] == [0, 0, 0]
    assert found["pose_keypoints_2d"][12:15] == [-3, 40.5, 1]
    assert found["hand_left_keypoints_2d"][:3] == [55, 66, 1]
    assert [found["recompose"]["confidence"][index] for index in (1, 4, 7)] == [0.3, 0.31, 0]
    assert len(found["recompose"]["confidence"]) == 24
    again = people.with_presence([{**frame, "people": [found]}], 0.9)
    assert again[0]["people"][0] == found


@pytest.mark.parametrize(
    ("flat", "complaint"),
    [
        ([1, 2, 3, 4], "triples"),
        (["a", 1, 1], "numbers"),
        ([[1, 2, 3]], "triples"),
        ([1, 2, 1] * 17, "18 body"),
    ],
)
def test_malformed_points_are_refused(flat, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        people.points({"pose_keypoints_2d": flat})


def test_sizes_are_asked_for() -> None:
    with pytest.raises(ValueError, match="how large"):
        people.size({"people": []})
    frames = [{"canvas_width": 5, "canvas_height": height} for height in (7, 9)]
    with pytest.raises(ValueError, match="5×7, 5×9"):
        people.common_size(frames)
    with pytest.raises(ValueError, match="no frame"):
        people.common_size([])


def test_the_tables_agree_with_themselves() -> None:
    assert [skeleton.MIRRORED[index] for index in skeleton.MIRRORED] == list(range(24))
    limbs = {frozenset(limb) for limb in skeleton.LIMBS}
    assert {frozenset(skeleton.MIRRORED[end] for end in limb) for limb in limbs} == limbs
    assert len(limbs) == 17 and len(skeleton.COLORS) == 18
    assert len(skeleton.FOOT_LIMBS) == len(skeleton.FOOT_COLORS) == 6
    assert (
        skeleton.HAND_EDGES[:5] == ((0, 1), (1, 2), (2, 3), (3, 4), (0, 5)) and len(skeleton.HAND_EDGES) == 20
    )
