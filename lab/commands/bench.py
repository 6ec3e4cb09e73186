"""`bench`: measure the nodes' speed, or the part that is named, and write it into docs/."""

from __future__ import annotations

import importlib

from ..setup.environment import Environment

NEEDS = "server"
OVERLAYS = ("torchmetrics",)  # for the kernel distances of pictures
# Each is a module of lab/evaluate with main(arguments, environment) -> int; without a name it is nodes.
PARTS = {
    "nodes": "speed.nodes",
    "startup": "speed.startup",
    "sampling": "speed.sampling",
    "attention": "attention.cost",
    "regions": "speed.regions",
    "editor": "speed.editor",
    "samplers": "samplers.bench",
    "pictures": "pictures.bench",
}
MEANINGS = {
    "nodes": "speed and memory beside ComfyUI's own nodes (what runs without a name)",
    "startup": "what the pack adds to ComfyUI's start",
    "sampling": "what a sampler costs beside the model's calls",
    "attention": "what Mutual Attention costs beside the model",
    "regions": "the memory of many patches in a large picture",
    "editor": "the pose editor in the page",
    "samplers": "which inpaint sampler is nearest to the truth, and at how many model calls",
    "pictures": "the same samplers on pictures",
}


def usage() -> str:
    """The list of parts."""
    rows = [f"  {name:<10} {text}" for name, text in MEANINGS.items()]
    return "\n".join(["usage: python3 cli bench [PART] [options]", "", *rows])


def main(arguments: list[str], environment: Environment) -> int:
    """Measure a part; where an aim is missed the report says so."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(usage())
        return 0
    environment.reach_overlays()
    named = bool(arguments) and arguments[0] in PARTS
    name, rest = (arguments[0], arguments[1:]) if named else ("nodes", arguments)
    part = importlib.import_module(f"..evaluate.{PARTS[name]}", __package__)
    return part.main(rest, environment)
