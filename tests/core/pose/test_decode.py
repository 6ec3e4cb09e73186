"""A detector's find becomes a person: sizes seen, pixel centres, presence, what is not a number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from recompose.core.pose import decode, openpose, skeleton
from recompose.core.shapes import Size


@pytest.mark.parametrize(
    ("picture", "resolution", "enlarge", "seen"),
    [
        ((512, 768), 512, True, (512, 768)),
        ((331, 457), 512, True, (512, 707)),
        ((331, 457), 512, False, (331, 457)),
        ((3000, 2000), 512, False, (768, 512)),
        ((1, 1), 512, True, (512, 512)),
        ((1, 1), 512, False, (1, 1)),
        ((1, 2000), 512, True, (128, 2048)),
        ((9000, 30), 64, False, (256, 16)),
        ((20, 700), 512, False, (44, 700)),
    ],
)
def test_no_picture_is_seen_too_large_or_too_narrow(picture, resolution, enlarge, seen) -> None:
    assert decode.detection_size(Size(*picture), resolution, enlarge) == Size(*seen)


def test_a_pixel_seen_is_found_at_its_middle_in_the_picture() -> None:
    find = {skeleton.BODY_KEY: np.array([[0, 0, 0.5], [9, 4, 0.25]])}
    found = decode.to_picture(find, Size(10, 5), Size(40, 5))
    assert found[skeleton.BODY_KEY].tolist() == [[2.0, 0.5, 0.5], [38.0, 4.5, 0.25]]
    assert find[skeleton.BODY_KEY].tolist() == [[0, 0, 0.5], [9, 4, 0.25]]


def test_presence_is_above_the_threshold_and_the_scores_are_kept() -> None:
    body = np.zeros((18, 3))
    body[:4] = [(3, 4, 0.3), (5, 6, 0.31), (math.nan, 1, 0.9), (7, 8, math.inf)]
    feet = np.zeros((6, 3))
    feet[5] = (9, 10, 0.8)
    person = decode.person({skeleton.BODY_KEY: body, skeleton.FOOT_KEY: feet}, 0.3)
    assert person is not None
    points = person.rows
    assert np.flatnonzero(person.present).tolist() == [1, 23]
    assert points[1].tolist() == [5, 6, 1] and points[23].tolist() == [9, 10, 1]
    assert points[0].tolist() == [0, 0, 0] and points[2].tolist() == [0, 0, 0]
    assert person.scores is not None and person.scores.shape == (24,)
    assert person.scores[[0, 1, 2, 3, 23]].tolist() == [0.3, 0.31, 0, 0, 0.8]
    assert len(person.face) == 70 and not person.face.rows.any()


def test_whoever_has_no_point_is_nobody() -> None:
    faint = {skeleton.BODY_KEY: np.full((18, 3), 0.2)}
    hand = {skeleton.HAND_LEFT_KEY: np.full((21, 3), 3.0)}
    frame = decode.frame([faint, hand, {}], Size(31, 17), 0.3)
    assert (frame.size, len(frame.people)) == (Size(31, 17), 1)
    assert decode.frame([], Size(31, 17), 0.3).people == ()


def test_wholebody_points_go_where_openpose_has_them() -> None:
    points = np.stack([np.arange(133.0), np.arange(133.0) / 2, np.full(133, 0.7)], axis=1)
    points[5, 2] = 0.4
    found = openpose.from_wholebody(points, 0.3)
    body = found[skeleton.BODY_KEY]
    assert body[:, 0].tolist() == [0, 5.5, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    assert body[skeleton.NECK].tolist() == [5.5, 2.75, 0.4]
    assert found[skeleton.FOOT_KEY][:, 0].tolist() == [17, 18, 19, 20, 21, 22]
    assert found[skeleton.FACE_KEY][:, 0].tolist() == [*range(23, 91), 2, 1]
    assert found[skeleton.HAND_LEFT_KEY][:, 0].tolist() == list(range(91, 112))
    assert found[skeleton.HAND_RIGHT_KEY][:, 0].tolist() == list(range(112, 133))
    assert not openpose.from_wholebody(points, 0.4)[skeleton.BODY_KEY][skeleton.NECK].any()
