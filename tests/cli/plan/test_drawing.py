"""The plan's picture: where photo and canvas are, and how what was seen and what was guessed differ."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli.plan import drawing
from recompose.cli.plan.drawing import Body
from recompose.core.pose import skeleton
from recompose.core.shapes import Padding, Size

GREY = (90, 120, 60)  # of photos here; like none of the colours that are drawn


def body(points: dict[int, tuple[float, float]], guessed: tuple[int, ...] = ()) -> Body:
    at = [points.get(index, (0.0, 0.0)) for index in range(skeleton.POINTS)]
    numbers = range(skeleton.POINTS)
    return Body(at, [index in points for index in numbers], [index in guessed for index in numbers])


def canvas(size: Size, padding: Padding, *people: Body) -> np.ndarray:
    return np.asarray(drawing.canvas_picture(Image.new("RGB", size, GREY), people, padding)).astype(int)


def is_near(pixels: np.ndarray, color: tuple[int, int, int], within: int = 3) -> np.ndarray:
    return (np.abs(pixels - color) <= within).all(axis=-1)


def test_the_photo_lies_on_the_canvas_where_its_padding_says() -> None:
    shown = canvas(Size(128, 256), Padding(64, 0, 64, 256))
    assert shown.shape == (1024, 512, 3)  # twice as large
    photo = is_near(shown, GREY)
    rows, columns = np.nonzero(photo)
    assert 0 <= rows.min() <= 6 and 512 - 6 <= rows.max() < 512
    assert 128 <= columns.min() <= 128 + 6 and 384 - 6 <= columns.max() < 384
    assert photo[8:500, 136:376].all()
    assert not photo[:, :128].any() and not photo[:, 384:].any() and not photo[512:].any()
    # What is new is light, and hatched.
    new = shown[530:1000, 20:490]
    assert set(map(tuple, new.reshape(-1, 3))) == {drawing.GROUND, drawing.HATCH}


def test_without_new_canvas_there_is_the_photo_alone() -> None:
    assert is_near(canvas(Size(300, 200), Padding()), GREY).all()


@pytest.mark.parametrize(
    "size", [Size(1, 1), Size(1, 4000), Size(4000, 1), Size(3000, 4000), Size(17, 13)], ids=str
)
def test_every_size_gives_a_picture_of_the_same_length(size: Size) -> None:
    person = body({skeleton.NECK: (0.5, 0.5), skeleton.L_HIP: (1e6, -1e6)})
    for padding in (Padding(), Padding(1, 2, 3, 4), Padding(0, 0, 0, size.height)):
        assert max(canvas(size, padding, person).shape) == 1024


def gaps(line: np.ndarray, color: tuple[int, int, int]) -> int:
    """How many pieces of a line are not in its colour."""
    there = is_near(line, color, 40)
    return int((there[:-1] & ~there[1:]).sum())


def test_a_seen_limb_is_one_line_and_a_guessed_one_dashes() -> None:
    for guessed, pieces in (((), 0), ((skeleton.L_ANKLE,), 8)):
        leg = {skeleton.L_KNEE: (50.0, 20.0), skeleton.L_ANKLE: (50.0, 90.0)}
        shown = canvas(Size(100, 100), Padding(), body(leg, guessed))
        line = shown[240:890, 512]  # between the two points
        assert gaps(line, drawing.LEFT) >= pieces
        assert pieces or is_near(line, drawing.LEFT).all()


def test_a_limb_is_guessed_where_one_of_its_points_is() -> None:
    leg = {skeleton.R_HIP: (50.0, 10.0), skeleton.R_KNEE: (50.0, 50.0), skeleton.R_ANKLE: (50.0, 90.0)}
    shown = canvas(Size(100, 100), Padding(), body(leg, (skeleton.R_ANKLE,)))
    assert gaps(shown[130:490, 512], drawing.RIGHT) == 0
    assert gaps(shown[540:890, 512], drawing.RIGHT) > 3


@pytest.mark.parametrize("point", [skeleton.NOSE, skeleton.L_ELBOW, skeleton.R_ELBOW, skeleton.L_HEEL])
def test_a_seen_point_is_full_and_a_guessed_one_hollow(point: int) -> None:
    for guessed in (False, True):
        marks = (point,) if guessed else ()
        shown = canvas(Size(64, 64), Padding(), body({point: (32.0, 40.0)}, marks))
        inside = drawing.RIM if guessed else drawing.color_of(point)
        assert is_near(shown[640, 512], inside)
        assert is_near(shown[640, 512:520], drawing.color_of(point), 60).any()


def test_the_sides_have_the_editor_s_colours(root: Path) -> None:
    source = (root / "js" / ".modules" / "pose" / "view" / "paint.js").read_text(encoding="utf-8")
    sides = (drawing.LEFT, drawing.RIGHT, drawing.MIDDLE)
    listed = ", ".join(f'"#{bytes(color).hex()}"' for color in sides)
    assert f"SIDE_COLORS = [{listed}]" in source
    for point, mirrored in enumerate(skeleton.MIRRORED):
        colors = {drawing.color_of(point), drawing.color_of(mirrored)}
        assert colors == ({drawing.MIDDLE} if point == mirrored else {drawing.LEFT, drawing.RIGHT})
    assert drawing.color_of(skeleton.L_WRIST) == drawing.LEFT


def test_people_of_a_report_are_read() -> None:
    flat = [value for index in range(18) for value in (index + 0.5, 2 * index, index % 2)]
    feet = [7, 8, 1] + [0] * 15
    record = {"people": [{"pose_keypoints_2d": flat, "foot_keypoints_2d": feet}]}
    (found,) = drawing.bodies(record)
    assert list(found.points[:3]) == [(0.5, 0), (1.5, 2), (2.5, 4)] and found.points[18] == (7, 8)
    assert [index for index in range(24) if found.present[index]] == [*range(1, 18, 2), 18]
    assert not any(found.guessed)
    record["people"][0]["recompose"] = {"estimated": [0] * 18 + [1]}
    (found,) = drawing.bodies(record)
    assert [index for index in range(24) if found.guessed[index]] == [18]


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {"people": None},
        {"people": [None, 3]},
        {"people": [{"pose_keypoints_2d": "text", "recompose": [1]}]},
        {"people": [{"pose_keypoints_2d": [None, math.nan, math.inf, 1e300, -1e300, "1"] * 9}]},
        {"people": [{"pose_keypoints_2d": [1] * 3000, "recompose": {"estimated": [1] * 3000}}]},
    ],
)
def test_whatever_a_server_sends_for_people_is_drawn(record: object) -> None:
    photo = Image.new("RGB", (40, 30), GREY)
    region = {"x": 0, "y": 0, "width": 40, "height": 30}
    assert drawing.reported(photo, [record], region, (40, 64)).height > 1024
    assert drawing.reported(photo, record, region, (40, 30)).width > 1024


@pytest.mark.parametrize("region", [{"x": 1, "y": 0}, {"x": -1, "y": 0}, {"x": 0, "y": 40}])
def test_a_photo_that_is_not_on_the_canvas_is_refused(region: dict) -> None:
    with pytest.raises(ValueError, match="Expected the photo on the canvas of 40×64"):
        drawing.reported(Image.new("RGB", (40, 30)), [], region, (40, 64))


@pytest.mark.parametrize("length", [0.0, 3.0, 14.0, 100.0, 1e9])
def test_dashes_lie_on_their_line_and_reach_both_ends(length: float) -> None:
    found = list(drawing.dashes((5.0, 5.0), (5.0, 5.0 + length), 13))
    assert found[0][0] == (5.0, 5.0) and found[-1][1][1] == pytest.approx(5 + length)
    assert len(found) <= drawing.MOST_DASHES


def test_the_legend_names_sizes_and_new_sides() -> None:
    wide, narrow = (drawing.legend(Size(10, 20), each) for each in (Padding(1, 2, 3, 4), Padding(bottom=4)))
    assert wide.height == narrow.height and wide.width > narrow.width


def test_it_draws_with_pillow_and_the_standard_library_alone(root: Path) -> None:
    code = (
        "import sys, types; alias = types.ModuleType('recompose'); alias.__path__ = [sys.argv[1]]\n"
        "sys.modules['recompose'] = alias\n"
        "import recompose.cli.plan.drawing\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'numpy', 'comfy'}))"
    )
    said = subprocess.check_output([sys.executable, "-c", code, str(root)], text=True)
    assert said == "[]\n"
