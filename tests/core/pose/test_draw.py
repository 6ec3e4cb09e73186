"""The skeleton's picture equals controlnet_aux's, pixel by pixel."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from recompose.core.pose import draw, raster, skeleton
from recompose.core.pose.person import Frame, Part, Person, from_rows
from recompose.core.shapes import Size

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "reference_drawing.py"


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def hashes(root: Path) -> list[list[str]]:
    return json.loads((root / "tests/data/pose/drawings.json").read_text())


def value(frame: dict[str, Any]) -> Frame:
    """A frame of the reference, whose people list body, hands and face."""
    people = []
    for person in frame["people"]:
        rows = {key: np.reshape(person.get(key) or [], (-1, 3)) for key in skeleton.KEYS}
        parts = {key: Part(found[:, :2].copy(), found[:, 2] > 0) for key, found in rows.items()}
        body = from_rows(rows[skeleton.BODY_KEY])
        hands = parts[skeleton.HAND_LEFT_KEY], parts[skeleton.HAND_RIGHT_KEY]
        people.append(replace(body, hand_left=hands[0], hand_right=hands[1], face=parts[skeleton.FACE_KEY]))
    return Frame(Size(frame["canvas_width"], frame["canvas_height"]), tuple(people))


def test_500_random_poses_equal_the_committed_hashes(reference, hashes) -> None:
    assert len(hashes) == reference["COUNT"] == 500
    assert sum(len(row) == 2 for row in hashes) == 100
    for seed, (bodies, *whole) in enumerate(hashes):
        frame = value(reference["random_pose"](seed))
        assert reference["digest"](draw.draw(frame, hands=False, face=False)) == bodies, seed
        assert all(reference["digest"](draw.draw(frame)) == drawn for drawn in whole), seed


def test_the_random_poses_hold_what_they_promise(reference) -> None:
    frames = [reference["random_pose"](seed) for seed in range(500)]
    bodies = [
        np.array(person["pose_keypoints_2d"]).reshape(-1, 3) for frame in frames for person in frame["people"]
    ]
    assert {len(frame["people"]) for frame in frames} == {1, 2, 3, 4}
    assert any((body[:, 2] == 0).any() for body in bodies)
    assert any((body[:, 0] < 0).any() for body in bodies)
    assert any((body[body[:, 2] > 0, :2] % 1 == 0).all() for body in bodies)


def test_controlnet_aux_itself_still_draws_the_committed_hashes(hashes) -> None:
    folder = os.environ.get("RECOMPOSE_OVERLAY_CONTROLNET_AUX")
    assert folder, "RECOMPOSE_OVERLAY_CONTROLNET_AUX is not set; `python3 cli test` sets it."
    command = [sys.executable, str(SCRIPT), folder]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == hashes


def disc_by_hand(rows: list[str]) -> set[tuple[int, int]]:
    return {(y, x) for y, row in enumerate(rows) for x, sign in enumerate(row) if sign == "#"}


def covered(indices: np.ndarray, size: Size) -> set[tuple[int, int]]:
    return {(int(index) // size.width, int(index) % size.width) for index in indices}


def test_a_disc_of_radius_two() -> None:
    size = Size(7, 6)
    expected = disc_by_hand([".......", "...#...", "..###..", ".#####.", "..###..", "...#..."])
    assert covered(raster.disc((3, 3), 2, size), size) == expected
    assert covered(raster.disc((-1, 2), 2, size), size) == {(1, 0), (2, 0), (3, 0), (2, 1)}


def test_a_line_rounds_halves_towards_its_start() -> None:
    size = Size(9, 7)
    ends = np.array([[0, 0, 4, 2], [8, 6, 8, 3], [-4, 5, 1, 5]])
    expected = {(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (3, 8), (4, 8), (5, 8), (6, 8), (5, 0), (5, 1)}
    assert covered(raster.lines(ends, size), size) == expected


def person(points: dict[int, tuple[float, float]]) -> Person:
    rows = np.zeros((24, 3))
    for index, at in points.items():
        rows[index] = (*at, 1)
    return from_rows(rows)


def test_colours_widths_and_switches() -> None:
    points = {1: (40, 20), 2: (10, 20), 10: (30, 60), 21: (50, 66), 23: (24, 66)}
    frame = Frame(Size(71, 83), (person(points),))
    thin, thick = draw.draw(frame), draw.draw(frame, stick_width=9)
    assert thin[20, 25].tolist() == [153, 0, 0]
    assert thin[20, 10].tolist() == [255, 170, 0]
    assert thin[60, 30].tolist() == [0, 170, 255]
    assert not thin[66, 50].any()
    assert (thin[20 - 4 : 20 + 5, 25].any(axis=1)).all() and not thin[20 - 6, 25].any()
    assert (thick[20 - 9 : 20 + 10, 25].any(axis=1)).all()
    assert thick[60, 30 - 9].any() and not thin[60, 30 - 9].any()
    feet = draw.draw(frame, feet=True)
    assert feet[66, 50].tolist() == [160, 255, 200] and feet[66, 24].tolist() == [60, 190, 120]
    assert feet[63, 40].any()


def test_far_points_and_nobody_are_no_trouble() -> None:
    far = person({1: (-1e7, 3e7), 2: (35, 41), 3: (2e300, -1e6)})
    frame = Frame(Size(71, 83), (far,))
    assert draw.draw(frame)[41, 35].tolist() == [255, 170, 0]
    empty = draw.draw(Frame(Size(71, 83)))
    assert empty.shape == (83, 71, 3) and not empty.any()


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of the pack's Python a call runs."""
    here, count = str(Path(draw.__file__).parent), 0

    def traced(frame: FrameType, event: str, _: object) -> Callable | None:
        nonlocal count
        if not frame.f_code.co_filename.startswith(here):
            return None
        count += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def test_levels_are_the_same_picture_and_only_what_is_painted_is_written() -> None:
    generator = np.random.default_rng(3)
    body = from_rows(np.concatenate([generator.uniform(-20, 190, (24, 2)), np.ones((24, 1))], 1))
    hand = Part(generator.uniform(20, 90, (21, 2)), np.ones(21, bool))
    face = Part(generator.uniform(20, 90, (70, 2)), np.ones(70, bool))
    people = (replace(body, hand_left=hand, face=face), replace(body, points=body.points * 0.7 + 30))
    frame = Frame(Size(181, 173), people)
    for options in ((4, True, True, True), (2, True, False, False), (9, False, True, False)):
        pixels = np.zeros((173, 181, 3), np.float32)
        draw.draw_levels(pixels, frame, *options)
        assert (pixels == draw.draw(frame, *options).astype(np.float32) / np.float32(255)).all()
        untouched = np.full_like(pixels, 7)
        draw.draw_levels(untouched, frame, *options)
        assert ((untouched == 7) | (untouched == pixels)).all() and (untouched == 7).sum() > 30_000


def test_ten_people_on_1024_are_drawn_without_going_pixel_by_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted, not timed: numpy paints little twice, and Python runs no line for each pixel."""
    generator = np.random.default_rng(7)
    crowd = []
    for _ in range(10):
        at = generator.uniform(-150, 150, (18, 2)) + generator.uniform(200, 800, 2)
        crowd.append(person({index: (float(x), float(y)) for index, (x, y) in enumerate(at)}))
    frame = Frame(Size(1024, 1024), tuple(crowd))
    painted, paint = [], draw._Canvas.paint

    def counted(canvas: Any, indices: np.ndarray, color: Any) -> None:
        painted.append(len(indices))
        paint(canvas, indices, color)

    monkeypatch.setattr(draw._Canvas, "paint", counted)
    shown = int(draw.draw(frame).any(-1).sum())
    assert shown > 100_000
    assert sum(painted) < 3 * shown
    assert lines_run(lambda: draw.draw(frame)) < shown / 2
