"""One person on the way through five nodes: read once a node, copied by nobody."""

from __future__ import annotations

import copy
import importlib
import json
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch

SIZE = (331, 457)


def text() -> str:
    """Somebody standing whose ankles lie below the frame, with hands, a face and keys of others."""
    points = {1: (165, 110), 2: (88, 110), 5: (242, 110), 8: (108, 283), 11: (222, 283), 9: (108, 430)}
    points[12] = (222, 430)
    body = [value for index in range(18) for value in (*points.get(index, (0, 0)), float(index in points))]
    lists = {"pose_keypoints_2d": body, "hand_left_keypoints_2d": [7.5, 8.5, 1.0] * 21}
    person = {**lists, "face_keypoints_2d": [9.5, 6.5, 1.0] * 70, "mine": {"deep": [1, [2]]}}
    return json.dumps({"canvas_width": SIZE[0], "canvas_height": SIZE[1], "people": [person]})


def walk(poses: ModuleType, canvas: ModuleType) -> list[dict[str, Any]]:
    """Load → Complete → Extend → Draw → Limb Mask; the extended pose."""
    loaded = poses.LoadPose.execute(text(), "none", "auto", 0.3, 0, 0).args[0]
    completed = poses.CompletePose.execute(loaded, 1.2, 0.3).args[0]
    photo = torch.zeros(1, SIZE[1], SIZE[0], 3)
    mode = {"mode": "body", "margin": 5.0, "max_extension": 1.2}
    fill = {"fill": "edge"}
    extended = canvas.ExtendCanvas.execute(photo, mode, 8, fill, 0, None, completed).args[3]
    assert poses.DrawPose.execute(extended, 4, True, True, False, 0.3).args[0].any()
    assert poses.LimbMask.execute(extended, "estimated", 12.0, False, 0.3).args[0].any()
    return extended


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, calls: Counter) -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def call(*values: Any, **more: Any) -> Any:
        calls[name] += 1
        return real(*values, **more)

    monkeypatch.setattr(owner, name, call)


def test_a_person_is_read_once_a_node_and_never_deep_copied(comfy, monkeypatch) -> None:
    poses, canvas = (importlib.import_module(f"recompose.nodes.{name}") for name in ("pose", "canvas"))
    record = importlib.import_module("recompose.bridge.pose_record")
    points = importlib.import_module("recompose.bridge.pose_points")
    calls: Counter = Counter()
    counted(monkeypatch, copy, "deepcopy", calls)
    counted(monkeypatch, record, "person", calls)
    counted(monkeypatch, points, "points", calls)
    extended = walk(poses, canvas)
    assert extended[0]["people"][0]["mine"] == {"deep": [1, [2]]}
    assert calls["deepcopy"] == 0
    assert calls["person"] == 5
    assert calls["points"] == 25  # five lists


def test_no_node_changes_what_it_gets_or_shares_it(comfy) -> None:
    poses, canvas = (importlib.import_module(f"recompose.nodes.{name}") for name in ("pose", "canvas"))
    edit = importlib.import_module("recompose.nodes.pose_edit").EditPose
    given = poses.LoadPose.execute(text(), "none", "auto", 0.3, 0, 0).args[0]
    kept, photo = copy.deepcopy(given), torch.zeros(1, SIZE[1], SIZE[0], 3)
    mode, fill = {"mode": "sides", "left": 8, "top": 0, "right": 0, "bottom": 0}, {"fill": "edge"}
    made = [
        poses.CompletePose.execute(given, 1.2, 0.3).args[0],
        canvas.ExtendCanvas.execute(photo, mode, 8, fill, 0, None, given).args[3],
        canvas.CropToRegion.execute(photo, "person", 64, 64, "exact", 9.0, 8, 1.1, None, None, given).args[3],
        edit.execute("keep my edit", 64, 64, 4, True, True, True, 0.3, None, given).args[0],
    ]
    for pose in made:
        spoil(pose)
    assert given == kept


def spoil(value: Any) -> None:
    """Change every list and dictionary in it, the innermost first."""
    for entry in list(value.values() if isinstance(value, dict) else value):
        if isinstance(entry, list | dict):
            spoil(entry)
    value.clear()
