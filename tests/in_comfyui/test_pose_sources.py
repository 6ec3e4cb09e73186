"""Every node with a pose takes every common form of one: the same result as with core's clean form."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from recompose.tests import pose_sources
from recompose.tests.pose_sources import HEIGHT, WIDTH, Source

CASES = {name: make() for name, make in pose_sources.SOURCES.items()} | pose_sources.oddities()
# Nodes that have nothing to take the size of the picture from.
WITHOUT_PICTURE = ("Complete Pose", "Draw Pose")


def photo() -> torch.Tensor:
    values = np.arange(HEIGHT * WIDTH * 3) % 251 / 250
    return torch.tensor(values, dtype=torch.float32).reshape(1, HEIGHT, WIDTH, 3)


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> dict[str, Callable[[Any], Any]]:
    """Every node with a pose, as a function of it; a result's args or a plain tuple."""
    pose, edit, canvas = (
        importlib.import_module(f"recompose.nodes.{name}") for name in ("pose", "pose_edit", "canvas")
    )
    within = torch.ones(1, HEIGHT, WIDTH)
    sides = {"mode": "sides", "left": 8, "top": 16, "right": 0, "bottom": 24}
    crop = ("person", 64, 64, "exact", 20.0, 8, 1.1, None, None)
    drawing = (4, True, True, True, 0.3)
    other = [pose_sources.frame(pose_sources.person(1.02))]
    return {
        "Complete Pose": lambda given: pose.CompletePose.execute(given, 9.0, 0.3, "standing"),
        "Draw Pose": lambda given: pose.DrawPose.execute(given, *drawing),
        "Limb Mask": lambda given: pose.LimbMask.execute(given, "whole body", 12.0, False, 0.3, within),
        "Limb Mask, moved": lambda given: pose.LimbMask.execute(
            given, "moved", 12.0, False, 0.3, within, other
        ),
        "Limb Mask, other pose": lambda given: pose.LimbMask.execute(
            other, "moved", 12.0, False, 0.3, within, given
        ),
        "Edit Pose": lambda given: edit.EditPose.execute(
            "keep my edit", 64, 64, *drawing, photo(), given, ""
        ),
        "Extend Canvas": lambda given: canvas.ExtendCanvas.execute(
            photo(), sides, 8, {"fill": "edge"}, 0, None, given
        ),
        "Crop to Region": lambda given: canvas.CropToRegion.execute(photo(), *crop, given),
    }


def told(output: Any) -> list[str]:
    return [text for each in (output.ui or {}).get("recompose", []) for text in each.get("notices", [])]


def comparable(value: Any) -> Any:
    """Pictures as they are; poses as points in a fixed order, rounded to float32's precision."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [
            [
                {
                    key: np.round(np.reshape(person[key], (-1, 3)), 3).tolist()
                    for key in pose_sources.KEY_COUNTS
                    if any(person.get(key) or [])
                }
                for person in frame["people"]
            ]
            for frame in value
        ]
    return value


def same(found: Any, wanted: Any) -> None:
    if isinstance(wanted, torch.Tensor):
        assert found.shape == wanted.shape
        # A coordinate's last bit may move a pixel at the edge of a stick.
        assert (found != wanted).float().mean() < 1e-3
    elif isinstance(wanted, list):
        assert comparable(found) == comparable(wanted)
    else:
        assert found == wanted or not isinstance(wanted, int)


@pytest.mark.parametrize("name", CASES)
def test_every_node_gives_what_it_gives_for_the_clean_form(nodes, name: str) -> None:
    source: Source = CASES[name]
    for node, run in nodes.items():
        if source.picture is not None and node in WITHOUT_PICTURE:
            with pytest.raises(ValueError, match="how large its picture is"):
                run(source.data)
            continue
        output, wanted = run(source.data), run(pose_sources.clean(source))
        for found, clean in zip(output.args, wanted.args, strict=True):
            same(found, clean)
        notices = told(output)
        assert not source.notice or any(source.notice in sentence for sentence in notices), node


@pytest.mark.parametrize("factor", [0.5, 2.0, 0.303])
def test_a_pose_at_another_resolution_is_scaled_to_the_picture(nodes, factor: float) -> None:
    size = round(WIDTH * factor), round(HEIGHT * factor)
    scale = np.array([size[0] / WIDTH, size[1] / HEIGHT])
    # Not at whole pixels, where the last bit of a coordinate decides which pixel a stick begins at.
    standing = pose_sources.STANDING + 0.37
    points = pose_sources.flat(standing * scale)
    given = [{"canvas_width": size[0], "canvas_height": size[1], "people": [{pose_sources.BODY: points}]}]
    clean = [pose_sources.frame({pose_sources.BODY: pose_sources.flat(standing)})]
    for node, run in nodes.items():
        if node in WITHOUT_PICTURE:
            continue
        output = run(given)
        for found, wanted in zip(output.args, run(clean).args, strict=True):
            same(found, wanted)
        assert any("was scaled to this picture of 320×480" in text for text in told(output)), node


def test_a_pose_of_another_aspect_is_refused_everywhere(nodes) -> None:
    given = [{**pose_sources.frame(pose_sources.person()), "canvas_width": WIDTH + 40}]
    for node, run in nodes.items():
        if node not in WITHOUT_PICTURE:
            with pytest.raises(
                ValueError, match="360×480 but the picture is 320×480, which has another aspect"
            ):
                run(given)


REFUSED = {
    "text": ("[]", "but is text"),
    "a number": (5, "but is int"),
    "nothing": ([], "no frame"),
    "another object": ({"cats": 3}, "is another object"),
    "a frame of text": (["x"], "must be a JSON object, got str"),
    "a person of text": ([pose_sources.frame("Ann")], "must be a JSON object, got str"),
    "words": ([pose_sources.frame({pose_sources.BODY: ["a"] * 54})], "flat list of numbers"),
    "a wide size": ([{**pose_sources.frame(), "canvas_width": "wide"}], "whole numbers"),
    "a huge size": ([{**pose_sources.frame(), "canvas_width": 10**400}], "whole numbers"),
    "kept as a number": (
        [pose_sources.frame(pose_sources.person(recompose=5))],
        '"recompose" must be an object',
    ),
    "18 pairs": ([pose_sources.frame({pose_sources.BODY: [1, 2] * 18})], "18 pairs x, y without a score"),
    "19 points": ([pose_sources.frame({pose_sources.BODY: [1] * 57})], "points but holds 19"),
    "sizes of two aspects": (
        [pose_sources.frame(), {**pose_sources.frame(), "canvas_width": 999}],
        "different sizes .*split the batch|another aspect",
    ),
}


@pytest.mark.parametrize(("given", "words"), REFUSED.values(), ids=REFUSED)
def test_every_node_refuses_the_same_in_the_same_words(nodes, given: Any, words: str) -> None:
    for run in nodes.values():
        with pytest.raises(ValueError, match=words) as caught:
            run(given)
        sentence = str(caught.value)
        assert "\n" not in sentence and sentence.endswith(".") and 30 < len(sentence) < 400


def test_as_many_frames_as_pictures_are_asked_for_everywhere(nodes) -> None:
    three = [pose_sources.frame(pose_sources.person())] * 3
    canvas = importlib.import_module("recompose.nodes.canvas")
    edit = importlib.import_module("recompose.nodes.pose_edit").EditPose
    pictures = photo().repeat(2, 1, 1, 1)
    sides = {"mode": "sides", "left": 8, "top": 0, "right": 0, "bottom": 0}
    crop = ("person", 64, 64, "exact", 20.0, 8, 1.1, None, None)
    calls: list[Callable[[], Any]] = [
        lambda: canvas.ExtendCanvas.execute(pictures, sides, 8, {"fill": "edge"}, 0, None, three),
        lambda: canvas.CropToRegion.execute(pictures, *crop, three),
        lambda: edit.execute("keep my edit", 64, 64, 4, True, True, True, 0.3, pictures, three, ""),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"do not fit together.*pose 3"):
            call()
