"""Pose files: text in, core's people on the picture that is meant out."""

from __future__ import annotations

import codecs
import json
import math
from dataclasses import replace
from typing import Any

from ..core.pose.edited import LONGEST_TEXT
from ..core.pose.openpose import Layout
from ..core.pose.person import Frame
from ..core.shapes import Size
from . import pose_fit, pose_record

# Byte order marks and what follows them; UTF-32's begins with UTF-16's, and is written by nobody.
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Python converts no longer ones, and no float holds them.
_LONGEST_NUMBER = 400


def decoded(data: bytes) -> str:
    """A file's text, by its byte order mark UTF-8 or UTF-16; UnicodeDecodeError where it is none."""
    return data.decode(next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8"))


def _whole(digits: str) -> float:
    return int(digits) if len(digits) < _LONGEST_NUMBER else math.inf


def parsed(text: str) -> object:
    """What a JSON text holds; ValueError where it is none or too long."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"The pose is over {LONGEST_TEXT // 1_000_000} million characters long; choose another file."
        )
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"The pose is not JSON ({error}); give OpenPose JSON as text or choose a .json file."
        ) from error


def _without_people(record: Any) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "people"}


def _sized(given: Size | None, picture: Size | None) -> list[Size]:
    return [size for size in (given, picture) if size is not None and min(size) > 0]


def read(
    text: str,
    layout: Layout = Layout.AUTO,
    threshold: float = pose_record.THRESHOLD,
    given: Size | None = None,
    picture: Size | None = None,
) -> list[Frame]:
    """The frames written in `text`, on the picture.

    `given` and `picture` say how large the picture is where the file does not; where it does, the pose is
    scaled to `picture`, else to `given`. Raises ValueError for text that is not JSON or holds no pose, and
    for a picture that is unknown or of another aspect.
    """
    sizes = _sized(given, picture)
    frames = pose_record.read(parsed(text), threshold, sizes[0] if sizes else None, layout)
    for size in sizes:
        frames = pose_fit.on_picture(frames, size)
    # Written anew are the people, after what else a frame holds.
    frames = [replace(frame, rest=_without_people(frame.rest)) for frame in frames]
    return frames
