"""People in pictures: an astronaut, once and twice, turned and cut, and pictures without anybody."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recompose.core.pose import skeleton
from recompose.core.pose.blazepose import find, landmarks
from recompose.core.pose.blazepose.find import Finder
from recompose.core.pose.blazepose.region import Region
from recompose.core.pose.choices import PERSON_SCORE
from recompose.core.shapes import Size

# Seen by eye in the photograph of 512 pixels a side; R and L are the person's own.
PLACES = {
    skeleton.NOSE: (221, 127),
    skeleton.R_EYE: (202, 102),
    skeleton.L_EYE: (246, 104),
    skeleton.R_SHOULDER: (108, 238),
    skeleton.L_SHOULDER: (318, 250),
}
NEAR = 35  # pixels: a shoulder in a space suit is no point


def test_an_astronaut_is_found_where_she_is(finder: Finder, astronaut: torch.Tensor) -> None:
    frame = find.frame(astronaut, finder)
    assert frame.size == Size(512, 512)
    (person,) = frame.people
    for number, place in PLACES.items():
        assert person.measured[number], number
        assert np.hypot(*(person.points[number] - place)) < NEAR, number
    legs = [skeleton.R_KNEE, skeleton.L_KNEE, skeleton.R_ANKLE, skeleton.L_ANKLE]
    assert person.estimated[legs].all() and (person.points[legs, 1] > 512).all(), "below the photograph"


def test_whoever_stands_beside_her_is_found_too(finder: Finder, astronaut: torch.Tensor) -> None:
    pair = torch.cat([astronaut, astronaut.flip(3)], dim=3)
    left, right = find.frame(pair, finder).people
    one, other = (person.points[skeleton.NOSE] for person in (left, right))
    assert abs(one[0] - 221) < NEAR and abs(other[0] - 803) < NEAR, "from left to right"


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_points_are_in_the_picture_s_pixels(finder: Finder, astronaut: torch.Tensor, scale: float) -> None:
    picture = torch.nn.functional.interpolate(astronaut, scale_factor=scale, mode="bilinear", antialias=True)
    (person,) = find.frame(picture, finder).people
    for number, place in PLACES.items():
        assert np.hypot(*(person.points[number] / scale - place)) < NEAR, number


def test_a_turned_photograph_turns_the_person(finder: Finder, astronaut: torch.Tensor) -> None:
    (upright,) = find.people(astronaut, finder)
    (turned,) = find.people(
        astronaut.rot90(1, (2, 3)), finder, 0.2
    )  # counterclockwise: x, y become y, 512 − x
    right = np.column_stack([upright.points[:, 1], 512 - upright.points[:, 0]])
    shoulders = [11, 12]
    assert np.hypot(*(turned.points[shoulders, :2] - right[shoulders]).T).max() < 40


def test_nobody_is_in_pictures_of_nothing(finder: Finder) -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 240), torch.linspace(0, 1, 320), indexing="ij")
    pictures = {
        "black": torch.zeros(1, 3, 240, 320),
        "white": torch.ones(1, 3, 200, 100),
        "noise": torch.rand((1, 3, 256, 256), generator=torch.Generator().manual_seed(1)),
        "ramp": torch.stack([x, y, 1 - x])[None],
        "stripes": ((x * 40).floor() % 2).expand(1, 3, -1, -1),
        "one pixel": torch.rand(1, 3, 1, 1),
        "a line": torch.rand(1, 3, 2, 900),
    }
    for name, picture in pictures.items():
        assert find.frame(picture, finder).people == (), name


def test_the_squares_that_are_seen() -> None:
    assert find.squares(Size(100, 100)) == [(0, 0, 100, 100)], "smaller ones show nothing more"
    assert find.squares(Size(300, 200)) == [
        (0, 0, 300, 200),
        *[(0, 0, 200, 200), (100, 0, 300, 200)],
        *[(left, top, left + 120, top + 120) for top in (0, 40, 80) for left in (0, 60, 120, 180)],
    ]
    for size in (Size(2000, 500), Size(500, 2000), Size(777, 1000)):
        seen = np.zeros((size.height, size.width), int)
        for left, top, right, bottom in find.squares(size)[1:]:
            assert 0 <= left < right <= size.width and 0 <= top < bottom <= size.height
            seen[top:bottom, left:right] += 1
        assert seen.min() >= 1


def planted(x: float, side: float, score: float, spread: float = 0.25) -> find.Found:
    """Somebody whose trunk is around x, 100."""
    points = np.zeros((39, 4))
    angles = np.linspace(0, 6, 39)
    points[:, 0], points[:, 1] = x + spread * side * np.cos(angles), 100 + spread * side * np.sin(angles)
    return find.Found(points, Region(x, 100, side, 0), score)


@pytest.mark.parametrize(
    ("people", "kept"),
    [
        ([planted(100, 200, 0.9), planted(110, 205, 0.8)], [0.9]),  # one person seen twice
        ([planted(110, 205, 0.8), planted(100, 200, 0.9)], [0.9]),
        ([planted(100, 200, 0.9), planted(130, 200, 0.8)], [0.9, 0.8]),  # neighbours
        ([planted(100, 200, 0.9), planted(105, 90, 0.8)], [0.9]),  # a part of that person
        ([planted(100, 200, 0.9), planted(170, 90, 0.8)], [0.9, 0.8]),  # a child beside
        ([], []),
    ],
)
def test_everybody_counts_once(people: list[find.Found], kept: list[float]) -> None:
    assert [one.score for one in find.each_once(people)] == kept


def moving(shift: float, presence: float = 1.0) -> Finder:
    """Networks that see somebody in the middle, on the second look `shift` pixels off."""
    looks = iter([0.0, shift] * 100)

    def detector(_: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows, logits = torch.zeros(1, 2254, 12), torch.full((1, 2254, 1), -20.0)
        number = 1568 + 2 * (7 * 14 + 7)
        rows[0, number] = torch.tensor([0, 0, 60, 120, -8, -8, -8, -60, 0, 0, 0, 0.0])
        logits[0, number] = 2.0
        return rows, logits

    def points(pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        raw = torch.zeros(1, 39, 5)
        raw[..., :2] = 128 + next(looks)
        raw[:, landmarks.EDGE, 1] = 128 - 256 / 2.5
        raw[..., 3:] = 9.0
        return raw.flatten(1), torch.tensor([[presence]]), torch.full((1, 64, 64, 39), -30.0)

    return Finder(detector, points, torch.device("cpu"))


def test_whose_points_move_on_the_second_look_is_nobody() -> None:
    picture = torch.rand(1, 3, 90, 90)
    sure = 1 / (1 + np.exp(-2.0))
    (still,) = find.people(picture, moving(0.0), 0.1)
    assert still.score == pytest.approx(sure, abs=1e-3)
    (moved,) = find.people(picture, moving(1.5), 0.1)
    # By (1.5, 1.5) of the square's 256 pixels; three hundredths of the side are nobody.
    assert moved.score == pytest.approx(sure * (1 - np.hypot(1.5, 1.5) / 256 / 0.03), abs=1e-3)
    assert find.people(picture, moving(8.0), 0.1) == []
    assert find.people(picture, moving(0.0, presence=0.2), 0.1) == []
    (faint,) = find.people(picture, moving(0.0, presence=0.5), 0.1)
    assert faint.score == pytest.approx(sure / 2, abs=1e-3)
    assert 0.4 < PERSON_SCORE < 0.5


def test_a_lower_score_lets_more_people_through(finder: Finder, astronaut: torch.Tensor) -> None:
    (one,) = find.people(astronaut, finder)
    assert find.people(astronaut, finder, one.score + 0.01) == []
