"""`python3 cli models`: which files a workflow chooses and which of them a server has; needs no library.

`cli models blazepose` is a command of its own (fetch.py).
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from . import ending, fetch
from .comfy import definitions, workflow
from .comfy.client import Client, ServerError
from .words import line

SHOWN = 8  # of the names that a server offers instead


class Choice(NamedTuple):
    """One file that a workflow chooses: where, its name, and what the server offers there."""

    node: str
    name: str
    value: str
    offered: list[str]

    @property
    def present(self) -> bool:
        """Whether the server offers that file."""
        return self.value in self.offered


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli models",
        description="List the model files that a workflow chooses and whether the server has them.",
        epilog="The exit status is 1 when one is missing. `cli models blazepose` is a command of its own: it "
        "brings the larger networks of Detect Pose's BlazePose; see its --help.",
    )
    options.add_argument("workflow", type=Path, metavar="WORKFLOW.json")
    options.add_argument("--server", default="127.0.0.1:8188", metavar="URL", help="default: %(default)s")
    return options


def choices(prompt: dict, definition: Callable[[str], dict | None]) -> Iterator[Choice]:
    """Every file that the prompt chooses from a list of files, pictures that are uploaded not counted.

    `definition` gives a node's declaration by its class, None where the server does not know it.
    ServerError for such a node.
    """
    for identity, node in prompt.items():
        known = definition(node["class_type"])
        if known is None:
            raise ServerError(
                f"The server lacks the node {node['class_type']} of {workflow.describe(prompt, identity)}; "
                "install its pack there."
            )
        for name, value in node["inputs"].items():
            kind, settings = definitions.declared(known, name, node["inputs"]) or (None, {})
            offered = [each for each in definitions.choices((kind, settings)) if isinstance(each, str)]
            if not isinstance(value, str) or settings.get("image_upload") or workflow.is_link(value):
                continue
            if kind == "COMBO" or isinstance(kind, list):
                yield Choice(workflow.title(prompt, identity), name, value, offered)


def is_file(choice: Choice) -> bool:
    """Whether the list is one of files: names with an ending, folders of models, or nothing there yet."""
    names = [choice.value, *choice.offered]
    return choice.name.rpartition(".")[2] in ("model", "model_name") or any(
        Path(name).suffix for name in names
    )


def lines(found: list[Choice]) -> list[str]:
    """The choices in words, missing ones with what the server has instead."""
    told = []
    for choice in found:
        words = line(f"{choice.node}, {choice.name}: {choice.value}")
        if not choice.present:
            more = ", ..." if len(choice.offered) > SHOWN else ""
            has = line(", ".join(choice.offered[:SHOWN]) + more) or "none"
            words += f" is missing (the server has: {has})"
        told.append(words)
    return told


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status: 1 when a file is missing."""
    if arguments[:1] == [fetch.NAME]:
        return fetch.main(arguments[1:])
    options = parser().parse_args(arguments)

    def look() -> int:
        prompt = workflow.read(options.workflow)
        client = Client(options.server)
        found = [each for each in choices(prompt, functools.cache(client.node)) if is_file(each)]
        print("\n".join(lines(found)) or "The workflow chooses no files.")
        return 0 if all(choice.present for choice in found) else ending.FAILED

    return ending.status_of("models", look)
