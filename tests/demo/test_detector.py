"""The detector's answer is a POSE_KEYPOINT frame that the pack's own nodes read."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose import people
from recompose.demo import detector
from recompose.demo.judge import Seen

IMAGE = np.zeros((150, 128, 3), np.uint8)


def test_certain_points_are_present_and_scores_are_kept() -> None:
    points = np.zeros((24, 3), np.float32)
    points[[0, 1, 13, 20]] = [[60, 20, 0.9], [61, 40, 0.5], [70, 140, 0.8], [66, 149.5, 0.7]]
    points[5] = 30, 30, 0.49
    found = detector.frame(Seen(points, 1, {}), IMAGE)
    assert (found["canvas_width"], found["canvas_height"]) == (128, 150)
    (person,) = found["people"]
    read = people.points(person)
    assert read[[0, 1, 13, 20]].tolist() == [[60, 20, 1], [61, 40, 1], [70, 140, 1], [66, 149.5, 1]]
    assert not read[[2, 5, 23]].any()
    assert person["recompose"]["confidence"] == pytest.approx(points[:, 2].tolist())


def test_too_few_points_are_nobody() -> None:
    points = np.zeros((24, 3), np.float32)
    points[3:5] = 20, 20, 0.9
    assert detector.frame(Seen(points, 0, {}), IMAGE)["people"] == []
