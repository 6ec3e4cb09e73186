"""The forms in which programs hand poses on, brought to POSE_KEYPOINT's: frames with a list of people.

docs/inputs.md lists them. js/.modules/pose/io/forms.js is its twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.pose import skeleton
from .notices import notice
from .pose_points import SIDES, is_origin, plain

Record = Mapping[str, Any]

# OpenPose before 1.2 wrote the keys without the "_2d".
_OLD = {key.removesuffix("_2d"): key for key in skeleton.KEYS}
_PERSON = {*skeleton.KEYS, *_OLD, "keypoints"}
_SCORES = ("keypoint_scores", "scores")
# How deep lists of lists and groups of groups may be.
_DEEPEST = 4
# What of a frame's record other programs call its people.
_GROUPS = ("people", "instances", "annotations", "predictions", "instance_info", "poses")
_NAMES = 5

NO_POSE = (
    'The pose must be OpenPose JSON, an object with a list "people" or a list of such objects, but is {}; '
    "connect a pose, or export it again from the pose detector or editor."
)
NAMED = "The pose file holds {} named poses ({}); each one became a frame."


def _is_list(value: Any) -> bool:
    return isinstance(plain(value), list | tuple)


def _kind(value: Any) -> str:
    return {str: "text", dict: "another object", type(None): "null"}.get(type(value), type(value).__name__)


def _is_person(record: Any) -> bool:
    return isinstance(record, Mapping) and not _PERSON.isdisjoint(record)


def _is_frame(record: Any) -> bool:
    return isinstance(record, Mapping) and not {*_GROUPS, *SIDES}.isdisjoint(record)


def _of_columns(points: Record, scores: Any) -> list[Any]:
    """Ultralytics' x, y and visible, one list each, as points."""
    x, y = (plain(points.get(axis)) for axis in ("x", "y"))
    found = plain(scores) if _is_list(scores) else plain(points.get("visible"))
    if not _is_list(x) or not _is_list(y) or len(x) != len(y):
        raise ValueError("keypoints must have as many x as y; export the pose again.")
    # A point that was not found is at 0, 0.
    found = found if _is_list(found) else [int(not is_origin(a, b)) for a, b in zip(x, y, strict=True)]
    return _scored(list(zip(x, y, strict=True)), found)


def _scored(points: Any, scores: Any) -> list[Any]:
    """Points with the scores that are listed beside them."""
    points, scores = plain(points), plain(scores)
    if not _is_list(scores) or not _is_list(points) or not all(map(_is_list, points)):
        return points
    if len(scores) != len(points):
        raise ValueError(
            f"The pose lists {len(points)} keypoints but {len(scores)} scores; list one score per point."
        )
    scores = [plain(score)[0] if _is_list(score) and len(plain(score)) == 1 else score for score in scores]
    return [[*plain(point)[:2], score] for point, score in zip(points, scores, strict=True)]


def _check_object(record: Any) -> None:
    if not isinstance(record, Mapping):
        raise ValueError(
            f"Every person and every frame must be a JSON object, got {type(record).__name__}; "
            "check the pose file."
        )


def _person(record: Any) -> Record:
    """A person with POSE_KEYPOINT's keys; the same object if it has them."""
    _check_object(record)
    if skeleton.BODY_KEY in record or _PERSON.isdisjoint(record):
        return record
    result: dict[Any, Any] = {_OLD.get(key, key): value for key, value in record.items()}
    if skeleton.BODY_KEY not in result and "keypoints" in result:
        points = result.pop("keypoints")
        scores = next((result.pop(key) for key in _SCORES if key in result), None)
        of = _of_columns if isinstance(points, Mapping) else _scored
        result = {skeleton.BODY_KEY: of(points, scores), **result}
    return result


def people_of(frame: Record) -> list[Record]:
    """The people of a frame as POSE_KEYPOINT has them; nobody where there is no list."""
    found = plain(frame.get("people"))
    if isinstance(found, Mapping):
        found = [found] if _is_person(found) else list(found.values())
    found = [] if found is None else found
    found = found if isinstance(found, list | tuple) else [found]
    return [_person(record) for record in found if record is not None]


def _with_people(record: Record, people: Any, *used: str) -> Record:
    kept = {key: value for key, value in record.items() if key not in used}
    return {**kept, "people": people}


def _depth(value: Any) -> int:
    value, depth = plain(value), 0
    while _is_list(value) and len(value) and depth < 4:
        value, depth = plain(value[0]), depth + 1
    return depth


def _of_keypoints(record: Record) -> Record:
    """An editor's "keypoints": one person's, or one list of points per person."""
    points = plain(record["keypoints"])
    scores: Any = next((plain(record[key]) for key in _SCORES if key in record), None)
    if _is_list(points) and (_depth(points) == 3 or not points):
        beside = scores if _is_list(scores) and len(scores) == len(points) else [None] * len(points)
        people = [
            {"keypoints": each, **({} if found is None else {"scores": found})}
            for each, found in zip(points, beside, strict=True)
            if plain(each) is not None
        ]
        return _with_people(record, people, "keypoints", *_SCORES)
    sizes = {key: record[key] for key in (*SIDES, "width", "height") if key in record}
    return {**sizes, "people": [record]}


def _by_picture(people: Sequence[Any], pictures: Any = ()) -> list[Record]:
    """COCO's results or annotations as one frame per picture, in the pictures' order."""
    known = plain(pictures) if _is_list(pictures) else []
    sizes: dict[Any, Record] = {}
    for each in known:
        if isinstance(each, Mapping) and _is_plain(each.get("id")):
            sizes[each.get("id")] = {side: each.get(side) for side in ("width", "height")}
    frames: dict[Any, list[Any]] = {key: [] for key in sizes}
    for each in people:
        key = plain(each.get("image_id")) if isinstance(each, Mapping) else None
        frames.setdefault(key if _is_plain(key) else None, []).append(each)
    return [{**sizes.get(key, {}), "people": found} for key, found in frames.items()]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, int | float | str)


def _of_group(record: Record, group: str, depth: int) -> list[Record]:
    value = plain(record[group])
    if group == "instances":
        return [_with_people(record, value, group)]
    if group == "annotations":
        return _by_picture(value if _is_list(value) else [value], record.get("images"))
    return frames_of(value, depth + 1)


def _of_named(record: Record, depth: int) -> list[Record]:
    """A gallery's frames by name."""
    names = [str(name)[:40] for name in record]
    shown = ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")
    notice(NAMED.format(len(names), shown))
    return [frame for value in record.values() for frame in frames_of(value, depth + 1)]


def _of_mapping(record: Record, depth: int) -> list[Record]:
    group = next((group for group in _GROUPS if group in record), None)
    if group == "people":
        return [record]
    if group is not None:
        return _of_group(record, group, depth)
    if skeleton.BODY_KEY not in record and "keypoints" in record:
        return [_of_keypoints(record)]
    if _is_person(record):
        sizes = {key: record[key] for key in (*SIDES, "width", "height") if key in record}
        return [{**sizes, "people": [record]}]
    if _is_frame(record):
        return [record]
    if record and all(_is_frame(value) or _is_person(value) for value in record.values()):
        return _of_named(record, depth)
    raise ValueError(NO_POSE.format(_kind(record)))


def frames_of(data: Any, depth: int = 0) -> list[Record]:
    """The frames in whatever holds a pose; their people are still as they came.

    Raises ValueError for anything that holds no pose.
    """
    data = plain(data)
    if depth > _DEEPEST or not isinstance(data, Mapping | list | tuple):
        raise ValueError(NO_POSE.format(_kind(data)))
    if isinstance(data, Mapping):
        return _of_mapping(data, depth)
    if data and all(_is_list(entry) for entry in data):
        # Somebody's list per picture; a picture without people is an empty frame.
        return [frame for entry in data for frame in frames_of(entry, depth + 1) or [{"people": []}]]
    if data and all(_is_person(entry) and not _is_frame(entry) for entry in data):
        return _by_picture(data)
    for entry in data:
        _check_object(entry)
    return [frame for entry in data for frame in _of_mapping(entry, depth)]
