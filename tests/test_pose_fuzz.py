"""Poses and saved edits with random damage: read, or refused in one sentence, the same in both languages."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from recompose.bridge import pose_json, pose_record
from recompose.core.pose import edited, skeleton
from recompose.core.pose.choices import Guesses
from recompose.core.pose.draw import draw
from recompose.core.pose.estimate.complete import complete
from recompose.core.pose.extension import extension_needed
from recompose.core.pose.limb_mask import Parts, limb_mask
from recompose.core.shapes import Size
from recompose.tests import pose_sources

Ask = Callable[..., list[Any]]
TEXTS, RECORDS, EDITS = 1500, 600, 1500
SIZE = Size(64, 96)
# What JSON can hold where something else belongs.
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    -0.0,
    0.5,
    2,
    3.7,
    1e6,
    -1e7,
    1e300,
    16384,
    16385,
    10**30,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    "x",
    "1",
    " 2.5 ",
    "1e3",
    "1e999",
    "0x10",
    "1_0",
    "NaN",
    "true",
    [],
    [[]],
    {},
    [None],
    [1, 2, 3],
    [[1, 2]],
    [[1, 2, 3]] * 18,
    [1] * 54,
    [0.1] * 54,
    [-0.5] * 51,
    [1] * 63,
    [[[1, 2]] * 18],
    {"people": []},
    {"people": None},
    {"keypoints": []},
    {"estimated": [1]},
    {"estimated": 5},
    {"estimated": [1] * 24, "confidence": [0.4] * 24, "uncertainty": [3] * 24},
    {"estimated": [1] * 24, "uncertainty": [0.5] * 23 + ["x"]},
    {"estimated": [0, 1] * 12, "confidence": [0.2] * 24},
    {"x": [1], "y": [2]},
    [{}],
    [None, {}],
    {"a": {"people": []}},
    {"id": 1, "width": 5, "height": 7},
]
KEYS = [
    *skeleton.KEYS,
    *("pose_keypoints", "keypoints", "keypoint_scores", "scores", "people", "instances", "poses"),
    *(
        "annotations",
        "images",
        "image_id",
        "predictions",
        "instance_info",
        "recompose",
        "estimated",
        "confidence",
        "uncertainty",
    ),
    *(
        "canvas_width",
        "canvas_height",
        "width",
        "height",
        "x",
        "y",
        "visible",
        "version",
        "frames",
        "size",
        "flags",
    ),
    *("xy", "from", "fingerprint", "0", "1", "4095", "99999"),
]
ARRAYS: list[Any] = [
    np.zeros(54),
    np.zeros((18, 3)),
    np.zeros((2, 17, 2)),
    np.float32(3),
    np.int64(5),
    np.array(7),
    np.array(None),
    np.array(["a"]),
    np.array([1, None], dtype=object),
    np.full(54, np.nan),
    (1, 2, 3),
    {1, 2},
    b"x",
    object(),
    np.zeros(0),
    np.bool_(True),
    range(54),
    10**400,
]


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) in it, of long lists only a few."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    elif isinstance(value, list):
        keys = list(range(min(len(value), 4)))
    else:
        return found
    for key in keys:
        found.append((value, key))
        places(value[key], found)
    return found


def damaged(data: Any, chance: random.Random, odd: list[Any]) -> Any:
    """A copy with one to three odd values put in, keys renamed or entries taken out."""
    holder = {"it": copy.deepcopy(data)}
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(places(holder, []))
        kind = chance.random()
        if kind < 0.6 or container is holder:
            container[key] = copy.deepcopy(chance.choice(odd))
        elif kind < 0.8:
            del container[key]
        elif isinstance(container, dict):
            container[chance.choice(KEYS)] = container.pop(key)
        else:
            container.extend(container[: chance.randint(1, 3)])
    return holder["it"]


def is_sentence(text: str) -> bool:
    return 20 < len(text) < 400 and text.endswith(".") and "\n" not in text


@pytest.fixture(scope="module")
def sources() -> list[Any]:
    cases = [*(make() for make in pose_sources.SOURCES.values()), *pose_sources.oddities().values()]
    return [json.loads(pose_sources.text(case)) for case in cases]


def cut(text: str, chance: random.Random) -> str:
    at, end = sorted(chance.randrange(len(text)) for _ in range(2))
    planted = chance.choice([*'{}[],:"-e.', "null", "NaN", "1e999", "Infinity", "\ufeff", "\u0000", "é"])
    return chance.choice([text[:at], text[:at] + text[end:], text[:at] + planted + text[at:]])


def points_of(frames: list[Any]) -> list[list[list[list[float]]]]:
    return [
        [
            [
                [round(value, 3) for value in row]
                for part in person.parts().values()
                for row in part.rows
                if row[2]
            ]
            for person in frame.people
        ]
        for frame in frames
    ]


def test_damaged_pose_texts_are_read_or_refused_the_same_in_both_languages(ask: Ask, sources) -> None:
    chance = random.Random(5)
    texts = [json.dumps(damaged(chance.choice(sources), chance, ODD)) for _ in range(TEXTS)]
    texts += [cut(json.dumps(chance.choice(sources)), chance) for _ in range(TEXTS // 5)]
    size = {"width": SIZE.width, "height": SIZE.height}
    read = 0
    for text, found in zip(texts, ask("read", [{"text": text, "size": size} for text in texts]), strict=True):
        try:
            mine = pose_record.read(pose_json.parsed(text), default=SIZE)
        except ValueError as error:
            assert is_sentence(str(error)), (str(error), text[:500])
            assert "error" in found and is_sentence(found["error"]), (str(error), found, text[:2000])
            continue
        assert "error" not in found, (found, text[:2000])
        sizes = [(each["width"], each["height"]) for each in found["frames"]]
        assert sizes == [tuple(frame.size) for frame in mine], text[:2000]
        for frame, each in zip(mine, found["frames"], strict=True):
            for one, other in zip(frame.people, each["people"], strict=True):
                for key, part in one.parts().items():
                    theirs = np.reshape(other.get(key) or np.zeros_like(part.rows), (-1, 3))
                    wanted = part.rows * part.present[:, None] if len(part) else np.zeros_like(theirs)
                    np.testing.assert_allclose(theirs, wanted, atol=1e-4, err_msg=text[:2000])
        read += 1
    assert 0.2 * TEXTS < read < TEXTS


def test_damaged_records_by_wire_never_end_in_a_raw_error(sources) -> None:
    chance = random.Random(6)
    odd = [*ODD, *ARRAYS]
    used = 0
    for _ in range(RECORDS):
        given = damaged(chance.choice(sources), chance, odd)
        try:
            pose = pose_record.read(given, default=SIZE)
            frame = pose[0]
            written = pose_record.write(pose)
            json.dumps(written, default=str)
            assert points_of(pose_record.read(written)) == points_of(pose)
            pose_record.for_editor(frame, edited.fingerprint(frame))
            limb_mask([frame], Parts.WHOLE_BODY, 12.0)
            draw(frame)
            extension_needed([frame], frame.size, np.inf)
            for guesses in Guesses:
                made = complete([frame], guesses=guesses)
                extension_needed(made, frame.size, np.inf)
                limb_mask(made, Parts.ESTIMATED, 12.0)
        except ValueError as error:
            assert is_sentence(str(error)), str(error)
            continue
        used += 1
    assert used > 0.1 * RECORDS


def an_edit() -> dict[str, Any]:
    people = [
        {"from": 0, "flags": "1" * 18, "xy": list(range(36))},
        {"from": -1, "flags": "1309", "xy": [1, 2, 3, 4, 5, 6]},
    ]
    entry = {"size": [64, 96], "fingerprint": "0123456789abcdef", "people": people}
    return {"version": 1, "frames": {"0": entry, "3": {**entry, "fingerprint": ""}}}


def as_json(edit: edited.Edit) -> dict[str, Any]:
    return {
        "frames": {
            str(index): {
                "size": list(frame.size),
                "fingerprint": frame.fingerprint,
                "people": [
                    {"from": who.source, "flags": who.flags.tolist(), "xy": who.xy.ravel().tolist()}
                    for who in frame.people
                ],
            }
            for index, frame in edit.frames.items()
        },
        "notices": edit.notices,
    }


def test_damaged_edits_are_read_the_same_in_both_languages(ask: Ask) -> None:
    chance = random.Random(7)
    texts = [json.dumps(damaged(an_edit(), chance, ODD)) for _ in range(EDITS)]
    texts += [cut(json.dumps(an_edit()), chance) for _ in range(EDITS // 5)]
    edits = [edited.parse(text) for text in texts]
    for text, mine, found in zip(texts, edits, ask("parse", [{"text": text} for text in texts]), strict=True):
        assert found == as_json(mine), text
        for frame in mine.frames.values():
            edited.rescaled(frame, Size(31, 17))
    assert {0, 1, 2} <= {len(edit.frames) for edit in edits}
