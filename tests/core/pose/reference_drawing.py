"""500 random poses, and their hashes as controlnet_aux draws them when run with its folder as argument.

    python reference_drawing.py FOLDER > ../../data/pose/drawings.json

writes the hashes the tests compare with; FOLDER is what `pip install --target` made.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

COUNT = 500
# Every so many poses the hands and faces are drawn as well.
WITH_HANDS = 5


def random_points(
    generator: random.Random, count: int, size: tuple[int, int], whole: bool, missing: float
) -> list:
    """Flat x, y, score, up to 40 % of the picture outside it; every other pose in whole pixels."""
    flat: list[float] = []
    for _ in range(count):
        x, y = ((1.8 * generator.random() - 0.4) * side for side in size)
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
        for key, count in (("hand_left", 21), ("hand_right", 21), ("face", 70)):
            if generator.random() < 0.4:
                person[f"{key}_keypoints_2d"] = random_points(generator, count, size, whole, 0.0)
        people.append(person)
    return {"canvas_width": size[0], "canvas_height": size[1], "people": people}


def digest(picture: Any) -> str:
    """A short hash of a picture's shape and pixels."""
    return hashlib.sha256(f"{picture.shape}".encode() + picture.tobytes()).hexdigest()[:16]


def drawings(folder: Path) -> list[list[str]]:
    """For every pose the hash of controlnet_aux's picture of the bodies, and of some with hands and faces."""
    import numpy as np

    # Its __init__ imports every detector and what each of them needs; the drawing needs none of that.
    package = ModuleType("controlnet_aux")
    package.__path__ = [str(folder / "controlnet_aux")]
    sys.modules["controlnet_aux"] = package
    sys.path.insert(0, str(folder))
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
