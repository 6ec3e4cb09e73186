"""Edit Pose's value: what is written comes out, damage costs what is damaged, other pictures scale it."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from recompose.core.pose import edited, skeleton
from recompose.core.pose.person import Frame, from_rows
from recompose.core.pose.template import STANDING, template_person
from recompose.core.shapes import Size

SIZE = Size(331, 457)
WHOLE = "1" * 18


def person(flags: str = WHOLE, start: int = 0, source: int = -1) -> dict:
    """x = start + 16·i sixteenths, y = 7 more, for the i-th present point."""
    count = sum(digit != "0" for digit in flags)
    xy = [value for index in range(count) for value in (start + 16 * index, start + 16 * index + 7)]
    return {"from": source, "flags": flags, "xy": xy}


def value(
    *persons: dict, fingerprint: str = "", size: tuple[int, int] = tuple(SIZE), frame: str = "0"
) -> str:
    entry = {"size": list(size), "fingerprint": fingerprint, "people": list(persons)}
    return json.dumps({"version": 1, "frames": {frame: entry}})


def detected(points: dict[int, tuple[float, float]], size: Size = SIZE, rest: object = None) -> Frame:
    rows = np.zeros((18, 3))
    for index, at in points.items():
        rows[index] = (*at, 1)
    return Frame(size, (replace(from_rows(rows), rest=rest),), "elsewhere")


def applied(text: str, frame: Frame) -> Frame:
    return edited.applied(edited.parse(text).frames[0], frame)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_edited_is_no_edit_and_no_notice(text: str) -> None:
    assert edited.parse(text) == edited.Edit({}, [])


def test_points_flags_and_places_come_out_in_pixels() -> None:
    found = edited.parse(value(person("10b03", start=-33, source=2), frame="12"))
    assert found.notices == [] and list(found.frames) == [12]
    (who,) = found.frames[12].people
    assert who.source == 2
    assert who.flags[:6].tolist() == [1, 0, 11, 0, 3, 0] and who.flags.shape == (136,)
    assert who.xy[[0, 2, 4]].tolist() == [[-33 / 16, -26 / 16], [-17 / 16, -10 / 16], [-1 / 16, 6 / 16]]


def test_hidden_points_are_left_out_and_guessed_ones_marked() -> None:
    (who,) = applied(value(person("1930000000000000003")), detected({})).people
    points = who.rows
    assert points[:3, 2].tolist() == [1, 0, 1] and points[1].tolist() == [0, 0, 0]
    assert points[18].tolist() == [48 / 16, 55 / 16, 1]
    assert np.flatnonzero(who.estimated).tolist() == [2, 18]


def test_what_else_the_detection_carries_survives_an_edit_of_that_very_detection() -> None:
    frame = detected({0: (3, 4)}, rest="theirs")
    text = value(person(source=0), person(), fingerprint=edited.fingerprint(frame))
    result = applied(text, frame)
    assert (result.size, result.rest) == (SIZE, "elsewhere")
    assert [who.rest for who in result.people] == ["theirs", None]
    # The first person of another detection is somebody else.
    assert applied(value(person(source=0), fingerprint="0" * 16), frame).people[0].rest is None


@pytest.mark.parametrize(
    ("size", "at"),
    [((331, 457), (3, 4)), ((662, 914), (6, 8)), ((662, 457), (165.5 + 3, 4)), ((331, 1000), (3, 271.5 + 4))],
    ids=["same", "twice", "wider", "taller"],
)
def test_on_another_picture_the_edit_is_scaled_and_centred(
    size: tuple[int, int], at: tuple[float, float]
) -> None:
    frame = edited.parse(value({"from": -1, "flags": "1", "xy": [48, 64]})).frames[0]
    (who,) = edited.rescaled(frame, Size(*size)).people
    assert who.xy[0].tolist() == list(at)
    assert not who.xy[1:].any()


DAMAGED = [
    ("{", edited.DAMAGED),
    ("NaN", edited.DAMAGED),
    ('{"version": 1, "frames": {"0": NaN}}', edited.DAMAGED),
    ("[]", edited.DAMAGED),
    ("1e999", edited.DAMAGED),
    ("[" * 100_000, edited.DAMAGED),
    (17, edited.DAMAGED),
    (None, edited.DAMAGED),
    ('{"version": 2, "frames": {}}', edited.OTHER_VERSION),
    ('{"version": true, "frames": {}}', edited.OTHER_VERSION),
    ('{"frames": {}}', edited.OTHER_VERSION),
    (value(person(), frame="-1"), edited.PARTS_LOST),
    (value(person(), frame="٣"), edited.PARTS_LOST),
    (value(person(), size=(0, 5)), edited.PARTS_LOST),
    (value(person(), size=(331.5, 457)), edited.PARTS_LOST),
    (value(person(), size=(10**9, 457)), edited.PARTS_LOST),
    (value("person"), edited.PARTS_LOST),
    (value({"from": 0, "flags": WHOLE, "xy": [1]}), edited.PARTS_LOST),
    (value({"from": 0, "flags": "1" * 137, "xy": [1] * 274}), edited.PARTS_LOST),
    (value({"from": 0, "flags": "2", "xy": [1, 2]}), edited.PARTS_LOST),
    (value({"from": 0, "flags": "1", "xy": [1, "2"]}), edited.PARTS_LOST),
    (value({"from": 0, "flags": "1", "xy": [1, 10**12]}), edited.PARTS_LOST),
    (value({"from": 0, "flags": "1", "xy": [1, True]}), edited.PARTS_LOST),
    (value({"from": 0, "flags": "1", "xy": [1.5, 2]}), edited.PARTS_LOST),
    (value({"from": -2, "flags": "1", "xy": [1, 2]}), edited.PARTS_LOST),
    (value(*[person()] * 101), edited.PARTS_LOST),
    (value(person(), fingerprint="<img src=x>"), edited.PARTS_LOST),
]


@pytest.mark.parametrize(("text", "notice"), DAMAGED, ids=lambda text: str(text)[:60])
def test_damage_leads_to_one_sentence(text: object, notice: str) -> None:
    assert edited.parse(text).notices == [notice]


def test_what_is_whole_in_a_damaged_value_is_kept() -> None:
    record = json.loads(value(person(), {"flags": 3}, person("1")))
    record["frames"]["4"] = "lost"
    found = edited.parse(json.dumps(record))
    assert [who.flags.sum() for who in found.frames[0].people] == [18, 1]
    assert found.notices == [edited.PARTS_LOST]


def test_no_cut_or_planted_character_ever_raises() -> None:
    chance, whole = random.Random(5), value(person(), person("10b03"), fingerprint="0123456789abcdef")
    for _ in range(500):
        at, planted = chance.randrange(len(whole)), chance.choice('x"{}[],:-9\\e\u0000')
        for text in (whole[:at], whole[:at] + planted + whole[at + 1 :], whole[:at] + whole[at + 7 :]):
            found = edited.parse(text)
            for frame in found.frames.values():
                edited.applied(frame, detected({0: (3, 4)}))


def test_the_fingerprint_ignores_less_than_half_a_hundredth_and_sees_the_rest() -> None:
    base = edited.fingerprint(detected({0: (3.001, 4), 5: (7, 8)}))
    assert len(base) == 16 and edited.fingerprint(detected({0: (3.004, 4), 5: (7, 8)})) == base
    for other in ({0: (3.006, 4), 5: (7, 8)}, {0: (3, 4)}, {0: (3, 4), 6: (7, 8)}, {0: (4, 3), 5: (7, 8)}):
        assert edited.fingerprint(detected(other)) != base
    wider = detected({0: (3.001, 4), 5: (7, 8)}, Size(332, 457))
    assert edited.fingerprint(wider) != base


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")],
)
def test_the_hash_is_fnv_1a(text: str, expected: str) -> None:
    assert edited.fnv1a(text) == expected


def test_the_template_stands_whole_and_upright_inside_the_canvas() -> None:
    points = template_person(SIZE).rows
    assert len(STANDING) == skeleton.POINTS
    assert (points[:, 2] == 1).all()
    assert (points[:, :2] > 0).all() and (points[:, :2] < SIZE).all()
    assert (points[:, :2] * 16 == np.round(points[:, :2] * 16)).all()
    assert points[skeleton.NOSE, 1] < points[skeleton.R_HIP, 1] < points[skeleton.R_ANKLE, 1]
    assert points[skeleton.R_SHOULDER, 0] < points[skeleton.L_SHOULDER, 0]


def test_an_edit_of_which_nobody_can_be_read_leaves_the_pose_as_it_came() -> None:
    damaged = {**person(), "flags": "2"}
    edit = edited.parse(value(damaged, {**person(), "xy": [1]}))
    assert edit.frames == {} and edit.notices == [edited.PARTS_LOST]
    one = edited.parse(value(damaged, person()))
    assert len(one.frames[0].people) == 1 and one.notices == [edited.PARTS_LOST]
    nobody = edited.parse(value())
    assert nobody.frames[0].people == [] and nobody.notices == []


def test_people_beyond_those_the_editor_holds_stay_as_they_came() -> None:
    crowd = Frame(SIZE, tuple(detected({0: (index, 9)}).people[0] for index in range(150)))
    found = applied(value(person(), person(start=9)), crowd).people
    assert len(found) == 2 + 50
    assert [who.points[0, 0] for who in found[2:]] == list(range(100, 150))
