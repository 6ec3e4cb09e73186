"""POSE_KEYPOINT's dictionaries to core's people and back: the only place that knows them.

Reading settles what all nodes agree on: a point is present when its score is above the threshold, every list
is in pixels, sizes are sensible. Writing keeps keys that are not ours, their order, and every list whose
points are still what was read. Records given are never changed, records made share nothing with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from ..core.canvas.padding import LARGEST_SIDE
from ..core.pose import edited, skeleton
from ..core.pose.person import Frame, Part, Person, Pose
from ..core.shapes import Size

Record = dict[str, Any]
Lists = dict[str, np.ndarray]
Shares = dict[str, bool]  # which of the lists are in fractions of the picture
Arrange = Callable[[Lists, Shares], tuple[Lists, Sequence[str]]]

THRESHOLD = 0.3  # where a node has no input for it
# Normalised lists may reach beyond the picture (a completed one to 2.2); lists in pixels reach much further.
_NORMALISED = 2.5
# Fewer different points than this may all lie in a corner of the picture.
_FEW = 3
_SIDES = ("canvas_width", "canvas_height")
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


def triples(record: Mapping[str, Any], key: str) -> np.ndarray:
    """The points under `key` as float64 N,3 (x, y, score); 0,3 where the record has none.

    Raises ValueError where the list is not made of whole triples of numbers.
    """
    flat = record.get(key)
    if flat is None or (isinstance(flat, list | tuple) and not flat):
        return np.zeros((0, 3))
    try:
        if any(isinstance(value, bool) for value in flat):
            raise TypeError("booleans are not numbers")
        values = np.array([0.0 if value is None else value for value in flat], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{key} must be a flat list of numbers x, y, score; check the pose file.") from error
    if values.ndim != 1 or len(values) % 3:
        raise ValueError(
            f"{key} must hold whole triples x, y, score, got {values.size} numbers; check the pose file."
        )
    return values.reshape(-1, 3)


def stated_size(record: Mapping[str, Any]) -> Size | None:
    """The picture the record says it belongs to, None where it does not; ValueError if no sensible size."""
    stated = [record.get(side) or 0 for side in _SIDES]
    numbers = [isinstance(side, int | float) and not isinstance(side, bool) for side in stated]
    if not all(numbers) or not all(math.isfinite(side) for side in stated):
        raise ValueError(
            f"canvas_width and canvas_height must be whole numbers, got {stated}; check the pose file."
        )
    size = Size(*map(int, stated))
    if max(size) > LARGEST_SIDE:
        raise ValueError(
            f"The pose's picture is {size}, but a side may have at most {LARGEST_SIDE} px; "
            "check the pose file."
        )
    return size if min(size) > 0 else None


def _size(record: Mapping[str, Any], default: Size | None) -> Size:
    size = stated_size(record) or default
    if size is None:
        raise ValueError(
            "The pose does not say how large its picture is; set canvas_width and canvas_height."
        )
    return size


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
    result[: len(marks)] = np.array(marks[: skeleton.POINTS], dtype=bool)
    return result


def _scores(settings: Mapping[str, Any]) -> np.ndarray | None:
    """The 24 measured scores kept with a person; None where there are none that can be read."""
    kept = settings.get("confidence")
    if not isinstance(kept, list) or len(kept) != skeleton.POINTS:
        return None
    numbers = all(isinstance(score, int | float) and math.isfinite(score) for score in kept)
    return np.array(kept, dtype=np.float64) if numbers else None


def _records(record: Any) -> list[Mapping[str, Any]]:
    found = record.get("people") if isinstance(record, Mapping) else record
    found = [] if found is None else found
    for entry in (record, *(found if isinstance(found, list | tuple) else (found,))):
        if not isinstance(entry, Mapping):
            raise ValueError(
                f"Every person and every frame must be a JSON object, got {type(entry).__name__}; "
                "check the pose file."
            )
    return list(found)


def _normalised(people: Sequence[Lists]) -> list[Shares]:
    """Which lists of one frame are in fractions of the picture instead of pixels, list by list.

    Small numbers are fractions; where other lists of the frame are in pixels, a few points with small numbers
    are taken for points in the picture's corner.
    """
    shown = [{key: found[found[:, 2] > 0, :2] for key, found in lists.items()} for lists in people]
    small = [{key: bool((abs(at) <= _NORMALISED).all()) for key, at in each.items()} for each in shown]
    mixed = not all(flag for flags in small for flag in flags.values())
    return [
        {
            key: len(at) > 0 and flags[key] and not (mixed and len(np.unique(at, axis=0)) < _FEW)
            for key, at in each.items()
        }
        for each, flags in zip(shown, small, strict=True)
    ]


def in_pixels(lists: Lists, shares: Shares, size: Size) -> Lists:
    """The lists with those of `shares`, which are in fractions of a picture of `size`, in its pixels."""
    result = dict(lists)
    for key in [key for key in lists if shares[key]]:
        result[key], present = lists[key].copy(), lists[key][:, 2] > 0
        result[key][present, :2] *= (float(size.width), float(size.height))
    return result


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
    body, feet = lists[skeleton.BODY_KEY], lists[skeleton.FOOT_KEY]
    if len(body) not in (0, skeleton.BODY_POINTS) or len(feet) not in (0, skeleton.FOOT_POINTS):
        raise ValueError(
            f"A person must have 18 body points and 6 or no foot points, got {len(body)} and {len(feet)}; "
            "bring the pose in with Load Pose, which reads the other layouts."
        )
    lists = lists | {key: _filled(lists[key], skeleton.KEYS[key]) for key in _MAIN}
    settings, parts = _settings(record), {key: _part(found, threshold) for key, found in lists.items()}
    points = np.concatenate([parts[key].points for key in _MAIN])
    marks, scores = _marks(settings), np.concatenate([lists[key] for key in _MAIN])
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
        _Origin(record, same | {"estimated": marks}, measured),
    )


def check_lists(lists: Lists, advice: str, faces: tuple[int, ...] = ()) -> None:
    """Refuse lists of another length than core's, or than `faces` for the face, and numbers that are none."""
    for key, count in skeleton.KEYS.items():
        allowed = (0, count, *(faces if key == skeleton.FACE_KEY else ()))
        if len(lists[key]) not in allowed:
            raise ValueError(f"{key} must hold {count} points but holds {len(lists[key])}; {advice}")
        if not np.isfinite(lists[key]).all():
            raise ValueError(f"{key} holds values that are not finite numbers; check the pose file.")


def check_whole(lists: Lists) -> None:
    """Refuse people the editor cannot hold; detectors without eyes in the face list its 68 points only."""
    advice = "bring the pose in with Load Pose, which reads the other layouts."
    check_lists(lists, advice, (skeleton.FACE_POINTS - 2,))


def people_of(record: Mapping[str, Any], threshold: float, arrange: Arrange) -> tuple[Person, ...]:
    """The people of a frame's record; `arrange` brings the lists of one to pixels and core's order."""
    records = _records(record)
    lists = [{key: triples(one, key) for key in skeleton.KEYS} for one in records]
    return tuple(
        person(one, *arrange(found, shares), threshold)
        for one, found, shares in zip(records, lists, _normalised(lists), strict=True)
    )


def read(
    pose: Any,
    threshold: float = THRESHOLD,
    default: Size | None = None,
    check: Callable[[Lists], None] = lambda lists: None,
) -> list[Frame]:
    """The frames of a POSE_KEYPOINT; `default` is the size of those that state none.

    Raises ValueError for malformed records and what `check` does not like.
    """
    frames = []
    for record in [pose] if isinstance(pose, Mapping) else pose:
        size = _size(record, default)

        def arrange(lists: Lists, shares: Shares, size: Size = size) -> tuple[Lists, list[str]]:
            check(lists)
            return in_pixels(lists, shares, size), [key for key in lists if not shares[key]]

        frames.append(Frame(size, people_of(record, threshold, arrange), record))
    return frames


def _copied(value: Any) -> Any:
    """A copy of JSON's containers, all the way down."""
    if isinstance(value, Mapping):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_copied, value))
    return value.copy() if isinstance(value, np.ndarray) else value


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
    result: Record = dict(_copied(known))
    if person.scores is not None and (origin.measured or "confidence" not in known):
        result = {"confidence": person.scores.tolist(), **result}
    if changed and (person.estimated.any() or "estimated" in known):
        result["estimated"] = person.estimated.astype(int).tolist()
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
            result[key] = _copied(origin.record[key])
    return result


def frame_record(frame: Frame, named: Written = Written.LISTED) -> Record:
    """One frame of a POSE_KEYPOINT, a dictionary of its own."""
    record = frame.rest if isinstance(frame.rest, Mapping) else dict.fromkeys([*_SIDES, "people"])
    made = dict(zip(_SIDES, frame.size, strict=True)) | {
        "people": [_person_record(person, named) for person in frame.people]
    }
    order = dict.fromkeys([*record, "people", *_SIDES])
    return {key: made[key] if key in made else _copied(record[key]) for key in order}


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
        people.append(entry)
    size = dict(zip(_SIDES, frame.size, strict=True))
    return size | {"people": people, "fingerprint": fingerprint}
