"""The route that Edit Pose's editor asks for legs, on a real server: answers, refusals, one registration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recompose.bridge import pose_json, pose_record
from recompose.core.pose import skeleton
from recompose.core.pose.estimate import complete

PATH = "/recompose/complete_pose"
WIDTH, HEIGHT = 331, 457
# Head, shoulders, arms and hips of somebody standing; the picture ends at the hips.
SEEN = {0: (165, 148), 1: (165, 210), 2: (88, 210), 5: (243, 210), 8: (108, 383), 11: (222, 383)}


def person(**more: object) -> dict:
    flat = [value for index in range(18) for value in ((*SEEN[index], 1) if index in SEEN else (0, 0, 0))]
    return {skeleton.BODY_KEY: flat, **more}


def frame(*persons: dict) -> dict:
    return {"people": list(persons), "canvas_width": WIDTH, "canvas_height": HEIGHT}


def post(server: Any, body: bytes | object, prefix: str = "/api") -> tuple[int, Any]:
    """Status and JSON of the answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(server.url + prefix + PATH, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_answer_is_what_complete_pose_gives(server: Any, prefix: str) -> None:
    asked = frame(person(), person(hand_left_keypoints_2d=[9.0, 9.0, 1.0] * 21))
    status, answer = post(server, asked, prefix)
    assert status == 200
    expected = complete.complete(pose_json.read(json.dumps(asked)))
    assert answer == {"pose": pose_record.write(expected, pose_record.Written.ALL)}
    for found in pose_record.read(answer["pose"])[0].people:
        assert found.points[[9, 10, 12, 13], 1].min() > HEIGHT
        assert np.array_equal(np.flatnonzero(found.estimated), [9, 10, 12, 13, *range(18, 24)])


WRONG = {
    "nothing": (b"", "not JSON"),
    "no JSON": (b"{", "not JSON"),
    "no text": (b"\xff\xfe{}", "UTF-8"),
    "another thing": (b'{"cats": 3}', "OpenPose JSON"),
    "deep": (b"[" * 100_000, "not JSON"),
    "no size": (json.dumps({"people": [person()]}).encode(), "how large"),
    "nobody": (frame(), "holds no person"),
    "nothing to measure": (frame({skeleton.BODY_KEY: [5, 5, 1] + [0] * 51}), "Too few points"),
    "a word": (frame({skeleton.BODY_KEY: ["x"] * 54}), "flat list of numbers"),
    "NaN": (frame({skeleton.BODY_KEY: [float("nan")] * 54}), "Too few points"),
    "sixteen points": (frame({skeleton.BODY_KEY: [1.0] * 48}), "points but holds 16"),
    "a crowd": (frame(*[person()] * 101), "at most 100 people"),
    "a long text": (frame(person()) | {"padding": "x" * 1_000_000}, "1000000 characters"),
}


@pytest.mark.parametrize(("body", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_refused_in_a_sentence(server: Any, body: bytes | dict, words: str) -> None:
    status, answer = post(server, body)
    assert (status, list(answer)) == (400, ["error"])
    assert words in answer["error"] and answer["error"].endswith(".") and len(answer["error"]) < 300
    assert post(server, frame(person()))[0] == 200


REGISTER = """
import sys
from types import ModuleType
import comfy.options
comfy.options.enable_args_parsing()
pack = ModuleType("recompose")
pack.__path__ = [{root!r}]
sys.modules["recompose"] = pack
from recompose.bridge import routes
assert "server" not in sys.modules, "no work at import"
routes.register()
assert "server" not in sys.modules, "where there is no server, none is made"
import server
from aiohttp import web
from server import PromptServer
routes.register()
PromptServer.instance = ModuleType("server of this test")
PromptServer.instance.routes = web.RouteTableDef()
routes.register()
routes.register()
print([(route.method, route.path) for route in PromptServer.instance.routes])
"""


def test_it_is_registered_once_and_only_where_there_is_a_server(root: Path) -> None:
    command = [sys.executable, "-c", REGISTER.format(root=str(root)), "--cpu"]
    done = subprocess.run(
        command, cwd=os.environ["COMFYUI_PATH"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == str([("POST", PATH)])
