"""The pose nodes give the committed results, keys and their order included."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def reference(comfy) -> dict[str, Any]:
    return runpy.run_path(str(HERE / "pose_reference.py"))


@pytest.fixture(scope="module")
def hashes(root: Path) -> list[dict[str, str]]:
    return json.loads((root / "tests/data/pose/nodes.json").read_text())


def test_all_nodes_give_the_committed_results(reference, hashes) -> None:
    assert len(hashes) == reference["COUNT"] == 50
    for seed, expected in enumerate(hashes):
        assert reference["digests"](seed) == expected, seed


def test_the_poses_hold_what_they_promise(reference) -> None:
    poses = [reference["pose"](seed) for seed in range(reference["COUNT"])]
    people = [person for frames in poses for frame in frames for person in frame["people"]]
    assert {len(frames) for frames in poses} == {1, 2, 3}
    assert {len(frame["people"]) for frames in poses for frame in frames} == {0, 1, 2, 3}
    bodies = [person["pose_keypoints_2d"] for person in people]
    assert any(set(body[2::3]) - {0, 1} for body in bodies)
    assert any(max(body) <= 2.5 for body in bodies)
    for key in ("foot_keypoints_2d", "face_keypoints_2d", "mine", "recompose"):
        assert 0.1 * len(people) < sum(key in person for person in people) < len(people)
    assert {type(person.get("hand_left_keypoints_2d", 0)) for person in people} == {list, type(None), int}
