"""What the pack's nodes say about their work: figures and notices, from the history of a run."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from .comfy import workflow
from .comfy.answers import items, record, text
from .words import line

WIDEST = 120  # characters of a figure; poses and the like are for programs


def reports(entry: dict, prompt: dict) -> list[dict[str, Any]]:
    """One record per node that left something: node, title, class, reports and notices."""
    found, meta = [], record(entry.get("meta"))
    for identity, output in record(entry.get("outputs")).items():
        left = [each for each in items(record(output).get("recompose")) if isinstance(each, dict)]
        if not left:
            continue
        # A node of a subgraph has an id of its own; the one in the file is the one to name.
        known = text(record(meta.get(identity)).get("display_node")) or identity
        notices = [notice for each in left for notice in items(each.get("notices")) if text(notice)]
        found.append(
            {
                "node": known,
                "title": workflow.title(prompt, known),
                "class": text(record(prompt.get(known)).get("class_type")),
                "reports": [
                    {key: finite(value) for key, value in each.items() if key != "notices"} for each in left
                ],
                "notices": list(dict.fromkeys(notices)),
            }
        )
    return found


def files(entry: dict, prompt: dict) -> list[str]:
    """The files below the server's output folder that nodes have reported, with "/" between folders."""
    names = [
        text(name)
        for node in reports(entry, prompt)
        for report in node["reports"]
        for name in items(report.get("files"))
    ]
    return [name.replace("\\", "/") for name in names if name]


def finite(value: Any) -> Any:
    """The value with null for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def lines(found: list[dict[str, Any]]) -> list[str]:
    """The reports in words, a line per report and per notice."""
    told = []
    for each in found:
        title = line(each["title"], 80)
        for report in each["reports"]:
            figures = [f"{key} {words}" for key, value in report.items() if (words := figure(value))]
            told += [f"{title}: {line(', '.join(figures))}"] if figures else []
        for notice in map(line, each["notices"]):
            told.append(f"{title}: {notice.removeprefix(f'{name_of(each)}: ')}")
    return told


def name_of(found: dict[str, Any]) -> str:
    """The node's own name, with which most of its notices begin: RecomposeStitchBack is Stitch Back."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", found["class"].removeprefix("Recompose"))


def figure(value: Any) -> str:
    """A value of a report in a few words, "" for one that is too long for a line."""
    if isinstance(value, dict):
        words = " ".join(f"{key} {figure(each)}" for key, each in value.items())
    elif isinstance(value, list):
        if any(isinstance(each, dict) for each in value):
            return ""  # frames and files
        words = " ".join(map(figure, value))
    elif isinstance(value, float):
        words = f"{value:.4g}"
    else:
        words = "none" if value is None else str(value)
    return words if len(words) <= WIDEST else ""


def document(found: list[dict[str, Any]], **more: Any) -> bytes:
    """The reports as the JSON file for programs, with what else is known of the run."""
    return (json.dumps({**more, "nodes": found}, indent=2) + "\n").encode()
