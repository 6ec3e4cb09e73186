"""The laid-out workflow with a prompt's settings: the same values, read back by the widgets' names."""

from __future__ import annotations

import copy
import json

import pytest
from recompose.cli import demo, layout
from recompose.cli.comfy import workflow


@pytest.fixture
def laid_out() -> dict:
    return json.loads(demo.LAYOUT.read_text(encoding="utf-8"))


def settings(graph: dict) -> dict[str, dict]:
    """Widget values by node and name; the page has a control after each seed."""
    found = {}
    for node in graph["nodes"]:
        names = [each["widget"]["name"] for each in node.get("inputs", []) if each.get("widget")]
        names = [part for name in names for part in ([name, "control"] if name == "seed" else [name])]
        if node["type"] == "RecomposeEditPose":
            names.append("edit")  # a widget without an input slot
        if names:
            found[str(node["id"])] = dict(zip(names, node["widgets_values"], strict=True))
    return found


def options(*arguments: str):
    return demo.parser().parse_args(arguments)


def test_the_committed_prompt_changes_nothing(laid_out) -> None:
    before = copy.deepcopy(laid_out)
    assert layout.filled(laid_out, workflow.read(demo.WORKFLOW)) == before
    assert laid_out == before


def test_every_setting_of_the_prompt_is_in_its_place(laid_out) -> None:
    prompt = demo.compose(options("--seed", "77", "--checkpoint", "mine.ckpt"), '{"people": []}')
    for target, value in {
        "Outpaint.cfg": 3.5,
        "ControlNet pass.steps": 9,
        "Photo.image": "up/me.png",
    }.items():
        demo.put(prompt, target, value)
    filled = settings(layout.filled(laid_out, prompt))
    for identity, node in prompt.items():
        values = {name: value for name, value in node["inputs"].items() if not workflow.is_link(value)}
        if identity in filled:
            assert filled[identity].items() >= values.items(), node
    outpaint = filled[workflow.find(prompt, "Outpaint")]
    assert (outpaint["seed"], outpaint["control"], outpaint["cfg"]) == (77, "fixed", 3.5)


@pytest.mark.parametrize("detector", ["auto", "BlazePose", "DWPose", "OpenPose", "mine.safetensors"])
def test_a_detector_has_its_own_settings_and_the_same_connections(laid_out, detector: str) -> None:
    prompt = demo.compose(options("--detector", detector), None)
    pose, before = (at(graph, "RecomposeDetectPose") for graph in (layout.filled(laid_out, prompt), laid_out))
    assert pose["outputs"] == before["outputs"] and pose["id"] == before["id"]
    (image,) = [each for each in pose["inputs"] if each.get("link")]
    assert image == before["inputs"][0] and pose["inputs"][0] == image
    asked = prompt[str(pose["id"])]["inputs"]
    assert [each["name"] for each in pose["inputs"]] == list(asked)
    assert pose["widgets_values"] == list(asked.values())[1:]


def test_a_pose_from_a_file_is_loaded_in_the_detector_s_place(laid_out) -> None:
    filled = layout.filled(laid_out, demo.compose(options(), '{"people": []}'))
    pose, before = at(filled, "RecomposeLoadPose"), at(laid_out, "RecomposeDetectPose")
    assert pose["id"] == before["id"] and pose["pos"] == before["pos"]
    assert pose["outputs"] == before["outputs"][:1] and pose["outputs"][0]["links"]
    assert pose["widgets_values"] == ['{"people": []}', "none", "auto", 0.3, 0, 0]
    assert "title" not in pose  # so that the page shows the class's name


def at(graph: dict, kind: str) -> dict:
    (node,) = [node for node in graph["nodes"] if node["type"] == kind]
    return node
