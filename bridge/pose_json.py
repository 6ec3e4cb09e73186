"""OpenPose JSON and its relatives, as files and other programs have them, to core's people."""

from __future__ import annotations

import json
from typing import Any

from ..core.pose import openpose, skeleton
from ..core.pose.openpose import Layout
from ..core.pose.person import Frame
from ..core.shapes import Size
from . import pose_record
from .pose_record import Lists, Record, Shares


def _frames(data: Any) -> list[Record]:
    """The frames of a parsed file: one dictionary, a list of frames, or a list of people of one picture."""
    if isinstance(data, dict) and isinstance(data.get("people"), list):
        return [data]
    if isinstance(data, list) and data and all(isinstance(entry, dict) for entry in data):
        if all(isinstance(entry.get("people"), list) for entry in data):
            return data
        if all(skeleton.BODY_KEY in entry for entry in data):
            return [{"people": data}]
    raise ValueError(
        'The pose must be OpenPose JSON, an object with a list "people" or a list of such objects; '
        "export it again from the pose detector or editor."
    )


def _canvas(record: Record, given: Size | None, picture: Size | None) -> Size:
    """The picture's size by the record, else as given, else the picture's own; ValueError if unknown or
    unequal."""
    sizes = (pose_record.stated_size(record), given, picture)
    known = [size for size in sizes if size is not None and size.width > 0 and size.height > 0]
    if not known:
        raise ValueError(
            "The pose file does not say how large its picture is; set width and height or connect the image."
        )
    for size in known[1:]:
        if size != known[0]:
            raise ValueError(
                f"The pose belongs to a picture of {known[0]} but the picture given is {size}; "
                "use the pose made from this picture."
            )
    return known[0]


def _arranged(lists: Lists, shares: Shares, layout: Layout, size: Size, threshold: float) -> Lists:
    """A file's lists in pixels with core's points in core's order."""
    body = lists[skeleton.BODY_KEY]
    whole = len(body) > 0 and openpose.layout_of(len(body), layout) is Layout.WHOLEBODY
    if whole:
        lists = openpose.from_wholebody(body, threshold)
        shares = dict.fromkeys(lists, shares[skeleton.BODY_KEY])
    pixels = pose_record.in_pixels(lists, shares, size)
    return pixels if whole else openpose.in_core_order(pixels, layout)


def read(
    text: str,
    layout: Layout = Layout.AUTO,
    threshold: float = pose_record.THRESHOLD,
    given: Size | None = None,
    picture: Size | None = None,
) -> list[Frame]:
    """The frames written in `text`.

    `given` and `picture` say how large the picture is where the file does not. Raises ValueError for
    text that is not JSON, other shapes or counts of points, and an unknown or contradicting size.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"The pose is not JSON ({error}); give OpenPose JSON as text or choose a .json file."
        ) from error
    frames = []
    for record in _frames(data):
        size = _canvas(record, given, picture)

        def arrange(lists: Lists, shares: Shares, size: Size = size) -> tuple[Lists, tuple[str, ...]]:
            found = _arranged(lists, shares, layout, size, threshold)
            pose_record.check_lists(found, "check the pose file.")
            return found, ()

        people = pose_record.people_of(record, threshold, arrange)
        rest = {key: value for key, value in record.items() if key != "people"}
        frames.append(Frame(size, people, rest))
    return frames
