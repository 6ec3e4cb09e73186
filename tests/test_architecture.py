"""The arrows between the rooms and the size budgets, held on the sources and proven red on planted code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {
    "core": {"core"},
    "training": {"core", "training"},
    "demo": {"core", "training", "demo"},
    "cli": {"core", "training", "demo", "cli"},
    "bridge": {"core", "training", "bridge"},
    "nodes": {"bridge", "core", "nodes"},
}
HOST = {
    "comfy",
    "comfy_api",
    "comfy_extras",
    "folder_paths",
    "node_helpers",
    "server",
    "execution",
    "latent_preview",
}
HOST_ALLOWED = {
    "core": set(),
    "training": set(),
    "demo": {"comfy", "comfy_api"},
    "cli": set(),
    "bridge": HOST - {"comfy_api", "server", "execution"},
    "nodes": {"comfy_api"},
}
# The one file that may offer something to ComfyUI's server.
ROUTES = Path("bridge/routes.py")
# Packages that may be imported only inside a function, so that loading the pack stays cheap.
LAZY = {"scipy", "transformers", "torchvision", "kornia", "cv2", "controlnet_aux", "rtmlib", "onnxruntime"}
BANNED_IN_CORE = {"transformers", "safetensors", "torchvision", "kornia", "requests", "aiohttp"}
FILE_LINES, FUNCTION_LINES, EXECUTE_LINES = 400, 40, 8


def imported(node: ast.AST, path: Path) -> list[tuple[str, bool]]:
    """(top-level name or room, is it ours) of one import statement in `path` (relative to the root)."""
    if isinstance(node, ast.Import):
        return [(name.name.split(".")[0], False) for name in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if node.level == 0:
        top, _, rest = (node.module or "").partition(".")
        if top == "recompose":
            names = [rest.split(".")[0]] if rest else [name.name for name in node.names]
            return [(name, True) for name in names]
        return [(top, False)]
    base = path.parent.parts[: len(path.parent.parts) - (node.level - 1)]
    target = [*base, *(node.module or "").split(".")] if node.module else list(base)
    if target:
        return [(target[0], True)]
    return [(name.name, True) for name in node.names]


def violations(path: Path, source: str) -> list[str]:
    """Every broken arrow or budget of one file; `path` is relative to the root."""
    room, tree, found = path.parts[0], ast.parse(source), []
    lines = source.count("\n")
    if lines > FILE_LINES:
        found.append(f"{path}: {lines} lines, at most {FILE_LINES}")
    top_level = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        for name, ours in imported(node, path):
            if ours and name not in ROOMS[room]:
                found.append(f"{path}:{node.lineno}: {room} may not import {name}")
            known = HOST_ALLOWED[room] | ({"server"} if path == ROUTES else set())
            if not ours and name in HOST - known:
                found.append(f"{path}:{node.lineno}: {room} may not know the host's {name}")
            if not ours and room == "core" and name in BANNED_IN_CORE:
                found.append(f"{path}:{node.lineno}: core may not import {name}")
            if not ours and name in LAZY and id(node) in top_level and room in ("core", "bridge", "nodes"):
                found.append(f"{path}:{node.lineno}: import {name} inside the function that needs it")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES and node.name != "define_schema":
                found.append(
                    f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"
                )
            body = node.end_lineno - node.body[0].lineno + 1
            if room == "nodes" and node.name == "execute" and body > EXECUTE_LINES:
                found.append(f"{path}:{node.lineno}: execute has {body} lines, at most {EXECUTE_LINES}")
        if room == "nodes" and isinstance(node, ast.For | ast.While):
            found.append(f"{path}:{node.lineno}: no loops in nodes")
    return found


SOURCES = sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_the_house_holds(path: Path) -> None:
    assert violations(path, (ROOT / path).read_text()) == []


PLANTED = [
    ("core/x.py", "import comfy.utils\n"),
    ("core/x.py", "from ..bridge import layouts\n"),
    ("core/pose/x.py", "from ...nodes import pose\n"),
    ("core/x.py", "from recompose.bridge import layouts\n"),
    ("core/x.py", "def f():\n    import transformers\n"),
    ("core/x.py", "import scipy.ndimage\n"),
    ("bridge/x.py", "from comfy_api.latest import io\n"),
    ("bridge/x.py", "from ..nodes import canvas\n"),
    ("bridge/x.py", "def f():\n    from server import PromptServer\n"),
    ("nodes/x.py", "import server\n"),
    ("bridge/x.py", "import transformers\n"),
    ("nodes/x.py", "import comfy.utils\n"),
    ("nodes/x.py", "def f(a):\n    for b in a:\n        pass\n"),
    ("nodes/x.py", "class A:\n    def execute(cls):\n" + "        a = 1\n" * 9),
    ("training/x.py", "from .. import demo\n"),
    ("demo/x.py", "from ..cli import main\n"),
    ("cli/x.py", "from ..nodes import canvas\n"),
    ("core/x.py", "a = 1\n" * 401),
    ("core/x.py", "def f():\n" + "    a = 1\n" * 41),
]


@pytest.mark.parametrize(("path", "source"), PLANTED, ids=lambda value: str(value)[:40])
def test_a_planted_violation_is_found(path: str, source: str) -> None:
    assert len(violations(Path(path), source)) == 1
