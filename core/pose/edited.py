"""Edit Pose's value: read it, tell whether the detection it was made from is still the same, apply it.

The value is JSON, written by the editor (js/.modules/pose/io/value.js describes it):
{"version": 1, "frames": {"0": {"size": [width, height], "fingerprint": "16 hexadecimal digits or empty",
"people": [{"from": 0, "flags": "1130…", "xy": [x, y, …]}]}}}. `flags` has one hexadecimal digit per point (1
present, 2 estimated, 4 locked, 8 hidden) over body, feet, left hand, right hand and face; `xy` holds the
present points in sixteenths of a pixel.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np

from ..shapes import Size
from . import skeleton
from .person import Frame, Part, Person
from .template import STEPS_PER_PIXEL, quantised

VERSION = 1
PRESENT, ESTIMATED, HIDDEN = 1, 2, 8
# The editor's row of points: which rows of it lie under which key.
ROWS: dict[str, slice] = {
    skeleton.BODY_KEY: slice(0, 18),
    skeleton.FOOT_KEY: slice(18, 24),
    skeleton.HAND_LEFT_KEY: slice(24, 45),
    skeleton.HAND_RIGHT_KEY: slice(45, 66),
    skeleton.FACE_KEY: slice(66, 136),
}
POINTS = 136
LONGEST_TEXT, FRAMES, PEOPLE, LONGEST_SIDE, FARTHEST = 16_000_000, 4096, 100, 16384, 1_000_000

DAMAGED = "The saved edit is damaged and cannot be read; the incoming pose is used until you edit it again."
OTHER_VERSION = (
    "The saved edit was made by another version of Edit Pose; the incoming pose is used, update the pack."
)
PARTS_LOST = "Parts of the saved edit are damaged and were left out; check the pose."


@dataclass(frozen=True)
class EditedPerson:
    """`flags` 136, `xy` 136,2 in pixels (0 where absent), `source` the detected person or -1."""

    source: int
    flags: np.ndarray
    xy: np.ndarray


@dataclass(frozen=True)
class EditedFrame:
    """The people of one picture of `size`, and the fingerprint of the detection they were made from."""

    size: Size
    fingerprint: str
    people: list[EditedPerson]


@dataclass(frozen=True)
class Edit:
    """The edited frames by their number in the batch, and a sentence per kind of damage."""

    frames: dict[int, EditedFrame] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def _whole(value: Any, low: int, high: int) -> bool:
    """Whether JavaScript would call it a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return low <= value <= high and value == int(value)


def _person(entry: Any) -> EditedPerson | None:
    if not isinstance(entry, dict):
        return None
    flags, xy, source = entry.get("flags"), entry.get("xy"), entry.get("from", -1)
    if not isinstance(flags, str) or not isinstance(xy, list) or not _whole(source, -1, PEOPLE):
        return None
    if len(flags) > POINTS or not re.fullmatch(r"[013579bdf]*", flags):
        return None
    bits = np.array([int(digit, 16) for digit in flags.ljust(POINTS, "0")], dtype=np.uint8)
    present = bits > 0
    farthest = FARTHEST * STEPS_PER_PIXEL
    if len(xy) != 2 * present.sum() or not all(_whole(value, -farthest, farthest) for value in xy):
        return None
    points = np.zeros((POINTS, 2))
    points[present] = np.array(xy, dtype=np.float64).reshape(-1, 2) / STEPS_PER_PIXEL + 0.0
    return EditedPerson(int(source), bits, points)


def _frame(entry: Any) -> tuple[EditedFrame, int] | None:
    """The frame and how many of its parts were lost; None where nothing can be used."""
    if not isinstance(entry, dict):
        return None
    size, found, fingerprint = entry.get("size"), entry.get("people"), entry.get("fingerprint")
    if not isinstance(size, list) or len(size) != 2 or not isinstance(found, list):
        return None
    if not all(_whole(side, 1, LONGEST_SIDE) for side in size):
        return None
    known = isinstance(fingerprint, str) and bool(re.fullmatch(r"([0-9a-f]{16})?", fingerprint))
    kept = [person for person in map(_person, found[:PEOPLE]) if person is not None]
    if found and not kept:
        # Nobody can be read; to take that for "everybody was deleted" would empty the picture.
        return None
    frame = EditedFrame(Size(int(size[0]), int(size[1])), str(fingerprint) if known else "", kept)
    return frame, len(found) - len(kept) + (not known)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def parse(text: Any) -> Edit:
    """What the value holds; whatever is whole in a damaged one is kept and a notice says so. Never raises."""
    if isinstance(text, str) and not text.strip():
        return Edit()
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        return Edit(notices=[DAMAGED])
    try:
        record = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return Edit(notices=[DAMAGED])
    if not isinstance(record, dict) or not isinstance(record.get("frames"), dict):
        return Edit(notices=[DAMAGED])
    if isinstance(record.get("version"), bool) or record.get("version") != VERSION:
        return Edit(notices=[OTHER_VERSION])
    read = {key: _frame(entry) for key, entry in record["frames"].items() if _is_number(key)}
    frames = {int(key): found[0] for key, found in sorted(read.items()) if found}
    lost = len(record["frames"]) - len(frames) + sum(found[1] for found in read.values() if found)
    return Edit(frames, [PARTS_LOST] if lost else [])


def _is_number(key: str) -> bool:
    return bool(re.fullmatch(r"0|[1-9][0-9]{0,3}", key)) and int(key) < FRAMES


def rescaled(frame: EditedFrame, size: Size) -> EditedFrame:
    """The same people on a picture of another size: scaled by the smaller ratio, in the middle."""
    if frame.size == size:
        return frame
    ratios = np.array(size, dtype=np.float64) / frame.size
    scale = ratios.min()
    offset = (np.array(size) - scale * np.array(frame.size)) / 2
    moved = [
        replace(person, xy=np.where(person.flags[:, None] > 0, quantised(scale * person.xy + offset), 0.0))
        for person in frame.people
    ]
    return EditedFrame(size, frame.fingerprint, moved)


def _part(edited: EditedPerson, shown: np.ndarray, key: str) -> Part:
    rows = ROWS[key]
    return Part(np.where(shown[rows, None], edited.xy[rows], 0.0), shown[rows])


def _as_person(edited: EditedPerson, detected: Person | None) -> Person:
    """The edited points; what else the detected person carries survives."""
    shown = ((edited.flags & PRESENT) > 0) & ((edited.flags & HIDDEN) == 0)
    marks = (shown & ((edited.flags & ESTIMATED) > 0))[: skeleton.POINTS]
    points = np.where(shown[: skeleton.POINTS, None], edited.xy[: skeleton.POINTS], 0.0)
    return Person(
        points,
        shown[: skeleton.POINTS],
        marks,
        None if detected is None else detected.scores,
        _part(edited, shown, skeleton.HAND_LEFT_KEY),
        _part(edited, shown, skeleton.HAND_RIGHT_KEY),
        _part(edited, shown, skeleton.FACE_KEY),
        None if detected is None else detected.rest,
        None if detected is None else _still_uncertain(points, marks, detected),
    )


def _still_uncertain(points: np.ndarray, marks: np.ndarray, detected: Person) -> np.ndarray | None:
    """What is known of how far off the guesses are that nobody moved."""
    if detected.uncertainty is None:
        return None
    stayed = (np.abs(points - detected.points) <= 1 / STEPS_PER_PIXEL).all(axis=1)
    return np.where(marks & detected.estimated & stayed, detected.uncertainty, 0.0)


def applied(frame: EditedFrame, incoming: Frame) -> Frame:
    """The incoming frame with the edited people in place of its own, on its picture.

    The editor holds PEOPLE people; those after them stay as they came in.
    """
    same, found = frame.fingerprint == fingerprint(incoming), incoming.people
    persons = [
        _as_person(person, found[person.source] if same and 0 <= person.source < len(found) else None)
        for person in rescaled(frame, incoming.size).people
    ]
    return replace(incoming, people=(*persons, *found[PEOPLE:]))


def canonical_text(frame: Frame) -> str:
    """[[width, height], per person per part [point, x, y, …]] as JSON, coordinates in 0.01 px."""
    rows = []
    for person in frame.people:
        parts, found = [], person.parts()
        for key in ROWS:
            index = np.flatnonzero(found[key].present)
            places = np.clip(found[key].points[index], -FARTHEST, FARTHEST)
            hundredths = np.floor(places * 100 + 0.5).astype(np.int64)
            parts.append(np.column_stack([index, hundredths]).ravel().tolist())
        rows.append(parts)
    return json.dumps([list(frame.size), rows], separators=(",", ":"))


def fnv1a(text: str) -> str:
    """64-bit FNV-1a of ASCII text as 16 hexadecimal digits (Fowler, Noll and Vo 1991)."""
    value = 0xCBF29CE484222325
    for byte in text.encode("ascii"):
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def fingerprint(frame: Frame) -> str:
    """What tells one detection from another: a hash of the points present, rounded to 0.01 px."""
    return fnv1a(canonical_text(frame))
