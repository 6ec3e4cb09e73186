"""What the pack makes of ComfyUI's start: few files, no library, little work.

Seconds differ from machine to machine; files, bytes and lines do not. `cli bench startup` has the seconds.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from recompose.lab.evaluate.speed.startup import Start, startup_work
from recompose.lab.setup.environment import Environment

# All that ComfyUI may import of the pack as it starts, beside the nodes' own files: what schemas list, no
# more. Everything that computes is imported when a node runs.
LISTED = {
    "__init__.py",
    "bridge/__init__.py",
    "bridge/choices.py",
    "bridge/models/__init__.py",
    "bridge/models/folders.py",
    "bridge/routes.py",
    "core/__init__.py",
    "core/canvas/__init__.py",
    "core/canvas/choices.py",
    "core/pose/__init__.py",
    "core/pose/choices.py",
}
# Where 56,000 bytes are compiled and their schemas asked for in 15 ms, these bytes take the 50 ms that
# `cli bench startup` wants; where 25,500 lines are run in 6 ms, these take the 20 ms with bytecode.
BYTES, LINES = 180_000, 80_000


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    cache = tmp_path_factory.mktemp("start")
    return startup_work(Environment(Path(sys.executable), Path(os.environ["COMFYUI_PATH"]), cache))


def test_only_the_nodes_and_what_their_schemas_list_is_imported(start: Start) -> None:
    nodes = {file for file in start.sources if file.startswith("nodes/")}
    assert len(nodes) > 1
    assert set(start.sources) - nodes == LISTED


def test_no_library_is_imported(start: Start) -> None:
    assert set(start.others) <= sys.stdlib_module_names, "import these in the function that needs them"


def test_there_is_little_to_compile_and_to_run(start: Start) -> None:
    assert sum(start.sources.values()) <= BYTES
    assert 0 < start.lines <= LINES
