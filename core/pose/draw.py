"""People to the picture an OpenPose ControlNet was trained on.

Equal to `draw_bodypose`, `draw_handpose` and `draw_facepose` of controlnet_aux 0.0.10 at a stick width of
4. Those take fractions of the picture and multiply by its size before they cut to whole pixels; a pixel
coordinate here goes the same way (divided, multiplied, cut towards zero), so x = 29 on a width of 61 lands
where theirs does.
"""

from __future__ import annotations

import colorsys
import math

import numpy as np

from ..shapes import Size
from . import raster, skeleton
from .person import Frame, Part, Person

Color = tuple[int, int, int]

STICK_WIDTH = 4
# Beyond this nothing of a stick is seen, and whole numbers stay small enough for the fixed-point steps.
_FAR = 1e7


class _Canvas:
    """A black picture whose pixels are painted by their flat indices."""

    def __init__(self, size: Size) -> None:
        self.size = size
        # One 32-bit word per pixel: a third of the writes of three separate bytes.
        self._pixels = np.zeros((size.height, size.width, 4), dtype=np.uint8)
        self._words = self._pixels.view(np.uint32).reshape(-1)

    def paint(self, indices: np.ndarray, color: Color) -> None:
        self._words[indices] = np.array([*color, 0], dtype=np.uint8).view(np.uint32)[0]

    def rgb(self) -> np.ndarray:
        return self._pixels[..., :3]


class _Levels(_Canvas):
    """The same on pixels H,W,3 float32 of 0…1, which have to be black; the others are not touched."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.size = Size(pixels.shape[1], pixels.shape[0])
        self._levels = pixels.reshape(-1, 3)

    def paint(self, indices: np.ndarray, color: Color) -> None:
        self._levels[indices] = np.array(color, dtype=np.float32) / np.float32(255)


def _on_canvas(points: np.ndarray, size: Size) -> np.ndarray:
    """x, y as fractions of the picture multiplied back to its size: the last bit decides the cut to whole
    pixels."""
    scale = np.array([size.width, size.height], dtype=np.float64)
    return np.clip(points, -_FAR, _FAR) / scale * scale


def _stick(canvas: _Canvas, a: np.ndarray, b: np.ndarray, width: int, color: Color) -> None:
    middle, (dx, dy) = (a + b) / 2, (a - b).tolist()
    length = (dy**2 + dx**2) ** 0.5
    angle = math.degrees(math.atan2(dy, dx))
    center, axes = (int(middle[0]), int(middle[1])), (int(length / 2), width)
    outline = raster.ellipse_polygon(center, axes, int(angle))
    red, green, blue = (int(channel * 0.6) for channel in color)
    canvas.paint(raster.convex_polygon(outline, canvas.size), (red, green, blue))


def _joint(canvas: _Canvas, point: np.ndarray, radius: int, color: Color) -> None:
    canvas.paint(raster.disc((int(point[0]), int(point[1])), radius, canvas.size), color)


def _sticks_and_joints(
    canvas: _Canvas,
    person: Person,
    limbs: tuple[tuple[int, int], ...],
    joints: range,
    colors: tuple[Color, ...],
    width: int,
) -> None:
    at, present = _on_canvas(person.points, canvas.size), person.present
    for (first, second), color in zip(limbs, colors, strict=False):
        if present[first] and present[second]:
            _stick(canvas, at[first], at[second], width, color)
    for joint, color in zip(joints, colors, strict=True):
        if present[joint]:
            _joint(canvas, at[joint], width, color)


def _visible(part: Part, size: Size) -> list[np.ndarray | None]:
    """The points cut to whole pixels; None for absent ones and, as in the reference, at or left of 0."""
    whole = np.trunc(_on_canvas(part.points, size)).astype(np.int64)
    return [
        point if there and (point > 0).all() else None
        for point, there in zip(whole, part.present, strict=True)
    ]


def _hand(canvas: _Canvas, hand: Part, width: int) -> None:
    points = _visible(hand, canvas.size)
    if not points:
        return
    thickness = max(2, round(width / 2))
    for number, (first, second) in enumerate(skeleton.HAND_EDGES):
        a, b = points[first], points[second]
        if a is not None and b is not None:
            hue = colorsys.hsv_to_rgb(number / len(skeleton.HAND_EDGES), 1.0, 1.0)
            red, green, blue = (round(channel * 255) for channel in hue)
            line = raster.thick_line((int(a[0]), int(a[1])), (int(b[0]), int(b[1])), thickness, canvas.size)
            canvas.paint(line, (red, green, blue))
    for point in points:
        if point is not None:
            _joint(canvas, point, width, (0, 0, 255))


def _face(canvas: _Canvas, face: Part, width: int) -> None:
    radius = max(1, round(0.75 * width))
    for point in _visible(face, canvas.size):
        if point is not None:
            _joint(canvas, point, radius, (255, 255, 255))


def draw(
    frame: Frame, stick_width: int = STICK_WIDTH, hands: bool = True, face: bool = True, feet: bool = False
) -> np.ndarray:
    """The people of one frame on black, uint8 H,W,3 in RGB, at the size of the frame's picture.

    `stick_width` is half the breadth of a stick and the radius of a joint in pixels.
    """
    canvas = _Canvas(frame.size)
    _paint(canvas, frame, stick_width, hands, face, feet)
    return canvas.rgb()


def draw_levels(
    pixels: np.ndarray, frame: Frame, stick_width: int, hands: bool, face: bool, feet: bool
) -> None:
    """What `draw` gives, as float32 0…1, into a black picture H,W,3 of the frame's size.

    Only what is painted is written: on a large picture that is far less than the picture.
    """
    _paint(_Levels(pixels), frame, stick_width, hands, face, feet)


def _paint(canvas: _Canvas, frame: Frame, stick_width: int, hands: bool, face: bool, feet: bool) -> None:
    body = range(skeleton.BODY_POINTS)
    toes = range(skeleton.BODY_POINTS, skeleton.POINTS)
    for person in frame.people:
        _sticks_and_joints(canvas, person, skeleton.LIMBS, body, skeleton.COLORS, stick_width)
        if hands:
            _hand(canvas, person.hand_left, stick_width)
            _hand(canvas, person.hand_right, stick_width)
        if face:
            _face(canvas, person.face, stick_width)
        if feet:
            _sticks_and_joints(canvas, person, skeleton.FOOT_LIMBS, toes, skeleton.FOOT_COLORS, stick_width)
