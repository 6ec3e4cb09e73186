"""A workflow in the editor's format with its prompt's values: what a saved picture has for the page."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from .comfy import workflow
from .comfy.answers import items, record, text

CONTROLS = ("fixed", "increment", "decrement", "randomize")  # the page's own widget below each seed


def filled(layout: dict, prompt: dict) -> dict:
    """A copy of the laid-out workflow whose nodes have the settings and classes that the prompt has.

    Nodes and connections are the same in both; nodes that are in one alone stay as they are or away.
    """
    layout = copy.deepcopy(layout)
    for node in items(layout.get("nodes")):
        asked = record(prompt.get(str(node.get("id"))))
        if not asked:
            continue
        if node["type"] != asked["class_type"]:
            exchange(node, asked)
            # What the other class has no output for is connected with nothing.
            while node.get("outputs") and not record(node["outputs"][-1]).get("links"):
                node["outputs"].pop()
        elif dotted(asked["inputs"]) != dotted(each.get("name") for each in items(node.get("inputs"))):
            exchange(node, asked)
        elif node.get("widgets_values"):
            node["widgets_values"] = values(node, asked["inputs"])
    return layout


def dotted(names: Iterable[object]) -> set[str]:
    """The inputs that come with a choice, named after it with a dot."""
    return {name for name in map(text, names) if "." in name}


def values(node: dict, inputs: dict) -> list:
    """The node's widget values, which are told by their place, with those of `inputs` in theirs."""
    found, place = list(items(node.get("widgets_values"))), 0
    for each in items(node.get("inputs")):
        name = text(record(each.get("widget")).get("name"))
        if not name or place >= len(found):
            continue
        if name in inputs and not workflow.is_link(inputs[name]):
            found[place] = inputs[name]
        place += 1
        if name.endswith("seed") and place < len(found) and found[place] in CONTROLS:
            place += 1
    return found


def exchange(node: dict, asked: dict) -> None:
    """Make the node one of another class or choice whose connections have the same names and places."""
    inputs = {name: value for name, value in asked["inputs"].items() if not workflow.is_link(value)}
    node["type"] = asked["class_type"]
    node["properties"] = {**record(node.get("properties")), "Node name for S&R": asked["class_type"]}
    linked = [each for each in items(node.get("inputs")) if each.get("link") is not None]
    widgets = [{"name": name, "type": "*", "widget": {"name": name}, "link": None} for name in inputs]
    node["inputs"] = [*linked, *widgets]
    node["widgets_values"] = list(inputs.values())
