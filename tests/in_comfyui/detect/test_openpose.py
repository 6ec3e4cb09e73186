"""OpenPose on planted maps: the library decodes what a network would say, the adapter gives it as a pose."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
import torch
from recompose.bridge import pose_record
from recompose.core.pose import decode, skeleton
from recompose.core.shapes import Size
from recompose.tests.in_comfyui.detect import crowd
from torch import Tensor, nn

BODY, HANDS, FACE = "body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"
CELL = 8  # pixels of the network's input
ROWS = 184  # pixels of the network's input that the library gives a picture's height
SIGMA = 1.0  # cells
LIMB = 0.8  # cells, half the breadth of a limb's field
# The public network's 19 fields: points (counted from 1) and the first of each field's two channels.
FIELDS = {
    (2, 3): 12, (2, 6): 20, (3, 4): 14, (4, 5): 16, (6, 7): 22, (7, 8): 24, (2, 9): 0, (9, 10): 2,
    (10, 11): 4, (2, 12): 6, (12, 13): 8, (13, 14): 10, (2, 1): 28, (1, 15): 30, (15, 17): 34, (1, 16): 32,
    (16, 18): 36, (3, 17): 18, (6, 18): 26,
}  # fmt: skip


class Body(nn.Module):
    """Says what the public body network would say of people at given pixels of a picture of a given size."""

    def __init__(self, persons: list[np.ndarray], size: Size, sigma: float = SIGMA) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.persons, self.size, self.sigma = persons, size, sigma

    def cells(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the picture as cells of the map, by the middles of both."""
        scale = ROWS / self.size.height
        within = np.array([int(self.size.width * scale), int(self.size.height * scale)])
        return ((points[:, :2] + 0.5) * within / np.array(self.size)) / CELL - 0.5

    def forward(self, given: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = given.shape[-2] // CELL, given.shape[-1] // CELL
        y, x = np.mgrid[:rows, :columns].astype(float)
        maps, fields = np.zeros((19, rows, columns)), np.zeros((38, rows, columns))
        for person in self.persons:
            at = self.cells(person)
            for part in np.flatnonzero(person[:18, 2]):
                square = (x - at[part, 0]) ** 2 + (y - at[part, 1]) ** 2
                maps[part] = np.maximum(maps[part], person[part, 2] * np.exp(-square / (2 * self.sigma**2)))
            for (first, second), channel in FIELDS.items():
                if person[first - 1, 2] and person[second - 1, 2]:
                    plant(fields[channel : channel + 2], at[first - 1], at[second - 1], x, y)
        maps[18] = 1 - maps[:18].max(axis=0)
        return torch.from_numpy(fields)[None].float(), torch.from_numpy(maps)[None].float()


def plant(field: np.ndarray, a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Add the unit vector from a to b around the line between them."""
    along = b - a
    length = max(float(np.hypot(*along)), 1e-6)
    unit = along / length
    t = np.clip((x - a[0]) * unit[0] + (y - a[1]) * unit[1], 0, length)
    far = np.hypot(x - a[0] - t * unit[0], y - a[1] - t * unit[1])
    field += unit[:, None, None] * np.clip(2 - far / LIMB, 0, 1)


class Maps(nn.Module):
    """Says one after the other what a network of `channels` maps would say of points (in cells, N,3)."""

    def __init__(self, channels: int, answers: list[np.ndarray], listed: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.channels, self.answers, self.listed, self.asked = channels, answers, listed, 0

    def forward(self, given: Tensor) -> Tensor | list[Tensor]:
        repeats = 1 if self.listed else 4  # The library looks at a hand at four sizes.
        points = self.answers[self.asked // repeats]
        self.asked += 1
        side = given.shape[-1] // CELL
        y, x = np.mgrid[:side, :side].astype(float)
        maps = np.zeros((self.channels, side, side))
        for part, (u, v, score) in enumerate(points):
            square = (x + 0.5 - u * side) ** 2 + (y + 0.5 - v * side) ** 2
            maps[part] = score * np.exp(-square / (2 * (SIGMA * side / 23) ** 2))
        found = torch.from_numpy(maps)[None].float()
        return [found] if self.listed else found


@pytest.fixture
def bridge(libraries: list[str], comfy: ModuleType) -> Iterator[ModuleType]:
    yield importlib.import_module("recompose.bridge.detectors.openpose")


def found(bridge: ModuleType, networks: dict[str, nn.Module], picture: Size, resolution: int) -> dict:
    """The frame that Detect Pose makes of a grey picture with these networks."""
    detector = importlib.import_module("recompose.bridge.detectors.detect")
    with torch.inference_mode():
        grey = torch.full((1, 3, picture.height, picture.width), 0.5)
        frame = detector.by_finds(bridge.looker(networks), resolution, True, 0.3, grey)
    return pose_record.frame_record(frame, pose_record.Written.ALL)


def points_of(one: dict) -> np.ndarray:
    """The person's 24 points."""
    return np.reshape([*one[skeleton.BODY_KEY], *one[skeleton.FOOT_KEY]], (-1, 3))


def matched(frame: dict, expected: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, dict]]:
    """Who was found (24,3), who was planted, and the person's dictionary, paired by the nearest neck."""
    assert len(frame["people"]) == len(expected) > 0
    rest = list(frame["people"])
    pairs = []
    for person in expected:
        neck = [np.hypot(*(points_of(one)[1, :2] - person[1, :2])) for one in rest]
        one = rest.pop(int(np.argmin(neck)))
        pairs.append((points_of(one), person, one))
    return pairs


def in_picture(person: np.ndarray, seen: Size, picture: Size) -> np.ndarray:
    """Planted pixels as the points of the picture that their middles are."""
    moved = person.copy()
    moved[:, :2] = (person[:, :2] + 0.5) * np.array(picture) / np.array(seen)
    return np.where(person[:, 2:] > 0, moved, 0)


APART = 3.3  # cells
# Pictures by the number of people less one: a map always has 23 rows, so a crowd needs breadth.
SIZES = [(607, 911), (911, 607), (1211, 601), (640, 280), (300, 107), (1801, 602)]


def planted(seed: int, seen: Size) -> list[np.ndarray]:
    """People without feet, which the network does not know."""
    persons = crowd.crowd(seed, *seen, APART * seen.height * CELL / ROWS)
    for person in persons:
        person[skeleton.BODY_POINTS :] = 0
    return persons


@pytest.mark.parametrize("seed", range(210))
def test_planted_people_are_found_where_they_are(seed: int, bridge: ModuleType) -> None:
    picture, resolution = Size(*SIZES[seed % len(SIZES)]), (256, 160, 208)[seed // len(SIZES) % 3]
    seen = decode.detection_size(picture, resolution, True)
    persons = planted(seed, seen)
    frame = found(bridge, {BODY: Body(persons, seen)}, picture, resolution)
    assert (frame["canvas_width"], frame["canvas_height"]) == picture
    expected = [in_picture(person, seen, picture) for person in persons]
    for points, person, one in matched(frame, expected):
        assert (points[:, 2] > 0).tolist() == (person[:, 2] > 0).tolist()
        assert np.abs(points[:, :2] - person[:, :2]).max() <= 0.5
        confidence = np.array(one["recompose"]["confidence"])
        assert np.abs(confidence - person[:, 2]).max() < 0.05


def crosses(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Whether the lines a–b and c–d cross."""

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return float(np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def limbs_of(person: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(person[a, :2], person[b, :2]) for a, b in skeleton.LIMBS if person[a, 2] and person[b, 2]]


def test_the_planted_people_are_as_many_and_as_entangled_as_promised() -> None:
    crossed, hidden, counts = 0, 0, []
    for seed in range(210):
        seen = decode.detection_size(Size(*SIZES[seed % len(SIZES)]), 256, True)
        persons = planted(seed, seen)
        counts.append(len(persons))
        hidden += any((person[:18, 2] == 0).any() for person in persons)
        limbs = [limb for person in persons for limb in limbs_of(person)]
        crossed += any(crosses(*one, *other) for one in limbs for other in limbs)
    assert {count: counts.count(count) for count in range(1, 7)} == dict.fromkeys(range(1, 7), 35)
    assert hidden >= 150 and crossed >= 150


def standing(size: Size) -> np.ndarray:
    """One whole person with both arms and a face, 24,3, without feet."""
    head = (size.height - 60) / 7.2
    at = np.array([crowd.STANDING[index] for index in range(24)]) * head + (size.width / 2, 30 + 0.85 * head)
    person = np.insert(np.round(at), 2, 0.9, axis=1)
    person[18:] = 0
    return person


def body_of(library: ModuleType, person: np.ndarray) -> object:
    points = [library.body.Keypoint(x, y, score) for x, y, score in person[:18]]
    return library.body.BodyResult(points, 1.0, 18)


@pytest.mark.parametrize("seed", range(6))
def test_hands_and_face_are_found_where_they_are(seed: int, bridge: ModuleType) -> None:
    chance = np.random.default_rng(seed)
    size = Size(*[(512, 768), (605, 801), (301, 512)][seed % 3])
    person, library = standing(size), bridge.library()
    networks: dict[str, nn.Module] = {BODY: Body([person], size, 1.4)}
    (seen,) = found(bridge, networks, size, min(size))["people"]
    person = points_of(seen) - (0.5, 0.5, 0)  # where the squares of hands and face are laid around
    boxes = library.util.handDetect(body_of(library, person), np.zeros((size.height, size.width, 3)))
    assert [box[3] for box in boxes] == [True, False]
    answers, expected = [], []
    for left, top, side, _ in boxes:
        rows = chance.integers(16, 112, (21, 2))
        answers.append(np.insert((rows + 0.5) / 128, 2, 0.8, axis=1))
        expected.append((rows + 0.5) * side / 128 + (left, top))
        answers[-1][3, 2] = 0
    left, top, side = library.util.faceDetect(
        body_of(library, person), np.zeros((size.height, size.width, 3))
    )
    landmarks = (chance.integers(3, 45, (70, 2)) + 0.5) * side / 48  # The library is exact to a cell.
    scores = chance.uniform(0.4, 0.9, 70).round(2)
    scores[[5, 33]] = 0.0
    networks[HANDS] = Maps(22, answers, listed=False)
    networks[FACE] = Maps(71, [np.column_stack([landmarks / side, scores])], listed=True)
    (one,) = found(bridge, networks, size, min(size))["people"]
    for key, points in zip((skeleton.HAND_LEFT_KEY, skeleton.HAND_RIGHT_KEY), expected, strict=True):
        hand = np.reshape(one[key], (-1, 3))
        assert np.flatnonzero(hand[:, 2] == 0).tolist() == [3]
        assert np.abs(hand[hand[:, 2] > 0, :2] - np.delete(points, 3, axis=0)).max() <= 0.5
    face = np.reshape(one[skeleton.FACE_KEY], (-1, 3))
    assert np.flatnonzero(face[:, 2] == 0).tolist() == [5, 33]
    assert np.abs(face[:, :2] - landmarks - (left, top))[scores > 0].max() <= 0.01
