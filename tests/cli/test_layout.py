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


@pytest.mark.parametrize("detector", ["DWPose", "OpenPose", "mine.safetensors"])
def test_a_detector_takes_the_poses_place_and_its_connections(laid_out, detector: str) -> None:
    prompt = demo.compose(options("--detector", detector), None)
    filled = layout.filled(laid_out, prompt)
    pose = next(node for node in filled["nodes"] if node.get("title") == "Pose")
    before = next(node for node in laid_out["nodes"] if node.get("title") == "Pose")
    assert pose["type"] == "RecomposeDetectPose" and pose["outputs"] == before["outputs"]
    (image,) = [each for each in pose["inputs"] if each.get("link")]
    assert image == before["inputs"][0] and pose["inputs"][0] == image
    names = list(settings(filled)[str(pose["id"])])
    assert names[0] == "detector" and names[-1] == "threshold"
