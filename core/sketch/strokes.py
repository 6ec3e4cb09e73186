"""The value of Draw Sketch: strokes as vectors, in JSON.

{"version": 1, "size": [width, height], "strokes": [{"layer": "sketch", "width": 64, "points": "…"}, …]}

The layers are sketch, mask and colour. `width` is in sixteenths of a pixel, 0 for none. `points` is base64
VLQ of (x, y, pressure) per point, each as the difference from the point before, the first one's from 0: x and
y in sixteenths of a pixel from the top left corner, pressure from 0 to 63. A stroke may also have "erase":
true, "fill": true (the area that it encloses) and, on the layer of colours, "colour": "rrggbb".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np

from ..shapes import Size
from . import vlq

VERSION = 1
STEPS = 16  # of a pixel
FULL = 63  # pressure of a mouse
SKETCH, MASK, COLOUR = "sketch", "mask", "colour"
LAYERS = (SKETCH, MASK, COLOUR)
LONGEST_SIDE, LONGEST_TEXT, STROKES, POINTS = 16384, 4_000_000, 20_000, 20_000
WIDEST, FARTHEST = 1024 * STEPS, 32768 * STEPS
# How far the pens of one drawing may go, in steps: some seconds of drawing.
REACH = 1 << 26
BLACK = (0, 0, 0)

DAMAGED = "The saved drawing is damaged and cannot be read; nothing is drawn until you draw anew."
OTHER_VERSION = "The saved drawing was made by another version of Draw Sketch; update the pack."
PARTS_LOST = "Damaged strokes of the saved drawing were left out: {}; check the drawing."


@dataclass(frozen=True)
class Stroke:
    """`points` N,3 int64: x, y in sixteenths of a pixel, pressure 0…63."""

    layer: str
    width: int
    points: np.ndarray
    erase: bool = False
    fill: bool = False
    colour: tuple[int, int, int] = BLACK


@dataclass(frozen=True)
class Drawing:
    """The strokes in the order they were drawn, the size they were drawn at, and a sentence per damage."""

    size: Size | None = None
    strokes: tuple[Stroke, ...] = ()
    notices: list[str] = field(default_factory=list)


def _whole(value: Any, low: int, high: int) -> bool:
    """Whether JavaScript would call it a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return low <= value <= high and value == int(value)


def _points(text: Any) -> np.ndarray | None:
    if not isinstance(text, str):
        return None
    try:
        numbers = vlq.decode(text)
    except ValueError:
        return None
    if not numbers or len(numbers) % 3 or len(numbers) > 3 * POINTS:
        return None
    points = np.cumsum(np.array(numbers, dtype=np.int64).reshape(-1, 3), axis=0)
    near = (np.abs(points[:, :2]) <= FARTHEST).all()
    pressed = ((points[:, 2] >= 0) & (points[:, 2] <= FULL)).all()
    return points if near and pressed else None


def _stroke(entry: Any) -> Stroke | None:
    if not isinstance(entry, dict) or entry.get("layer") not in LAYERS:
        return None
    width: Any = entry.get("width")
    erase, fill = entry.get("erase", False), entry.get("fill", False)
    colour, points = entry.get("colour", "000000"), _points(entry.get("points"))
    if points is None or not _whole(width, 0, WIDEST) or type(erase) is not bool or type(fill) is not bool:
        return None
    if not isinstance(colour, str) or not re.fullmatch(r"[0-9a-f]{6}", colour):
        return None
    red, green, blue = bytes.fromhex(colour)
    return Stroke(entry["layer"], int(width), points, erase, fill, (red, green, blue))


def reach(stroke: Stroke) -> int:
    """How far a stroke's pen goes, in steps."""
    return (
        int(np.abs(np.diff(stroke.points[:, :2], axis=0)).max(axis=1).sum()) if len(stroke.points) > 1 else 0
    )


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def parse(text: Any) -> Drawing:
    """What the value holds; whole strokes of a damaged one are kept and a notice says so. Never raises."""
    if isinstance(text, str) and not text.strip():
        return Drawing()
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        return Drawing(notices=[DAMAGED])
    try:
        record = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return Drawing(notices=[DAMAGED])
    if not isinstance(record, dict) or not isinstance(record.get("strokes"), list):
        return Drawing(notices=[DAMAGED])
    if isinstance(record.get("version"), bool) or record.get("version") != VERSION:
        return Drawing(notices=[OTHER_VERSION])
    size = record.get("size")
    if not isinstance(size, list) or len(size) != 2 or not all(_whole(one, 1, LONGEST_SIDE) for one in size):
        return Drawing(notices=[DAMAGED])
    kept = _within_reach([one for one in map(_stroke, record["strokes"][:STROKES]) if one is not None])
    lost = len(record["strokes"]) - len(kept)
    return Drawing(Size(int(size[0]), int(size[1])), tuple(kept), [PARTS_LOST.format(lost)] if lost else [])


def _within_reach(strokes: list[Stroke]) -> list[Stroke]:
    kept, left = [], REACH
    for stroke in strokes:
        far = reach(stroke)
        if far <= left:
            left -= far
            kept.append(stroke)
    return kept


def written(size: Size, strokes: tuple[Stroke, ...] | list[Stroke]) -> str:
    """The value that holds these strokes."""
    entries = []
    for stroke in strokes:
        changes = np.diff(stroke.points, axis=0, prepend=np.zeros((1, 3), dtype=np.int64))
        entry: dict[str, Any] = {"layer": stroke.layer, "width": stroke.width}
        entry |= {name: True for name in ("erase", "fill") if getattr(stroke, name)}
        entry |= {"colour": bytes(stroke.colour).hex()} if stroke.colour != BLACK else {}
        entries.append(entry | {"points": vlq.encode(changes.ravel().tolist())})
    return json.dumps({"version": VERSION, "size": list(size), "strokes": entries}, separators=(",", ":"))


def rescaled(drawing: Drawing, size: Size) -> tuple[Stroke, ...]:
    """The strokes on a picture of another size: scaled by the smaller ratio, in the middle; halves go up."""
    old = drawing.size
    if old is None or old == size:
        return drawing.strokes
    wide = size.width * old.height > size.height * old.width
    new, one = (size.height, old.height) if wide else (size.width, old.width)
    offset = [
        ((mine * one - theirs * new) * STEPS + one) // (2 * one)
        for mine, theirs in zip(size, old, strict=True)
    ]

    def scaled(stroke: Stroke) -> Stroke:
        points = stroke.points.copy()
        points[:, :2] = (2 * points[:, :2] * new + one) // (2 * one) + offset
        width = min((2 * stroke.width * new + one) // (2 * one), WIDEST)
        return replace(stroke, width=width, points=points)

    return tuple(map(scaled, drawing.strokes))
