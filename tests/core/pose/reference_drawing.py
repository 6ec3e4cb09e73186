"""500 random poses, and their hashes as controlnet_aux draws them when run with its folder as argument.

    python reference_drawing.py FOLDER > ../../data/pose/drawings.json

writes the hashes the tests compare with; FOLDER is what `pip install --target` made.
"""

from __future__ import annotations

import colorsys
import hashlib
import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

COUNT = 500
# Every so many poses the hands and faces are drawn as well.
WITH_HANDS = 5


def random_points(
    generator: random.Random,
    count: int,
    size: tuple[int, int],
    whole: bool,
    missing: float,
    inside: bool = False,
) -> list[float]:
    """Flat x, y, score; up to 40 % of the picture outside it, or inside with 4 px to spare."""
    flat: list[float] = []
    for _ in range(count):
        x, y = ((1.8 * generator.random() - 0.4) * side for side in size)
        if inside:
            x, y = (4 + (at / side + 0.4) / 1.8 * (side - 8) for at, side in zip((x, y), size, strict=True))
        present = generator.random() >= missing
        point = (float(int(x)), float(int(y))) if whole else (x, y)
        flat += [*point, 1.0] if present else [0.0, 0.0, 0.0]
    return flat


def random_pose(seed: int) -> dict[str, Any]:
    """One frame of up to four people; from random.random() alone, which is the same in every Python."""
    generator = random.Random(seed)
    size = tuple(33 + int(360 * generator.random()) for _ in range(2))
    people = []
    for _ in range(1 + int(4 * generator.random())):
        whole = generator.random() < 0.5
        person = {"pose_keypoints_2d": random_points(generator, 18, size, whole, 0.2)}
        if generator.random() < 0.2:
            person["pose_keypoints_2d"][6:9] = person["pose_keypoints_2d"][3:6]
        # OpenCV 4 and 5 cut the thick lines of a hand differently at the border, so hands stay inside.
        for key, count in (("hand_left", 21), ("hand_right", 21), ("face", 70)):
            if generator.random() < 0.4:
                inside = key != "face"
                person[f"{key}_keypoints_2d"] = random_points(generator, count, size, whole, 0.0, inside)
        people.append(person)
    return {"canvas_width": size[0], "canvas_height": size[1], "people": people}


def digest(picture: Any) -> str:
    """A short hash of a picture's shape and pixels."""
    return hashlib.sha256(f"{picture.shape}".encode() + picture.tobytes()).hexdigest()[:16]


def prepare(folder: Path) -> None:
    """Make `controlnet_aux.open_pose.util` importable from the folder, without what drawing does not need."""
    # Its __init__ imports every detector and what each of them needs.
    package = ModuleType("controlnet_aux")
    package.__path__ = [str(folder / "controlnet_aux")]
    sys.modules["controlnet_aux"] = package
    sys.path.insert(0, str(folder))
    if importlib.util.find_spec("matplotlib") is None:
        # Hands are coloured by matplotlib's conversion of a hue; the standard library has the same formula.
        matplotlib, colors = ModuleType("matplotlib"), ModuleType("matplotlib.colors")
        colors.hsv_to_rgb = lambda hsv: np.array(colorsys.hsv_to_rgb(*hsv))
        matplotlib.colors = colors
        sys.modules.update({"matplotlib": matplotlib, "matplotlib.colors": colors})


def drawings(folder: Path) -> list[list[str]]:
    """For every pose the hash of controlnet_aux's picture of the bodies, and of some with hands and faces."""
    prepare(folder)
    from controlnet_aux.open_pose import util
    from controlnet_aux.open_pose.body import Keypoint

    result = []
    for seed in range(COUNT):
        frame = random_pose(seed)
        width, height = frame["canvas_width"], frame["canvas_height"]
        bodies, whole = (np.zeros((height, width, 3), dtype=np.uint8) for _ in range(2))
        for person in frame["people"]:
            points = {
                key: [
                    Keypoint(x / width, y / height) if score else None
                    for x, y, score in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
                ]
                for key, flat in person.items()
            }
            util.draw_bodypose(bodies, points["pose_keypoints_2d"])
            util.draw_bodypose(whole, points["pose_keypoints_2d"])
            util.draw_handpose(whole, points.get("hand_left_keypoints_2d"))
            util.draw_handpose(whole, points.get("hand_right_keypoints_2d"))
            util.draw_facepose(whole, points.get("face_keypoints_2d"))
        result.append([digest(bodies), digest(whole)] if seed % WITH_HANDS == 0 else [digest(bodies)])
    return result


if __name__ == "__main__":
    rows = ",\n".join(json.dumps(row) for row in drawings(Path(sys.argv[1])))
    sys.stdout.write(f"[\n{rows}\n]\n")
