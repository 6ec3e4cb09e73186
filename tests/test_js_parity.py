"""The editor's JavaScript and the Python behind it agree: tables, measures, files, values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from recompose.bridge import pose_json, pose_record
from recompose.core.pose import edited, skeleton
from recompose.core.pose.estimate import proportions
from recompose.core.pose.extension import extension_needed
from recompose.core.pose.person import Frame, Person, bounding_box
from recompose.core.pose.template import template_person
from recompose.core.shapes import Size

POSES = 500
Ask = Callable[..., list[Any]]


def value(frame: dict) -> Frame:
    """A frame as core takes it."""
    return pose_record.read([frame])[0]


def lists_of(person: Person) -> dict[str, np.ndarray]:
    """All points by key with absent ones zero, N,3."""
    found = {key: part.rows for key, part in person.parts().items()}
    return {key: rows if len(rows) else np.zeros((skeleton.KEYS[key], 3)) for key, rows in found.items()}


def random_person(chance: np.random.Generator, size: Size) -> dict:
    """A standing figure turned, narrowed, shaken and partly hidden; hands and face now and then."""
    q = chance.uniform(0.2, 2.5) * size.height
    standing = template_person(Size(1000, 1000)).points - (500, 950)
    turn = np.deg2rad(chance.choice([0, chance.uniform(-30, 30), chance.uniform(-180, 180)]))
    wide = np.array([chance.choice([1, 1, -1, chance.uniform(-1, 1)]), 1])
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = standing * wide / 900 * q @ turned
    points += chance.normal(0, chance.choice([0, 0.01, 0.06]) * q, points.shape)
    points += chance.uniform(-0.3, 1.4, 2) * size
    if chance.random() < 0.5:
        points = np.floor(points * 16 + 0.5) / 16
    present = chance.random(len(points)) > chance.choice([0, 0.1, 0.4])
    marks = (chance.random(len(points)) < 0.2) & present & (chance.random() < 0.3)

    def flat(some: np.ndarray, there: np.ndarray) -> list[float]:
        return np.where(there[:, None], np.column_stack([some, np.ones(len(some))]), 0).ravel().tolist()

    person: dict = {skeleton.BODY_KEY: flat(points[:18], present[:18])}
    if chance.random() < 0.6:
        person[skeleton.FOOT_KEY] = flat(points[18:], present[18:])
    else:
        marks[18:] = False
    for key in (skeleton.HAND_LEFT_KEY, skeleton.HAND_RIGHT_KEY, skeleton.FACE_KEY):
        if chance.random() < 0.4:
            cloud = points[chance.integers(0, 18)] + chance.normal(0, 0.05 * q, (skeleton.KEYS[key], 2))
            person[key] = flat(cloud, chance.random(len(cloud)) > 0.1)
    if marks.any():
        person["recompose"] = {"estimated": marks.astype(int).tolist()}
        if chance.random() < 0.7:
            person["recompose"]["uncertainty"] = (marks * chance.uniform(0, 0.2, len(marks)) * q).tolist()
    return person


@pytest.fixture(scope="session")
def frames() -> list[dict]:
    """500 frames of one to three people on pictures of odd sizes; the first ones are awkward on purpose."""
    chance = np.random.default_rng(20)
    found = [{"canvas_width": 97, "canvas_height": 61, "people": []}]
    for angle in range(0, 360, 45):
        # Sticks along the eight directions, where an angle in whole degrees is a knife's edge.
        direction = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))]).round(12)
        ends = np.array([40.0, 33.0]) + 24 * direction
        flat = [0.0] * 54
        flat[3:6], flat[6:9] = [40.0, 33.0, 1.0], [*ends.tolist(), 1.0]
        found.append({"canvas_width": 97, "canvas_height": 61, "people": [{skeleton.BODY_KEY: flat}]})
    while len(found) < POSES:
        size = Size(*(int(side) for side in chance.integers(40, 400, 2)))
        persons = [random_person(chance, size) for _ in range(chance.integers(1, 4))]
        found.append({"canvas_width": size.width, "canvas_height": size.height, "people": persons})
    return found


def test_the_tables_are_the_same(ask: Ask) -> None:
    (tables,) = ask("skeleton", [{}])
    hands = [
        (first + a, first + b)
        for key in (skeleton.HAND_LEFT_KEY, skeleton.HAND_RIGHT_KEY)
        for first in [edited.ROWS[key].start]
        for a, b in skeleton.HAND_EDGES
    ]
    limbs = [*skeleton.LIMBS, *skeleton.FOOT_LIMBS, *hands]
    assert tables["ALL_LIMBS"] == [list(limb) for limb in limbs]
    assert tables["COUNTERPART"][: skeleton.POINTS] == list(skeleton.MIRRORED)
    for name in [name for name in dir(skeleton) if name.startswith(("BODY_25", "WHOLEBODY"))]:
        assert tables[name] == list(getattr(skeleton, name)), name
    assert (tables["MAIN_POINTS"], tables["POINTS"]) == (skeleton.POINTS, sum(skeleton.KEYS.values()))
    numbers = {name for name, value in tables.items() if isinstance(value, int)} - {"MAIN_POINTS", "POINTS"}
    assert len(numbers) > 15
    assert {name: tables[name] for name in numbers} == {name: getattr(skeleton, name) for name in numbers}
    rows = {
        part["key"]: slice(part["first"], part["first"] + part["count"]) for part in tables["PARTS"].values()
    }
    assert rows == edited.ROWS and list(rows) == list(edited.ROWS)


def test_measures_are_the_same(ask: Ask, frames: list[dict]) -> None:
    extended = 0
    for frame, found in zip(frames, ask("measure", [{"pose": frame} for frame in frames]), strict=True):
        mine = value(frame)
        statures = [proportions.stature(person) for person in mine.people]
        assert [value is None for value in found["statures"]] == [value is None for value in statures]
        assert [value or 0 for value in found["statures"]] == pytest.approx(
            [value or 0 for value in statures], abs=1e-6
        )
        assert found["fingerprint"] == edited.fingerprint(mine)
        if not frame["people"]:
            continue
        needed = extension_needed([mine], mine.size, np.inf)[:4]
        extended += any(needed)
        assert found["extension"] == pytest.approx(needed, abs=1e-6)
        left, top, right, bottom = bounding_box(mine)
        box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        assert found["box"] == pytest.approx(box, abs=1e-6)
    assert extended > 0.5 * POSES


def test_the_template_person_is_the_same(ask: Ask) -> None:
    sizes = [Size(512, 768), Size(331, 457), Size(64, 16384), Size(1999, 65)]
    questions = [{"width": size.width, "height": size.height} for size in sizes]
    for size, found in zip(sizes, ask("template", questions), strict=True):
        assert found == pose_record.frame_record(Frame(size, (template_person(size),)))["people"][0]


def in_layout(points: np.ndarray, layout: str) -> list[float]:
    """The 24 points in a file's own order."""
    rows = {"coco18": 18, "body25": 25, "wholebody": 133}[layout]
    flat = np.zeros((rows, 3))
    body = {"body25": skeleton.BODY_25_BODY, "wholebody": skeleton.WHOLEBODY_BODY}.get(layout, range(18))
    feet = {"body25": skeleton.BODY_25_FEET, "wholebody": skeleton.WHOLEBODY_FEET}.get(layout, ())
    for row, point in zip((*body, *feet), points, strict=False):
        if row >= 0:
            flat[row] = point
    return flat.ravel().tolist()


def test_files_are_read_the_same(ask: Ask, frames: list[dict]) -> None:
    chance = np.random.default_rng(11)
    texts = []
    for frame in frames:
        layout = chance.choice(["coco18", "body25", "wholebody"])
        persons = []
        for person in value(frame).people:
            points = person.rows
            if chance.random() < 0.5:
                points[:, 2] *= chance.uniform(0.1, 1, len(points)).round(3)
            if chance.random() < 0.1:
                points[:, :2] /= value(frame).size
            hand = chance.uniform(0, 300, (21, 3)).round(2).ravel().tolist() if chance.random() < 0.5 else []
            face = (
                chance.uniform(0, 300, (68, 3)).round(2).ravel().tolist() if chance.random() < 0.5 else None
            )
            more = {skeleton.HAND_LEFT_KEY: hand, skeleton.FACE_KEY: face}
            persons.append({skeleton.BODY_KEY: in_layout(points, layout), **more})
        whole = {**frame, "people": persons}
        texts.append(json.dumps([whole, whole] if chance.random() < 0.1 else whole))
    for text, found in zip(texts, ask("read", [{"text": text} for text in texts]), strict=True):
        expected = pose_json.read(text)
        assert len(found["frames"]) == len(expected)
        for mine, theirs in zip(found["frames"], expected, strict=True):
            assert Size(mine["width"], mine["height"]) == theirs.size
            for one, other in zip(mine["people"], theirs.people, strict=True):
                for key, wanted in lists_of(other).items():
                    row = np.reshape(one.get(key) or [], (-1, 3))
                    assert np.allclose(row if len(row) else 0 * wanted, wanted, rtol=0, atol=1e-6), key


def picture(**person: object) -> str:
    return json.dumps({"people": [person], "canvas_width": 9, "canvas_height": 9})


WRONG = {
    "no JSON": "{",
    "words for marks": picture(pose_keypoints_2d=[1.0] * 54, recompose={"estimated": ["x"]}),
    "a number for what is kept": picture(pose_keypoints_2d=[1.0] * 54, recompose=5),
    "other JSON": '{"cats": 3}',
    "number": "5",
    "empty list": "[]",
    "person is a word": '{"people": ["Ann"], "canvas_width": 9, "canvas_height": 9}',
    "16 points": picture(pose_keypoints_2d=[1.0] * 48),
    "18 pairs": picture(pose_keypoints_2d=[1.0, 2.0] * 18),
    "points of four": picture(pose_keypoints_2d=[[1, 2, 3, 4]] * 18),
    "cut triple": picture(pose_keypoints_2d=[1.0] * 53),
    "words": picture(pose_keypoints_2d=["1"] * 53 + ["x"]),
    "a hand of words": picture(hand_left_keypoints_2d=["one"] * 63),
    "a truth for a number": picture(pose_keypoints_2d=[True] * 54),
    "more scores than points": json.dumps({"keypoints": [[1, 2]] * 17, "scores": [1] * 18}),
    "lists of lists of lists": "[[[[[[]]]]]]",
    "groups of groups": '{"poses": {"poses": {"poses": {"poses": {"poses": {"poses": []}}}}}}',
    "a side too long": '{"people": [], "canvas_width": 16385, "canvas_height": 9}',
    "an endless side": '{"people": [], "canvas_width": Infinity, "canvas_height": 9}',
    "no size": json.dumps({"people": [{skeleton.BODY_KEY: [1.0] * 54}]}),
    "size is a word": '{"people": [], "canvas_width": "wide", "canvas_height": 9}',
    "million points": picture(pose_keypoints_2d=[1] * 3_000_000),
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_python_refuses_javascript_refuses_in_a_sentence(ask: Ask, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        pose_json.read(text)
    (found,) = ask("read", [{"text": text}])
    assert found["error"].endswith(".") and 20 < len(found["error"]) < 300


@pytest.mark.parametrize("layout", ["coco18", "body25", "wholebody"])
def test_what_javascript_writes_python_reads(ask: Ask, frames: list[dict], layout: str) -> None:
    some = [frame for frame in frames if frame["people"]][:100]
    for frame, text in zip(some, ask("write", [{"pose": f, "layout": layout} for f in some]), strict=True):
        (found,), given = pose_json.read(text), value(frame)
        assert found.size == given.size
        for mine, theirs in zip(found.people, given.people, strict=True):
            wanted, points = theirs.rows, mine.rows
            # COCO-WholeBody has no neck; it comes back midway between the shoulders.
            kept = np.arange(len(wanted)) != (skeleton.NECK if layout == "wholebody" else -1)
            assert np.allclose(points[kept], wanted[kept], rtol=0, atol=1e-9)
            if theirs.hand_left.present.any():
                assert np.allclose(mine.hand_left.rows, theirs.hand_left.rows, rtol=0, atol=1e-9)


def value_of(frame: dict, chance: np.random.Generator) -> str:
    """An edit with the frame's people, flags at random."""
    persons = []
    for index, person in enumerate(value(frame).people):
        parts = lists_of(person)
        rows = np.concatenate([parts[key] for key in edited.ROWS])
        bits = np.where(rows[:, 2] > 0, 1 | chance.choice([0, 2, 4, 8, 14], len(rows)), 0)
        flags = "".join(f"{bit:x}" for bit in bits).rstrip("0")
        xy = np.floor(rows[bits > 0, :2] * 16 + 0.5).astype(int).ravel().tolist()
        persons.append({"from": index - 1, "flags": flags, "xy": xy})
    entry = {"size": [frame["canvas_width"], frame["canvas_height"]], "fingerprint": "", "people": persons}
    return json.dumps({"version": 1, "frames": {str(chance.integers(0, 4)): entry}})


PLANTED = (*'x"{}[],:-9.\\e\u0000é', "NaN", "1e999", "null", "true", '"0"', "Infinity")


def damaged(text: str, chance: np.random.Generator) -> str:
    """The text cut, or with a piece out of it, or with something planted into it."""
    at, end = sorted(chance.integers(0, len(text), 2).tolist())
    planted = str(chance.choice(PLANTED))
    kinds = (text[:at], text[at:], text[:at] + text[end:])
    return str(chance.choice([*kinds, text[:at] + planted + text[at:], text[:at] + planted + text[at + 1 :]]))


def as_json(edit: edited.Edit, size: Size | None) -> dict:
    frames = {}
    for index, frame in edit.frames.items():
        shown = edited.rescaled(frame, size) if size else frame
        frames[str(index)] = {
            "size": list(frame.size),
            "fingerprint": frame.fingerprint,
            "people": [
                {"from": who.source, "flags": who.flags.tolist(), "xy": who.xy.ravel().tolist()}
                for who in shown.people
            ],
        }
    return {"frames": frames, "notices": edit.notices}


def test_values_whole_and_damaged_are_read_the_same(ask: Ask, frames: list[dict]) -> None:
    chance = np.random.default_rng(31)
    questions, expected, noticed = [], [], 0
    for frame in frames:
        whole, size = value_of(frame, chance), Size(*(int(side) for side in chance.integers(1, 999, 2)))
        questions.append({"text": whole, "size": list(size)})
        expected.append(as_json(edited.parse(whole), size))
        text = damaged(whole, chance)
        questions.append({"text": text})
        edit = edited.parse(text)
        expected.append(as_json(edit, None))
        noticed += bool(edit.notices)
    assert noticed > 0.8 * len(frames)
    assert ask("parse", questions) == expected
