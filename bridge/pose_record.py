"""POSE_KEYPOINT's dictionaries to core's people and back: the only place that knows them.

Reading settles what all nodes agree on: a point is present when its score is above the threshold, every list
is in pixels, sizes are sensible. Writing keeps keys that are not ours, their order, and every list whose
points are still what was read. Records given are never changed, records made share nothing with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from ..core.pose import edited, hands, openpose, skeleton
from ..core.pose.choices import Layout
from ..core.pose.person import Frame, Part, Person, Pose
from ..core.shapes import Size
from . import pose_forms, pose_points
from .pose_points import SIDES, Lists

Record = dict[str, Any]

THRESHOLD = 0.3  # where a node has no input for it
_DEEPEST = 64
_MAIN = (skeleton.BODY_KEY, skeleton.FOOT_KEY)


class Written(Enum):
    """Which lists without a point are written: those with a list in the record, those with any entry there
    and the body, or all."""

    LISTED = "listed"
    NAMED = "named"
    ALL = "all"


@dataclass(frozen=True)
class _Origin:
    """A person's record, which of core's arrays say what its lists and marks say, and whether the record's
    scores were measured."""

    record: Mapping[str, Any] = field(default_factory=dict)
    same: Mapping[str, np.ndarray] = field(default_factory=dict)
    measured: bool = False


def _plain(value: Any, depth: int = 0) -> Any:
    """JSON's containers copied all the way down, lists and numbers for arrays; ValueError if too deep."""
    if depth > _DEEPEST:
        raise ValueError(
            f"The pose holds lists or objects nested deeper than {_DEEPEST} levels; check the pose file."
        )
    value = pose_points.plain(value)
    if isinstance(value, Mapping):
        return {key: _plain(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        # Most lists hold nothing but numbers.
        flat = set(map(type, value)) <= {int, float}
        return type(value)(value) if flat else type(value)(_plain(entry, depth + 1) for entry in value)
    return value


def _is_clean(record: Mapping[str, Any], key: str, found: np.ndarray) -> bool:
    """Whether the record's list holds just the numbers found, in the form that every program reads."""
    return not record.get(key) or list(record[key]) == found.ravel().tolist()


def _settings(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What this pack keeps with a person."""
    found = record.get("recompose") or {}
    if not isinstance(found, Mapping):
        raise ValueError(
            f'A person\'s "recompose" must be an object but is a {type(found).__name__}; '
            "remove it from the pose or check the pose file."
        )
    return found


def _marks(settings: Mapping[str, Any]) -> np.ndarray:
    """Which of the 24 points are guesses."""
    marks = settings.get("estimated") or []
    if not isinstance(marks, list | tuple) or not all(isinstance(mark, int | float | None) for mark in marks):
        raise ValueError(
            'A person\'s "estimated" must be a list of 0 and 1 for the 24 points of body and feet; '
            "remove it from the pose or check the pose file."
        )
    result = np.zeros(skeleton.POINTS, dtype=bool)
    marks = marks[: skeleton.POINTS]
    result[: len(marks)] = [bool(mark) for mark in marks]
    return result


def _scores(settings: Mapping[str, Any]) -> np.ndarray | None:
    """The 24 measured scores kept with a person; None where there are none that can be read."""
    kept = settings.get("confidence")
    if not isinstance(kept, list) or len(kept) != skeleton.POINTS:
        return None
    numbers = all(isinstance(score, int | float) and abs(score) < math.inf for score in kept)
    return np.array(kept, dtype=np.float64) if numbers else None


def _uncertainty(settings: Mapping[str, Any]) -> np.ndarray | None:
    """How far off the 24 points may be in pixels; None where nothing is kept of it that can be read."""
    kept = settings.get("uncertainty")
    if not isinstance(kept, list) or len(kept) != skeleton.POINTS:
        return None
    numbers = all(type(each) in (int, float) and 0 <= each <= edited.FARTHEST for each in kept)
    return np.array(kept, dtype=np.float64) if numbers else None


def _is_measured(found: np.ndarray) -> bool:
    """Are there scores between presence and absence?"""
    return bool(np.any((found[:, 2] != 0) & (found[:, 2] != 1)))


def _part(found: np.ndarray, threshold: float) -> Part:
    """The points of a list; where scores were measured, those not present lie at 0, 0."""
    present = found[:, 2] > threshold
    return Part(np.where(present[:, None] | (not _is_measured(found)), found[:, :2], 0.0), present)


def _filled(found: np.ndarray, count: int) -> np.ndarray:
    return found if len(found) else np.zeros((count, 3))


def person(record: Mapping[str, Any], lists: Lists, kept: Sequence[str], threshold: float) -> Person:
    """The person of a record; `lists` has its points in pixels, and those of `kept` are as in the record."""
    lists = lists | {key: _filled(lists[key], skeleton.KEYS[key]) for key in _MAIN}
    settings, parts = _settings(record), {key: _part(found, threshold) for key, found in lists.items()}
    points = np.concatenate([parts[key].points for key in _MAIN])
    marks, scores = _marks(settings), np.concatenate([lists[key] for key in _MAIN])
    known = {"estimated": marks, "uncertainty": _uncertainty(settings)}
    measured = _is_measured(scores)
    arrays = {key: part.points for key, part in parts.items()} | dict.fromkeys(_MAIN, points)
    same = {key: arrays[key] for key in kept if not _is_measured(lists[key])}
    return Person(
        points,
        np.concatenate([parts[key].present for key in _MAIN]),
        marks,
        scores[:, 2] if measured else _scores(settings),
        parts[skeleton.HAND_LEFT_KEY],
        parts[skeleton.HAND_RIGHT_KEY],
        parts[skeleton.FACE_KEY],
        _Origin(record, same | {name: array for name, array in known.items() if array is not None}, measured),
        known["uncertainty"],
    )


def people_of(
    record: Mapping[str, Any], size: Size, threshold: float, layout: Layout = Layout.AUTO
) -> tuple[Person, ...]:
    """The people of a frame's record on a picture of `size`."""
    records: list[Record] = [_plain(one) for one in pose_forms.people_of(record)]
    listed = [{key: pose_points.points(one, key) for key in skeleton.KEYS} for one in records]
    people = []
    for one, own, lists in zip(records, listed, pose_points.in_pixels(listed, size), strict=True):
        one |= {key: [] for key, rows in own.items() if one.get(key) and not len(rows)}
        found = openpose.in_core_order(lists, layout, threshold)
        kept = [key for key in found if found[key] is own[key] and _is_clean(one, key, own[key])]
        people.append(hands.settled(person(one, found, kept, threshold)))
    return tuple(people)


def _rest(record: Mapping[str, Any]) -> Record:
    """What a frame's record holds besides its people, in its order."""
    return {key: None if key == "people" else _plain(value) for key, value in record.items()}


def read(
    pose: Any,
    threshold: float = THRESHOLD,
    default: Size | None = None,
    layout: Layout = Layout.AUTO,
) -> list[Frame]:
    """The frames of a POSE_KEYPOINT or of any form that pose_forms knows; `default` is the size of those that
    state none.

    Raises ValueError for what holds no pose, and for malformed records.
    """
    frames = []
    for record in pose_forms.frames_of(pose):
        size = pose_points.size(record, default)
        if size is None:
            raise ValueError(
                "The pose does not say how large its picture is; bring it in with Load Pose and set width "
                "and height there or connect the image."
            )
        frames.append(Frame(size, people_of(record, size, threshold, layout), _rest(record)))
    if not frames:
        raise ValueError("The pose has no frame; connect a pose with one frame per picture.")
    return frames


def _origin(person: Person) -> _Origin:
    return person.rest if isinstance(person.rest, _Origin) else _Origin()


def _is_listed(record: Mapping[str, Any], key: str) -> bool:
    return record.get(key) is not None and len(record[key]) > 0


def _flat(part: Part, places: int | None = None) -> list[float]:
    rows = part.rows if places is None else np.round(part.rows, places)
    return rows.ravel().tolist()


def _lists(person: Person, named: Written) -> dict[str, list[float]]:
    """The lists that have to be written, by key."""
    (record, same), found = (_origin(person).record, _origin(person).same), {}
    for key, part in person.parts().items():
        array = person.points if key in _MAIN else part.points
        if named is Written.ALL:
            found[key] = _flat(part) or [0.0] * 3 * skeleton.KEYS[key]
        elif same.get(key) is array or not len(part):
            continue
        elif (
            part.present.any()
            or _is_listed(record, key)
            or (named is Written.NAMED and (key in record or key == skeleton.BODY_KEY))
        ):
            found[key] = _flat(part)
    return found


def _settings_of(person: Person) -> Record | None:
    """What is kept with the person; None where that is what the record has."""
    origin, known = _origin(person), _settings(_origin(person).record)
    changed = person.estimated is not origin.same.get("estimated")
    result: Record = dict(_plain(known))
    if person.scores is not None and (origin.measured or "confidence" not in known):
        result = {"confidence": person.scores.tolist(), **result}
    if changed and (person.estimated.any() or "estimated" in known):
        result["estimated"] = person.estimated.astype(int).tolist()
    if person.uncertainty is not None and person.uncertainty is not origin.same.get("uncertainty"):
        result["uncertainty"] = np.round(person.uncertainty, 2).tolist()
    return result if result != known or origin.measured else None


def _person_record(person: Person, named: Written) -> Record:
    origin, lists, settings = _origin(person), _lists(person, named), _settings_of(person)
    early = ["recompose"] if origin.measured and named is not Written.ALL else []
    order = skeleton.KEYS if named is Written.ALL else edited.ROWS
    result = {}
    for key in dict.fromkeys([*origin.record, *early, *order, "recompose"]):
        if key in lists:
            result[key] = lists[key]
        elif key == "recompose" and settings is not None:
            result[key] = settings
        elif key in origin.record:
            result[key] = _plain(origin.record[key])
    return result


def frame_record(frame: Frame, named: Written = Written.LISTED) -> Record:
    """One frame of a POSE_KEYPOINT, a dictionary of its own."""
    record = frame.rest if isinstance(frame.rest, Mapping) else dict.fromkeys([*SIDES, "people"])
    made = dict(zip(SIDES, frame.size, strict=True)) | {
        "people": [_person_record(person, named) for person in frame.people]
    }
    order = dict.fromkeys([*record, "people", *SIDES])
    return {key: made[key] if key in made else _plain(record[key]) for key in order}


def write(pose: Pose, named: Written = Written.LISTED) -> list[Record]:
    """The POSE_KEYPOINT of a pose."""
    return [frame_record(frame, named) for frame in pose]


def for_editor(frame: Frame, fingerprint: str) -> Record:
    """A frame as the editor gets it: rounded to 0.01 px, with its fingerprint."""
    people = []
    for person in frame.people:
        record, parts = _origin(person).record, person.parts()
        listed = [key for key, part in parts.items() if part.present.any() or _is_listed(record, key)]
        entry: Record = {key: _flat(parts[key], 2) for key in skeleton.KEYS if key in listed}
        if person.estimated.any():
            entry["recompose"] = {"estimated": person.estimated.astype(int).tolist()}
            if person.uncertainty is not None:
                entry["recompose"]["uncertainty"] = np.round(person.uncertainty, 2).tolist()
        people.append(entry)
    size = dict(zip(SIDES, frame.size, strict=True))
    return size | {"people": people, "fingerprint": fingerprint}
