"""The pack itself must also import on Python 3.10, Windows and macOS."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "bridge", "nodes", "training")
PACK = [ROOT / "__init__.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
POSIX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "posix"}
NEWER_THAN_3_10 = {"tomllib"}
NEWER_NAMES = {
    ("typing", "Self"),
    ("typing", "override"),
    ("enum", "StrEnum"),
    ("datetime", "UTC"),
    ("typing", "Never"),
}


def names(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


@pytest.mark.parametrize("path", PACK, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_the_pack_is_python_3_10_for_every_system(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))
    forbidden = POSIX_ONLY | NEWER_THAN_3_10 | {f"{module}.{name}" for module, name in NEWER_NAMES}
    assert names(tree) & forbidden == set()


def test_no_two_files_differ_only_in_case() -> None:
    seen: dict[str, Path] = {}
    for path in ROOT.rglob("*"):
        if ".git" in path.parts or "__pycache__" in path.parts:
            continue
        key = str(path.relative_to(ROOT)).lower()
        assert key not in seen, f"{path} and {seen[key]} are one file on Windows"
        seen[key] = path
