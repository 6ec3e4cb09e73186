"""From 33 points to a person: which are seen, which are guesses, which are left out."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose import skeleton
from recompose.core.pose.blazepose import points
from recompose.core.shapes import Size

SIZE = Size(400, 500)
R_HIP, R_KNEE, R_ANKLE = skeleton.R_HIP, skeleton.R_KNEE, skeleton.R_ANKLE
LEG = {24: (180, 300), 26: (182, 390), 28: (181, 470), 30: (178, 480), 32: (190, 484)}


def standing(**scores: float) -> np.ndarray:
    """39,4: a frontal person from head to feet within SIZE, everything seen."""
    made = np.zeros((39, 4))
    made[:, :2] = 200, 100
    places = {
        **{0: (200, 60), 2: (206, 54), 5: (194, 54), 7: (214, 58), 8: (186, 58), 9: (204, 70), 10: (196, 70)},
        **{11: (240, 110), 12: (160, 110), 13: (260, 180), 14: (140, 180), 15: (262, 250), 16: (138, 250)},
        **{17: (266, 262), 19: (260, 264), 21: (254, 258), 18: (134, 262), 20: (140, 264), 22: (146, 258)},
        **{23: (220, 300), 25: (218, 390), 27: (219, 470), 29: (222, 480), 31: (210, 484)},
        **LEG,
    }
    for number, place in places.items():
        made[number, :2] = place
    made[:, 2:] = 0.99
    for name, score in scores.items():
        made[int(name[1:]), 2] = score
    return made


def test_every_point_has_its_place() -> None:
    person = points.person(standing(), SIZE, 0.3)
    assert person is not None
    right = {skeleton.NOSE: (200, 60), skeleton.NECK: (200, 110), skeleton.R_SHOULDER: (160, 110)}
    right |= {skeleton.L_WRIST: (262, 250), R_HIP: (180, 300), skeleton.L_KNEE: (218, 390)}
    right |= {R_ANKLE: (181, 470), skeleton.R_EYE: (194, 54), skeleton.L_EAR: (214, 58)}
    right |= {skeleton.L_BIG_TOE: (210, 484), skeleton.L_HEEL: (222, 480), skeleton.R_HEEL: (178, 480)}
    for number, place in right.items():
        assert tuple(person.points[number]) == place, number
    small_toes = [skeleton.L_SMALL_TOE, skeleton.R_SMALL_TOE]
    assert person.present.sum() == 22 and not person.present[small_toes].any()
    assert not person.estimated.any() and person.scores is not None
    assert person.scores[skeleton.NECK] == pytest.approx(0.99) and person.scores[small_toes].tolist() == [
        0,
        0,
    ]


def test_hands_and_face_hold_what_the_network_has() -> None:
    person = points.person(standing(s19=0.1), SIZE, 0.3)
    assert person is not None
    assert np.flatnonzero(person.hand_left.present).tolist() == [0, 2, 17]
    assert np.flatnonzero(person.hand_right.present).tolist() == [0, 2, 5, 17]
    assert tuple(person.hand_right.points[5]) == (140, 264)
    assert np.flatnonzero(person.face.present).tolist() == [30, 36, 39, 42, 45, 48, 54, 68, 69]
    assert (len(person.hand_left), len(person.face)) == (21, 70)


def test_beyond_the_picture_is_a_guess_however_sure() -> None:
    cut = Size(400, 350)
    person = points.person(standing(), cut, 0.3)
    assert person is not None
    legs = [R_KNEE, R_ANKLE, skeleton.R_HEEL, skeleton.L_KNEE]
    assert person.present[legs].all() and person.estimated[legs].all()
    assert not person.estimated[[R_HIP, skeleton.NOSE]].any()
    assert not person.face.present[[8]].any()


@pytest.mark.parametrize(
    ("number", "sure", "unsure"),
    # The body is 430 pixels long; the knee lies at 390, the ankle at 470, the wrist at 250.
    [(R_KNEE, 408, 407), (R_ANKLE, 492, 491), (skeleton.R_WRIST, 259, 258)],
)
def test_close_to_the_border_is_a_guess(number: int, sure: int, unsure: int) -> None:
    for height, estimated in ((sure, False), (unsure, True)):
        person = points.person(standing(), Size(400, height), 0.3)
        assert person is not None
        assert person.present[number] and person.estimated[number] == estimated, height


@pytest.mark.parametrize(
    ("unseen", "gone"),
    [
        ("s28", {skeleton.R_ANKLE, skeleton.R_HEEL, skeleton.R_BIG_TOE}),
        ("s26", {skeleton.R_KNEE, skeleton.R_ANKLE, skeleton.R_HEEL, skeleton.R_BIG_TOE}),
        ("s30", {skeleton.R_HEEL}),
        ("s16", {skeleton.R_WRIST}),
        ("s12", {skeleton.R_SHOULDER, skeleton.NECK}),
    ],
)
def test_what_scores_too_little_is_left_out_with_the_leg_below_it(unseen: str, gone: set[int]) -> None:
    person = points.person(standing(**{unseen: 0.2}), SIZE, 0.3)
    assert person is not None
    absent = set(np.flatnonzero(~person.present)) - {skeleton.L_SMALL_TOE, skeleton.R_SMALL_TOE}
    assert absent == gone and not person.estimated.any()
    assert (person.points[list(gone)] == 0).all()
    assert points.person(standing(**{unseen: 0.2}), SIZE, 0.1).present.sum() == 22  # type: ignore[union-attr]


def test_a_low_presence_counts_like_a_low_visibility() -> None:
    made = standing()
    made[16, 3] = 0.1
    person = points.person(made, SIZE, 0.3)
    assert person is not None and not person.present[skeleton.R_WRIST]


def test_nobody_who_is_not_seen_anywhere() -> None:
    made = standing()
    made[:, 2] = 0.05
    assert points.person(made, SIZE, 0.3) is None
    beyond = standing()
    beyond[:, 0] += 5000
    assert points.person(beyond, SIZE, 0.3) is None
