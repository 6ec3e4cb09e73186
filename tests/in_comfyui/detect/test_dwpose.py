"""DWPose on planted answers: rtmlib decodes what its networks would say, the adapter gives it as a pose."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from recompose.bridge import pose_record
from recompose.core.pose import skeleton
from recompose.core.shapes import Size
from recompose.tests.in_comfyui.detect import crowd

SIDE = 640  # what the boxes' network sees
CROP = np.array([288, 384])  # what the points' network sees
STRIDES = (8, 16, 32)
CAT = 15
HALF = np.array([0.5, 0.5, 0])  # from the middles of pixels to the picture's corner


class Session:
    """Stands for onnxruntime's session: takes one array, returns planted ones and keeps what it was given."""

    def __init__(self, answer: Callable[[np.ndarray], list[np.ndarray]]) -> None:
        self.answer, self.given = answer, []

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="input")]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="output")]

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.given.append(feed["input"])
        return self.answer(feed["input"])


def boxes_answer(boxes: list[np.ndarray], kinds: list[int], picture: Size) -> np.ndarray:
    """YOLOX's raw 1,8400,85 for boxes (left, top, right, bottom in pixels of the picture)."""
    answer = np.full((1, sum((SIDE // stride) ** 2 for stride in STRIDES), 85), 0.01, np.float32)
    ratio = min(SIDE / picture.height, SIDE / picture.width)
    for box, kind in zip(boxes, kinds, strict=True):
        left, top, right, bottom = box * ratio
        stride, cells = STRIDES[0], SIDE // STRIDES[0]
        x, y = (left + right) / 2 / stride, (top + bottom) / 2 / stride
        row = min(int(y), cells - 1) * cells + min(int(x), cells - 1)
        place = (x - row % cells, y - row // cells)
        answer[0, row, :4] = *place, np.log((right - left) / stride), np.log((bottom - top) / stride)
        answer[0, row, 4], answer[0, row, 5 + kind] = 0.95, 0.95
    return answer


def around(points: np.ndarray) -> np.ndarray:
    """The box of a person's points, a little larger."""
    at = points[points[:, 2] > 0, :2]
    return np.concatenate([at.min(axis=0) - 7.3, at.max(axis=0) + 5.1])


def crop_of(box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The upper left corner and the size of what the points' network sees of a box, by mmpose's rule."""
    middle, size = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * 1.25
    aspect = CROP[0] / CROP[1]
    size = np.array([max(size[0], size[1] * aspect), max(size[1], size[0] / aspect)])
    return middle - size / 2, size


def points_answer(places: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """SimCC's 1,133,576 and 1,133,768 for places in the crop (N,2 half pixels)."""
    answers = [np.full((1, 133, 2 * side), -0.02, np.float32) for side in CROP]
    for axis, answer in enumerate(answers):
        bins = np.arange(answer.shape[2])
        spread = np.exp(-((bins - places[:, axis : axis + 1]) ** 2) / (2 * 6.0**2))
        answer[0] = np.where(scores[:, None] > 0, spread * scores[:, None], -0.02)
    return answers


def wholebody(person: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """133 points N,3 around a planted person's 24: COCO's 17, feet, 68 of the face, 21 per hand."""
    points = np.zeros((133, 3))
    for row, source in enumerate(skeleton.WHOLEBODY_BODY):
        if source >= 0:
            points[source] = person[row]
    points[17:23] = person[18:]
    for rows, center, reach in ((range(23, 91), 0, 9), (range(91, 112), 7, 8), (range(112, 133), 4, 8)):
        if person[center, 2]:
            count = len(rows)
            points[list(rows), :2] = person[center, :2] + chance.integers(-reach, reach + 1, (count, 2))
            points[list(rows), 2] = chance.uniform(0.5, 0.9, count)
    return points


def planted(seed: int, picture: Size) -> list[tuple[np.ndarray, np.ndarray]]:
    """(box, 133 points) per person, the points moved to where the network's half pixels can say them."""
    chance = np.random.default_rng(1000 + seed)
    found = []
    for person in crowd.crowd(seed, *picture, apart=24):
        points = wholebody(person, chance)
        box = around(points)
        corner, size = crop_of(box)
        bins = np.round((points[:, :2] - corner) / size * CROP * 2)
        points[:, :2] = bins / 2 / CROP * size + corner
        found.append((box, np.where(points[:, 2:] > 0, points, 0)))
    return found


@pytest.fixture
def bridge(libraries: list[str], comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.detectors.dwpose")


def models(bridge: ModuleType, answers: list[tuple], boxes: np.ndarray) -> object:
    """rtmlib's two tools around sessions that give planted answers."""
    library = importlib.import_module("rtmlib")
    tools = object.__new__(library.YOLOX), object.__new__(library.RTMPose)
    shared = {"backend": "onnxruntime", "mean": None, "std": None}
    tools[0].__dict__ |= shared | {
        "model_input_size": (SIDE, SIDE), "det_mode": "multiclass", "nms_thr": 0.45, "score_thr": 0.5,
        "session": Session(lambda given: [boxes.copy()]),
    }  # fmt: skip
    rest = list(answers)
    tools[1].__dict__ |= shared | {
        "model_input_size": tuple(CROP), "to_openpose": False, "mean": (123.675, 116.28, 103.53),
        "std": (58.395, 57.12, 57.375), "session": Session(lambda given: rest.pop(0)),
    }  # fmt: skip
    return bridge.Models(*tools)


def answers_for(persons: list[tuple[np.ndarray, np.ndarray]]) -> list[list[np.ndarray]]:
    """What the points' network says, in the order in which the boxes come: by score, all equal here."""
    found = []
    for box, points in persons:
        corner, size = crop_of(box)
        found.append(points_answer(np.round((points[:, :2] - corner) / size * CROP * 2), points[:, 2]))
    return found


SIZES = [(307, 502), (611, 397), (1007, 512), (1201, 480), (1303, 431), (1400, 400)]


@pytest.mark.parametrize("seed", range(210))
def test_planted_people_are_found_where_they_are(seed: int, bridge: ModuleType) -> None:
    size = Size(*SIZES[seed % len(SIZES)])
    persons = planted(seed, size)
    cat = np.array([3.0, 3.0, 40.0, 30.0])
    boxes = boxes_answer([*(box for box, _ in persons), cat], [0] * len(persons) + [CAT], size)
    # Equal scores come last row first, and the rows are those of the boxes' middles.
    order = np.argsort([middle_row(box, size) for box, _ in persons])[::-1]
    persons = [persons[index] for index in order]
    detector = importlib.import_module("recompose.bridge.detectors.detect")
    look = bridge.looker(models(bridge, answers_for(persons), boxes), 0.3)
    times = 1 + seed // len(SIZES) % 2
    grey = torch.full((1, 3, times * size.height, times * size.width), 0.5)
    found = detector.by_finds(look, min(size), False, 0.3, grey)
    frame = pose_record.frame_record(found, pose_record.Written.ALL)
    assert frame["canvas_width"] == times * size.width
    assert len(frame["people"]) == len(persons) == 1 + seed % 6
    for one, (_, points) in zip(frame["people"], persons, strict=True):
        check(one, (points + HALF) * (times, times, 1))


def middle_row(box: np.ndarray, picture: Size) -> int:
    return int(boxes_answer([box], [0], picture)[0, :, 4].argmax())


def check(one: dict, points: np.ndarray) -> None:
    """The person has the 133 points where they were planted, and no other; the neck between the shoulders."""
    keys = {
        skeleton.BODY_KEY: [*skeleton.WHOLEBODY_BODY],
        skeleton.FOOT_KEY: [*range(17, 23)],
        skeleton.FACE_KEY: [*range(23, 91), 2, 1],
        skeleton.HAND_LEFT_KEY: [*range(91, 112)],
        skeleton.HAND_RIGHT_KEY: [*range(112, 133)],
    }
    neck = np.append(points[[5, 6], :2].mean(axis=0), points[[5, 6], 2].min())
    points = np.concatenate([points, neck[None]])
    for key, rows in keys.items():
        found, wanted = np.reshape(one[key], (-1, 3)), points[rows]
        assert (found[:, 2] > 0).tolist() == (wanted[:, 2] > 0.3).tolist(), key
        here = wanted[:, 2] > 0.3
        assert np.abs(found[here, :2] - wanted[here, :2]).max(initial=0) <= 0.5, key
    measured = np.array(one["recompose"]["confidence"])
    wanted = points[[*skeleton.WHOLEBODY_BODY, *range(17, 23)], 2]
    assert np.abs(measured - wanted)[wanted > 0.3].max() < 0.01


def test_each_network_gets_the_colours_it_learnt_with(bridge: ModuleType) -> None:
    size = Size(307, 502)
    persons = planted(0, size)
    tools = models(bridge, answers_for(persons), boxes_answer([persons[0][0]], [0], size))
    red = np.zeros((size.height, size.width, 3), np.uint8)
    red[..., 0] = 255
    assert len(bridge.looker(tools, 0.3)(red)) == 1
    (boxes,), (points,) = tools.boxes.session.given, tools.points.session.given
    assert boxes[0, :, 100, 100].tolist() == [0, 0, 255], "blue, green, red"
    middle = points[0, :, 192, 144] * tools.points.std + tools.points.mean
    assert middle == pytest.approx([255, 0, 0], abs=1), "red, green, blue"


def test_where_nobody_is_the_whole_picture_is_not_taken_for_a_person(bridge: ModuleType) -> None:
    size = Size(307, 502)
    cat = boxes_answer([np.array([3.0, 3.0, 40.0, 30.0])], [CAT], size)
    for boxes in (cat, boxes_answer([], [], size)):
        tools = models(bridge, [], boxes)
        assert bridge.looker(tools, 0.3)(np.zeros((size.height, size.width, 3), np.uint8)) == []
        assert tools.points.session.given == []
