"""An edited pose through a real server without a browser: what the editor shows is what is drawn."""

from __future__ import annotations

import json
import urllib.request

import numpy as np
import pytest
from recompose.bridge import pose_record
from recompose.core.pose.draw import draw

WIDTH, HEIGHT = 331, 457
SEEN = {
    0: (165, 48),
    1: (165, 110),
    2: (88, 110),
    3: (70, 190),
    4: (81, 260),
    5: (243, 110),
    8: (108, 283),
    11: (222, 283),
    9: (108, 430),
}
KNEE_BELOW_THE_FRAME = [
    {"type": "begin"},
    {"type": "dragPoint", "person": 0, "point": 9, "to": {"x": 131.3, "y": 470.71}},
    {"type": "commit"},
    {"type": "reach", "person": 0, "point": 4, "to": {"x": 33.3, "y": 77.7}},
    {"type": "addPerson", "preset": "waving", "at": {"x": 260, "y": 440}, "height": 300},
]


def pose() -> dict:
    flat = [value for index in range(18) for value in ((*SEEN[index], 1) if index in SEEN else (0, 0, 0))]
    return {"people": [{"pose_keypoints_2d": flat}], "canvas_width": WIDTH, "canvas_height": HEIGHT}


def edited(server, ask) -> dict:
    """The editor guesses the legs by the server's route, then does what KNEE_BELOW_THE_FRAME says."""
    request = urllib.request.Request(f"{server.url}/recompose/complete_pose", json.dumps(pose()).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        legs = {"type": "complete", "person": 0, "answer": json.load(answer)}
    first = server.run(prompt(""))
    assert first.succeeded, first.error
    question = {"output": first.outputs["edit"], "events": [legs, *KNEE_BELOW_THE_FRAME]}
    (session,) = ask("session", [question])
    return session


def prompt(value: str, feet: bool = True) -> dict:
    nodes = {
        "pose": (
            "RecomposeLoadPose",
            {
                "text": json.dumps(pose()),
                "file": "none",
                "layout": "auto",
                "threshold": 0.3,
                "width": 0,
                "height": 0,
            },
        ),
        "edit": (
            "RecomposeEditPose",
            {
                "when_pose_changes": "keep my edit",
                "width": 64,
                "height": 64,
                "stick_width": 4,
                "hands": True,
                "face": True,
                "feet": feet,
                "threshold": 0.3,
                "pose": ["pose", 0],
                **({"edit": value} if value else {}),
            },
        ),
        "shown": ("PreviewImage", {"images": ["edit", 1]}),
        "beside": (
            "RecomposeDrawPose",
            {
                "pose": ["pose", 0],
                "stick_width": 4,
                "hands": True,
                "face": True,
                "feet": True,
                "threshold": 0.3,
            },
        ),
        "beside shown": ("PreviewImage", {"images": ["beside", 0]}),
    }
    return {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}


def cached(outcome) -> set[str]:
    return set(dict(outcome.entry["status"]["messages"])["execution_cached"]["nodes"])


@pytest.mark.parametrize("touched", [False, True], ids=["untouched", "edited"])
def test_the_server_draws_what_the_editor_shows(server, ask, touched: bool) -> None:
    first = server.run(prompt(""))
    assert first.succeeded, first.error
    untouched = {"output": first.outputs["edit"], "events": []}
    session = edited(server, ask) if touched else ask("session", [untouched])[0]
    assert bool(session["value"]) == touched
    outcome = server.run(prompt(session["value"]))
    assert outcome.succeeded, outcome.error
    (picture,) = outcome.images("shown")
    (frame,) = pose_record.read(json.loads(session["shown"]))
    shown = draw(frame, stick_width=4, hands=True, face=True, feet=True)
    assert shown.any() and np.array_equal(picture, shown)
    assert outcome.report("edit")["notices"] == []
    assert (outcome.report("edit")["needed"][3] > 0) == touched


def test_an_edit_reruns_only_what_depends_on_it(server, ask) -> None:
    session = edited(server, ask)
    outcome = server.run(prompt(session["value"]))
    assert outcome.succeeded
    assert cached(outcome) == {"pose", "beside", "beside shown"}
    again = server.run(prompt(session["value"]))
    assert cached(again) == set(prompt(""))
    # A page that was loaded anew still hears what was edited.
    assert again.report("edit") == outcome.report("edit")
