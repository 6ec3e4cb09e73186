"""The plan as a picture: photo, people (seen, guessed), new canvas and a legend; needs Pillow only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from ...core.pose import skeleton
from ...core.shapes import Padding, Size, padded
from ..comfy.answers import items, record

Point = tuple[float, float]
Color = tuple[int, int, int]

LONGEST = 1024  # px of the canvas as drawn
FINER = 2  # times as large as it is drawn, lines are drawn first
MARGIN, ROW, FONT = 12, 28, 18  # px around and in the legend
STICK, JOINT, HALO, DASH = 5, 8, 2, 13  # px: a limb's width, a point's radius, the rim around both, a dash
MOST_DASHES = 1000  # of a line, most of which is then outside
FAR = 1e6  # px; nothing beyond is seen
# As in the pose editor: the person's left is blue and round, the right orange and angular.
LEFT, RIGHT, MIDDLE, RIM, EDGE = (86, 180, 233), (230, 159, 0), (244, 244, 244), (20, 20, 20), (0, 114, 178)
PAPER, INK, GROUND, HATCH = (250, 250, 248), (30, 30, 30), (226, 226, 222), (206, 206, 200)
RIGHT_POINTS = frozenset(
    (*range(skeleton.R_SHOULDER, skeleton.R_WRIST + 1), *range(skeleton.R_HIP, skeleton.R_ANKLE + 1))
) | {skeleton.R_EYE, skeleton.R_EAR, skeleton.R_BIG_TOE, skeleton.R_SMALL_TOE, skeleton.R_HEEL}
MIDDLE_POINTS = frozenset((skeleton.NOSE, skeleton.NECK))


class Body(NamedTuple):
    """One person: 24 points in pixels of the photo, which of them are there, and which are guesses."""

    points: Sequence[Point]
    present: Sequence[bool]
    guessed: Sequence[bool]


def bodies(frame: object) -> list[Body]:
    """The people of one frame of a POSE_KEYPOINT in pixels; what is no number there is not there."""
    found = []
    for person in map(record, items(record(frame).get("people"))):
        body = _numbers(person.get(skeleton.BODY_KEY), 3 * skeleton.BODY_POINTS)
        numbers = body + _numbers(person.get(skeleton.FOOT_KEY), 3 * skeleton.FOOT_POINTS)
        marks = _numbers(record(person.get("recompose")).get("estimated"), skeleton.POINTS)
        points = list(zip(numbers[::3], numbers[1::3], strict=True))
        found.append(Body(points, [score > 0 for score in numbers[2::3]], [mark > 0 for mark in marks]))
    return found


def _numbers(listed: object, count: int) -> list[float]:
    found = [_number(each) for each in items(listed)[:count]]
    return found + [0.0] * (count - len(found))


def _number(value: object) -> float:
    fit = isinstance(value, int | float) and math.isfinite(value)
    return max(-FAR, min(float(value), FAR)) if fit else 0.0


def color_of(point: int) -> Color:
    """The colour of the point's side."""
    return MIDDLE if point in MIDDLE_POINTS else RIGHT if point in RIGHT_POINTS else LEFT


class Pen:
    """Draws on a transparent picture `FINER` times as large as what comes out."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.layer = Image.new("RGBA", (size.width * FINER, size.height * FINER))
        self._draw = ImageDraw.Draw(self.layer)

    def line(self, a: Point, b: Point, color: Color, width: float, dashed: bool = False) -> None:
        """A line with a dark rim, in dashes for guesses."""
        pieces = list(dashes(a, b, DASH) if dashed else [(a, b)])
        for rim, tint in ((HALO, RIM), (0, color)):
            for start, end in pieces:
                thick = round((width + 2 * rim) * FINER)
                along = [(x * FINER, y * FINER) for x, y in (start, end)]
                self._draw.line(along, tint, thick)

    def point(self, at: Point, color: Color, angular: bool, hollow: bool) -> None:
        """A point: full, or hollow for a guess; round or angular by its side."""
        shape = self._draw.rectangle if angular else self._draw.ellipse
        for radius, tint in (
            (JOINT, RIM),
            (JOINT - HALO, color),
            (JOINT - 2 * HALO, RIM if hollow else color),
        ):
            reach = radius * (0.9 if angular else 1.0) * FINER
            x, y = at[0] * FINER, at[1] * FINER
            shape((x - reach, y - reach, x + reach, y + reach), fill=tint)

    def onto(self, picture: Image.Image) -> None:
        """Lay what was drawn over the picture, which has this pen's size."""
        small = self.layer.resize(self.size, Image.Resampling.BOX)
        picture.paste(small, (0, 0), small)


def dashes(a: Point, b: Point, length: float) -> Iterator[tuple[Point, Point]]:
    """The line in dashes of about that length, with gaps almost as long; a dash at each end."""
    count = max(1, min(round((math.dist(a, b) / length + 0.8) / 1.8), MOST_DASHES))
    step = 1 / (count + 0.8 * (count - 1))
    for number in range(count):
        start = number * 1.8 * step
        ends = (start, start + step)
        first, last = ((a[0] + (b[0] - a[0]) * at, a[1] + (b[1] - a[1]) * at) for at in ends)
        yield first, last


def _person(pen: Pen, body: Body, place: Point, scale: float) -> None:
    at = [((x + place[0]) * scale, (y + place[1]) * scale) for x, y in body.points]
    limbs = [
        each for each in (*skeleton.LIMBS, *skeleton.FOOT_LIMBS) if all(body.present[point] for point in each)
    ]
    for first, second in limbs:
        guessed = body.guessed[first] or body.guessed[second]
        pen.line(at[first], at[second], color_of(second), STICK, dashed=guessed)
    for point in range(skeleton.POINTS):
        if body.present[point]:
            pen.point(at[point], color_of(point), point in RIGHT_POINTS, body.guessed[point])


def _hatched(size: Size) -> Image.Image:
    picture = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(picture)
    for start in range(-size.height, size.width, 16):
        draw.line(((start, size.height), (start + size.height, 0)), HATCH, 2)
    return picture


def _edge(pen: Pen, box: tuple[float, float, float, float], color: Color, dashed: bool) -> None:
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    for a, b in pairwise(corners):
        pen.line(a, b, color, 2, dashed)


def canvas_picture(photo: Image.Image, people: Sequence[Body], padding: Padding) -> Image.Image:
    """The photo on its new canvas with its people, at most 1024 px long."""
    canvas = padded(Size(*photo.size), padding)
    scale = LONGEST / max(canvas)
    size = Size(*(max(1, round(side * scale)) for side in canvas))
    picture = _hatched(size)
    inner = Size(*(max(1, round(side * scale)) for side in photo.size))
    corner = (round(padding.left * scale), round(padding.top * scale))
    small = photo.convert("RGB").resize(inner, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture.paste(small, corner)
    pen = Pen(size)
    if any(padding):
        _edge(pen, (*corner, corner[0] + inner.width, corner[1] + inner.height), MIDDLE, dashed=False)
        _edge(pen, (2, 2, size.width - 3, size.height - 3), EDGE, dashed=True)
    for body in people:
        _person(pen, body, padding[:2], scale)
    pen.onto(picture)
    return picture


def legend(size: Size, padding: Padding) -> Image.Image:
    """What the marks mean, and how large photo and canvas are."""
    font = ImageFont.load_default(FONT)
    sides = zip(("left", "top", "right", "bottom"), padding, strict=True)
    added = ", ".join(f"{count} px at the {side}" for side, count in sides if count)
    # The font has no ×.
    old, new = (f"{each.width} x {each.height}" for each in (size, padded(size, padding)))
    second = f"photo {old}, canvas {new}: {added}" if added else f"photo {old}, no new canvas"
    marks = ["seen", "guessed"] + (["new canvas"] if added else [])
    widths = [52 + round(font.getlength(mark)) + 24 for mark in marks]
    width = max(sum(widths), round(font.getlength(second)))
    sheet = Image.new("RGB", (width, 2 * ROW), PAPER)
    pen, draw, x = Pen(Size(width, 2 * ROW)), ImageDraw.Draw(sheet), 0
    for mark, wide in zip(marks, widths, strict=True):
        middle = ROW / 2
        if mark == "new canvas":
            sheet.paste(_hatched(Size(40, ROW - 8)), (x, 4))
            _edge(pen, (x, 4, x + 40, ROW - 4), EDGE, dashed=True)
        else:
            pen.line((x + 8, middle), (x + 40, middle), LEFT, STICK, mark == "guessed")
            pen.point((x + 10, middle), LEFT, False, mark == "guessed")
        draw.text((x + 50, middle), mark, INK, font, anchor="lm")
        x += wide
    draw.text((0, ROW * 1.5), second, INK, font, anchor="lm")
    pen.onto(sheet)
    return sheet


def reported(
    photo: Image.Image, pose: object, region: dict[str, int], canvas: tuple[int, int]
) -> Image.Image:
    """The plan that a server carried out: Edit Pose's report of its `pose`, and where the photo lies.

    ValueError where the photo is not on the canvas.
    """
    left, top = int(region["x"]), int(region["y"])
    padding = Padding(left, top, canvas[0] - photo.width - left, canvas[1] - photo.height - top)
    if min(padding) < 0:
        raise ValueError(f"Expected the photo on the canvas of {Size(*canvas)}, got {region}; use its own.")
    return draw(photo, [body for frame in items(pose)[:1] for body in bodies(frame)], padding)


def draw(photo: Image.Image, people: Sequence[Body], padding: Padding) -> Image.Image:
    """The plan: the canvas with the photo and its people, and the legend below it."""
    above, below = canvas_picture(photo, people, padding), legend(Size(*photo.size), padding)
    width = max(above.width, below.width) + 2 * MARGIN
    sheet = Image.new("RGB", (width, above.height + below.height + 3 * MARGIN), PAPER)
    sheet.paste(above, ((width - above.width) // 2, MARGIN))
    sheet.paste(below, (MARGIN, above.height + 2 * MARGIN))
    return sheet
