"""The demo's own photo: a drawn person whom the frame cuts off between knee and ankle."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from ..places import DOCS
from . import world

FOLDER = DOCS / "demo"
SEED, PART = 25, "test"  # no model has seen the test part


def cropped() -> world.Example:
    """The test picture of the seed, cut half-way between the knees and the ankles."""
    whole = world.example(SEED, part=PART)
    rows = [
        whole.drawing.points[f"{side} {joint}"][1]
        for side in ("left", "right")
        for joint in ("knee", "ankle")
    ]
    return world.crop(whole, 0, round(sum(rows) / len(rows)))


def write(folder: Path = FOLDER) -> None:
    """Write photo.png and photo_pose.json."""
    example = cropped()
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(example.image).save(folder / "photo.png")
    text = json.dumps(example.pose, indent=None, separators=(",", ":"))
    (folder / "photo_pose.json").write_text(text + "\n", encoding="utf-8")
