"""`bench editor`: ten people over a large photo in the real page; writes its part of docs/performance.md."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ...places import ROOT
from ...setup.environment import Environment, ensure
from ...setup.server import PrivateServer
from ..sections import replace_part

REPORT = ROOT / "docs" / "performance.md"
HEADING = "## The pose editor in the page"
PEOPLE, SIDE = 10, 4096
BROWSER = ROOT / "tests" / "e2e" / "browser.mjs"
PARTS = {
    "pose_keypoints_2d": 18,
    "foot_keypoints_2d": 6,
    "hand_left_keypoints_2d": 21,
    "hand_right_keypoints_2d": 21,
    "face_keypoints_2d": 70,
}


def crowd() -> str:
    """Ten people with all 136 points each as OpenPose JSON, spread over the picture."""
    people = []
    for person in range(PEOPLE):
        left, top = 300 + 760 * (person % 5), 250 + 2000 * (person // 5)
        entry, index = {}, 0
        for key, count in PARTS.items():
            flat: list[float] = []
            for _ in range(count):
                angle = 2.399963 * index  # the golden angle spreads them without a pattern
                reach = 12 * math.sqrt(index + 1)
                flat += [left + 200 + reach * math.cos(angle), top + 700 + 4 * reach * math.sin(angle), 1.0]
                index += 1
            entry[key] = flat
        people.append(entry)
    return json.dumps([{"canvas_width": SIDE, "canvas_height": SIDE, "people": people}])


def photo(path: Path) -> None:
    """A smooth picture of 4096 x 4096 pixels."""
    from PIL import Image

    gradient = Image.linear_gradient("L")
    bands = gradient, gradient.rotate(90), gradient.rotate(180)
    Image.merge("RGB", bands).resize((SIDE, SIDE)).save(path, quality=90)


def measured(modern: bool, server: PrivateServer, folder: Path) -> dict[str, Any]:
    """What the scenario `speed` finds in one renderer."""
    question = {
        "scenario": "speed",
        "url": server.url,
        "settings": {"Comfy.VueNodes.Enabled": modern, "Comfy.Minimap.Visible": False},
        "folder": str(folder),
        "arguments": {"photo": "crowd.jpg", "pose": crowd()},
    }
    command = [os.environ["RECOMPOSE_NODE"], str(BROWSER)]
    run = subprocess.run(
        command,
        input=json.dumps(question) + "\n",
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOME_FOLDER": str(folder)},
    )
    answer = json.loads(run.stdout.splitlines()[-1])
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["result"]


def table(results: dict[str, dict[str, Any]]) -> str:
    """The report's part, with what was asked for beside what was found."""
    rows = [
        ("script per frame, ms (median / p95)", "< 16", lambda r: both(r["script"])),
        ("time between frames, ms (median / p95)", "p95 ≤ 20", lambda r: both(r["interval"])),
        ("skeleton interactive after opening, ms (best of three)", "< 200", lambda r: f"{r['opening']:.0f}"),
        ("length of the value, bytes", "≤ 40,960", lambda r: f"{r['value']:,}"),
    ]
    head = f"|  | aim | {' | '.join(results)} |\n|---|---|{'---|' * len(results)}\n"
    lines = [
        f"| {name} | {aim} | {' | '.join(show(r) for r in results.values())} |" for name, aim, show in rows
    ]
    points = next(iter(results.values()))["points"]
    text = (
        f"{HEADING}\n\nOne of {PEOPLE} people ({points:,} points) is dragged over a {SIDE}×{SIDE} photo, "
        f"beside 30 other nodes, in headless Chromium on {os.cpu_count()} cores of {platform.machine()} "
        "**without a GPU**: everything, ComfyUI's own canvas included, is drawn and composed by the "
        "processor, and the time between frames grows with whatever else the machine does. The script is the "
        "editor's own work for a frame: moving, measuring, drawing. Measured by `python3 cli bench editor`."
        "\n\n"
    )
    return text + head + "\n".join(lines) + "\n"


def both(found: dict[str, float]) -> str:
    """Median and 95th percentile as one cell."""
    return f"{found['median']:.1f} / {found['p95']:.1f}"


def main(arguments: list[str], environment: Environment) -> int:
    """Measure in both renderers and replace this part of the report; there are no options."""
    argparse.ArgumentParser(prog="cli bench editor", description=__doc__).parse_args(arguments)
    environment = ensure(need_tests=True)
    os.environ.update(environment.variables())
    with tempfile.TemporaryDirectory() as place:
        folder, packs = Path(place), {"comfyui-recompose": ROOT}
        with PrivateServer(environment.python, environment.comfyui, folder, packs) as server:
            photo(server.input_dir / "crowd.jpg")
            kinds = {"classic": False, "Nodes 2.0": True}
            results = {name: measured(modern, server, folder) for name, modern in kinds.items()}
    part = table(results)
    replace_part(REPORT, HEADING, part)
    print(part)
    return 0
