"""Every layout of OpenPose JSON ends as the same people."""

from __future__ import annotations

import json

import numpy as np
import pytest
from recompose.bridge import pose_json, pose_record
from recompose.bridge.pose_record import Written
from recompose.core.pose import skeleton
from recompose.core.pose.openpose import Layout
from recompose.core.pose.person import Frame
from recompose.core.shapes import Size

# COCO's 17 points by name, as COCO-WholeBody and RTMPose list them, and OpenPose's order of the same names.
COCO_17 = [
    "nose",
    "l_eye",
    "r_eye",
    "l_ear",
    "r_ear",
    "l_shoulder",
    "r_shoulder",
    "l_elbow",
    "r_elbow",
    "l_wrist",
    "r_wrist",
    "l_hip",
    "r_hip",
    "l_knee",
    "r_knee",
    "l_ankle",
    "r_ankle",
]
OPENPOSE_18 = [
    "nose",
    "neck",
    "r_shoulder",
    "r_elbow",
    "r_wrist",
    "l_shoulder",
    "l_elbow",
    "l_wrist",
    "r_hip",
    "r_knee",
    "r_ankle",
    "l_hip",
    "l_knee",
    "l_ankle",
    "r_eye",
    "l_eye",
    "r_ear",
    "l_ear",
]
BODY_25 = [*OPENPOSE_18[:8], "mid_hip", *OPENPOSE_18[8:]]
FEET = ["l_big_toe", "l_small_toe", "l_heel", "r_big_toe", "r_small_toe", "r_heel"]
SIZE = {"canvas_width": 301, "canvas_height": 503}


@pytest.fixture
def named() -> dict[str, tuple[float, float, float]]:
    """A place and a score for every name."""
    generator = np.random.default_rng(3)
    names = [*COCO_17, *FEET, "mid_hip"]
    places = {name: (*generator.uniform(5, 300, 2).round(2).tolist(), 0.9) for name in names}
    places["l_shoulder"], places["r_shoulder"] = (151.0, 92.0, 0.8), (99.0, 96.0, 0.7)
    places["neck"] = (125.0, 94.0, 0.7)
    return places


def flat(named: dict, names: list[str]) -> list[float]:
    return [value for name in names for value in named[name]]


def read(people_or_frames: object, **options: object) -> list[Frame]:
    if isinstance(people_or_frames, dict):
        people_or_frames = {**SIZE, "people": [people_or_frames]}
    return pose_json.read(json.dumps(people_or_frames), **options)


def written(pose: list[Frame]) -> list[dict]:
    """As Load Pose gives it."""
    return pose_record.write(pose, Written.ALL)


def wholebody(named: dict) -> list[float]:
    rest = [(400 + index, 200 + index, 0.6) for index in range(110)]
    return flat(named, [*COCO_17, *FEET]) + [value for point in rest for value in point]


@pytest.mark.parametrize("layout", [Layout.AUTO, None])
def test_the_layouts_agree(named, layout) -> None:
    files = {
        Layout.COCO_18: {
            "pose_keypoints_2d": flat(named, OPENPOSE_18),
            "foot_keypoints_2d": flat(named, FEET),
        },
        Layout.BODY_25: {"pose_keypoints_2d": flat(named, [*BODY_25, *FEET])},
        Layout.WHOLEBODY: {"pose_keypoints_2d": wholebody(named)},
    }
    expected = [[*named[name][:2], 1] for name in [*OPENPOSE_18, *FEET]]
    scores = [named[name][2] for name in [*OPENPOSE_18, *FEET]]
    for own, file in files.items():
        pose = read(file, layout=layout or own)
        (frame,) = written(pose)
        person = frame["people"][0]
        np.testing.assert_allclose(pose[0].people[0].rows, expected, err_msg=own)
        assert person["recompose"]["confidence"] == scores
        assert (frame["canvas_width"], frame["canvas_height"]) == (301, 503)
        assert {key: len(person[key]) // 3 for key in skeleton.KEYS} == skeleton.KEYS


def test_wholebody_brings_face_and_hands(named) -> None:
    person = read({"pose_keypoints_2d": wholebody(named)})[0].people[0]
    face, left, right = (part.rows for part in (person.face, person.hand_left, person.hand_right))
    assert face[[0, 67], 0].tolist() == [400, 467]
    assert face[68:, :2].tolist() == [list(named["r_eye"][:2]), list(named["l_eye"][:2])]
    assert left[[0, 20], 0].tolist() == [468, 488]
    assert right[[0, 20], 0].tolist() == [489, 509]
    assert (np.concatenate([face, left, right])[:, 2] == 1).all()


def test_the_neck_of_wholebody_needs_both_shoulders(named) -> None:
    named["l_shoulder"] = (151.0, 92.0, 0.2)
    rows = read({"pose_keypoints_2d": wholebody(named)}, threshold=0.3)[0].people[0].rows
    assert rows[[1, 5, 2]].tolist() == [[0, 0, 0], [0, 0, 0], [99, 96, 1]]


def test_frames_people_and_single_objects_are_read(named) -> None:
    person = {"pose_keypoints_2d": flat(named, OPENPOSE_18), "person_id": [-1]}
    single = written(read({**SIZE, "version": 1.3, "people": [person]}["people"][0]))
    frames = written(read([{**SIZE, "people": [person] * count} for count in (1, 2, 0)]))
    bare = written(pose_json.read(json.dumps([person]), given=Size(301, 503)))
    assert [len(frame["people"]) for frame in frames] == [1, 2, 0]
    assert frames[1]["people"][1] == single[0]["people"][0] == bare[0]["people"][0]
    assert single[0]["people"][0]["person_id"] == [-1]


def test_unknown_keys_survive(named) -> None:
    person = {"pose_keypoints_2d": flat(named, OPENPOSE_18), "tag": {"a": [1]}, "recompose": {"theirs": 2}}
    (frame,) = written(pose_json.read(json.dumps({**SIZE, "people": [person], "animals": []})))
    assert frame["animals"] == []
    assert frame["people"][0]["tag"] == {"a": [1]}
    assert frame["people"][0]["recompose"]["theirs"] == 2


def test_a_normalised_frame_becomes_pixels(named) -> None:
    pixels = {"pose_keypoints_2d": flat(named, OPENPOSE_18)}
    pixels["pose_keypoints_2d"][3 * 10 : 3 * 10 + 3] = [150.5, 905.4, 0.9]
    shares = {
        "pose_keypoints_2d": [
            value / (301, 503, 1)[index % 3] for index, value in enumerate(pixels["pose_keypoints_2d"])
        ]
    }
    a, b = (read(file)[0].people[0].rows for file in (pixels, shares))
    np.testing.assert_allclose(a, b)
    # One person in pixels shows that the other, small as the numbers are, is in pixels too.
    corner = {"pose_keypoints_2d": [1.5, 1.0, 1.0] * 18}
    both = pose_json.read(json.dumps({**SIZE, "people": [corner, pixels]}))[0]
    assert both.people[0].rows[0].tolist() == [1.5, 1.0, 1.0]


@pytest.mark.parametrize("layout", ["coco18", "body25", "wholebody"])
def test_a_list_in_fractions_beside_hands_in_pixels_becomes_pixels(named, layout) -> None:
    hand = {"hand_left_keypoints_2d": [50.0, 60.0, 1.0] * 21}
    body = {
        "coco18": flat(named, OPENPOSE_18),
        "body25": flat(named, [*BODY_25, *FEET]),
        "wholebody": wholebody(named),
    }[layout]
    shares = (np.reshape(body, (-1, 3)) / [301, 503, 1]).ravel().tolist()
    a, b = (
        pose_json.read(json.dumps({**SIZE, "people": [{"pose_keypoints_2d": each}, hand]}))[0].people
        for each in (body, shares)
    )
    for one, other in zip(a, b, strict=True):
        for part, true in zip(one.parts().values(), other.parts().values(), strict=True):
            np.testing.assert_allclose(part.rows, true.rows)


def test_a_face_of_68_gets_the_eyes_and_nulls_are_absent(named) -> None:
    person = {
        "pose_keypoints_2d": flat(named, OPENPOSE_18),
        "face_keypoints_2d": [7, 8, 1] * 68,
        "hand_left_keypoints_2d": None,
        "foot_keypoints_2d": [None, None, None] * 6,
    }
    pose = read(person)
    found = written(pose)[0]["people"][0]
    assert pose[0].people[0].face.rows[68].tolist() == [*named["r_eye"][:2], 1]
    assert found["hand_left_keypoints_2d"] == [0] * 63
    assert found["foot_keypoints_2d"] == [0] * 18


def test_the_size_comes_from_the_file_the_numbers_or_the_picture(named) -> None:
    bare = json.dumps({"people": [{"pose_keypoints_2d": flat(named, OPENPOSE_18)}]})
    sized = json.dumps({**SIZE, "people": []})
    assert pose_json.read(bare, given=Size(7, 9))[0].size == Size(7, 9)
    assert pose_json.read(bare, given=Size(0, 0), picture=Size(11, 13))[0].size == Size(11, 13)
    assert pose_json.read(sized, given=Size(0, 0), picture=Size(301, 503))[0].size == Size(301, 503)
    with pytest.raises(ValueError, match="set width and height there or connect the image"):
        pose_json.read(bare)
    with pytest.raises(ValueError, match="301×503 but the picture is 503×301, which has another aspect"):
        pose_json.read(sized, picture=Size(503, 301))
    with pytest.raises(ValueError, match="7×9 but the picture is 11×13"):
        pose_json.read(bare, given=Size(7, 9), picture=Size(11, 13))


def body(count: int) -> dict:
    return {"pose_keypoints_2d": [1.0, 2.0, 1.0] * count}


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        ("{", {}, "not JSON"),
        ("", {}, "not JSON"),
        ("5", {}, "must be OpenPose JSON"),
        ("[]", {}, "no frame"),
        ('{"shapes": []}', {}, "must be OpenPose JSON"),
        ('[{"people": []}, 3]', {}, "must be a JSON object, got int"),
        (json.dumps({**SIZE, "people": [3]}), {}, "must be a JSON object"),
        (json.dumps({**SIZE, "people": [body(16)]}), {}, "17 or 18 .COCO.*points but holds 16"),
        (
            json.dumps({**SIZE, "people": [body(18)]}),
            {"layout": Layout.BODY_25},
            "18 points, which is not the layout body25; choose auto",
        ),
        (json.dumps({**SIZE, "people": [{"pose_keypoints_2d": [1, 2]}]}), {}, "triples"),
        (json.dumps({**SIZE, "people": [{"pose_keypoints_2d": ["a"] * 54}]}), {}, "numbers"),
        (json.dumps({**SIZE, "people": [{"pose_keypoints_2d": 7}]}), {}, "numbers|triples"),
        (json.dumps({**SIZE, "people": [{"pose_keypoints_2d": [1, 2] * 18}]}), {}, "18 pairs x, y without"),
        (json.dumps({"canvas_width": "wide", "canvas_height": 3, "people": []}), {}, "whole numbers"),
        ("[" * 100_000, {}, "not JSON"),
        (json.dumps({"canvas_width": 10**18, "canvas_height": 3, "people": []}), {}, "at most 16384 px"),
        (json.dumps({"canvas_width": True, "canvas_height": 3, "people": []}), {}, "whole numbers"),
        (json.dumps({**SIZE, "people": [{**body(18), "recompose": "x"}]}), {}, "must be an object"),
        (json.dumps({"canvas_width": -5, "canvas_height": 3, "people": []}), {}, "how large"),
    ],
)
def test_bad_files_are_refused_in_a_sentence(text, options, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        pose_json.read(text, **options)
