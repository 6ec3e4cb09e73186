"""Finds the people of a photo with BlazePose, as Detect Pose does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from ...core.pose.choices import NETWORKS, landmarks_file
from ...core.pose.person import Frame
from .. import fetch
from ..ending import Failure, Misuse
from ..words import line

if TYPE_CHECKING:
    from ...core.pose.blazepose.find import Finder

LANDMARKS = tuple(map(landmarks_file, NETWORKS))  # the best first


def folders() -> list[Path]:
    """Where BlazePose's files may be: in the ComfyUI that this pack lies in, then in the pack."""
    try:
        return [fetch.place(None), fetch.OWN]
    except Misuse:
        return [fetch.OWN]


def networks(places: list[Path]) -> tuple[Path, Path]:
    """The detector's file and the best landmarks' one; Failure where either is missing."""
    found = []
    for names in ((fetch.DETECTOR,), LANDMARKS):
        paths = [place / name for name in names for place in places if (place / name).is_file()]
        if not paths:
            raise Failure(
                f"Expected BlazePose's {names[-1]} in {' or '.join(map(line, places))}, got none; install "
                "the pack again, or give the pose with --pose FILE."
            )
        found.append(paths[0])
    return found[0], found[1]


def open_finder() -> Finder:
    """BlazePose's networks; Failure where a file is missing or damaged."""
    from ...core.pose.blazepose import find

    try:
        return find.open_finder(*networks(folders()))
    except (OSError, ValueError) as error:
        raise Failure(f"BlazePose's files cannot be used: {error}") from error


def people(photo: Image.Image, finder: Finder | None = None) -> Frame:
    """The people of an RGB photo, points outside of it and unsure ones marked as estimated."""
    from ...core.pose.blazepose import find

    finder = finder or open_finder()
    picture = torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1)[None].float() / 255
    return find.frame(picture, finder)
