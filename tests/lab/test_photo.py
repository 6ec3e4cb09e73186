"""The committed photo is the world's, and its person's feet are outside it."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image
from recompose.lab.toy import photo


def test_the_committed_photo_and_pose_are_what_the_world_draws() -> None:
    example = photo.cropped()
    assert (np.asarray(Image.open(photo.FOLDER / "photo.png")) == example.image).all()
    assert json.loads((photo.FOLDER / "photo_pose.json").read_text(encoding="utf-8")) == example.pose


def test_the_frame_cuts_the_person_between_knee_and_ankle() -> None:
    (frame,) = json.loads((photo.FOLDER / "photo_pose.json").read_text(encoding="utf-8"))
    picture = Image.open(photo.FOLDER / "photo.png")
    assert (frame["canvas_width"], frame["canvas_height"]) == picture.size
    assert picture.mode == "RGB"
    (person,) = frame["people"]
    present = person["pose_keypoints_2d"][2::3]
    knees, ankles = (9, 12), (10, 13)
    assert [present[index] for index in knees] == [1, 1]
    assert [present[index] for index in ankles] == [0, 0]
    assert not any(person["foot_keypoints_2d"][2::3])
