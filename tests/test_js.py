"""The editor's pure modules under Node: geometry, state and bridge."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "tests" / "js").glob("*.test.mjs"))
# What a browser alone has, and what would make a module more than pure.
FORBIDDEN = re.compile(
    r"\b(document|window|globalThis|localStorage|fetch|innerHTML|scripts/app|scripts/api)\b"
)
FILE_LINES, LINE_LENGTH = 400, 120
PURE = ("model", "estimate", "io", "edit")


def node() -> str:
    program = os.environ.get("RECOMPOSE_NODE")
    assert program and Path(program).exists(), "Node is missing; `python3 cli test` brings it."
    return program


def test_there_are_tests_of_geometry_state_and_bridge() -> None:
    assert {"geometry.test.mjs", "state.test.mjs", "bridge.test.mjs"} <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_node_passes(path: Path) -> None:
    command = [node(), "--no-warnings", "--test", "--test-reporter=tap", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.M)
    assert passed and int(passed[1]) > 0, said[-3000:]
    assert re.search(r"^# (skipped|todo) [1-9]", done.stdout, re.M) is None


def pure_modules() -> list[Path]:
    return [path for room in PURE for path in sorted((ROOT / "js" / ".modules" / "pose" / room).glob("*.js"))]


def test_every_room_has_pure_modules() -> None:
    assert {path.parent.name for path in pure_modules()} == set(PURE)


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: path.name)
def test_a_pure_module_is_pure_and_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.S)
    assert FORBIDDEN.findall(code) == []
    lines = source.splitlines()
    assert len(lines) <= FILE_LINES
    assert [line for line in lines if len(line) > LINE_LENGTH] == []
