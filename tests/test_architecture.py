"""The arrows between folders, circles between files and the size budgets, proven red on planted code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("core", "training", "bridge", "nodes", "cli")
# Which folders the files of a folder may import. A name stands for the folder's own files, "name/" for
# everything below it as well. Product never imports lab.
ARROWS = {
    "core": {"core"},
    "core/attention": {"core", "core/attention"},
    "core/concepts": {"core", "core/concepts"},
    "core/exemplar": {"core", "core/mask", "core/exemplar"},
    "core/mask": {"core", "core/mask"},
    "core/sketch": {"core", "core/canvas", "core/exemplar", "core/mask", "core/sketch"},
    "core/smartbrush": {"core", "core/mask", "core/smartbrush"},
    "core/sampling": {"core", "core/sampling"},
    "core/inversion": {"core", "core/sampling", "core/inversion"},
    "core/canvas": {"core", "core/mask", "core/canvas"},
    "core/pose": {"core", "core/pose/"},
    "core/pose/estimate": {"core", "core/pose/"},
    "core/pose/blazepose": {"core", "core/pose", "core/pose/blazepose"},
    "training": {"core/", "training"},
    "bridge": {"core/", "training", "bridge", "bridge/models"},
    "bridge/attention": {"core/", "bridge", "bridge/attention"},
    "bridge/concepts": {"core/", "training", "bridge", "bridge/models", "bridge/training", "bridge/concepts"},
    "bridge/exemplar": {"core/", "training", "bridge", "bridge/models", "bridge/training", "bridge/exemplar"},
    "bridge/smartbrush": {
        "core/",
        "training",
        "bridge",
        "bridge/models",
        "bridge/training",
        "bridge/smartbrush",
    },
    "bridge/models": {"core/", "bridge", "bridge/models"},
    "bridge/training": {"core/", "training", "bridge", "bridge/attention", "bridge/training"},
    "bridge/detectors": {"core/", "bridge", "bridge/models", "bridge/detectors"},
    "bridge/inversion": {"core/", "bridge", "bridge/inversion"},
    "nodes": {"core/", "bridge/", "nodes"},
    "cli": {"cli/"},
    "cli/comfy": {"cli", "cli/comfy"},
    "cli/training": {
        "core/concepts",
        "bridge/concepts",
        "bridge/exemplar",
        "bridge/smartbrush",
        "bridge/training",
        "cli",
        "cli/comfy",
    },
    # The plan of a photo is what the nodes would do with it: theirs is the code that says so.
    "cli/plan": {"core/", "bridge", "cli/"},
    "lab": {"lab", "lab/setup", "lab/toy"},
    "lab/toy": {"core/", "cli/", "lab", "lab/toy/"},
    "lab/train": {"core/", "training", "lab", "lab/toy/", "lab/train"},
    "lab/setup": {"cli/", "lab", "lab/toy", "lab/setup"},
    "lab/evaluate": {
        "core/",
        "training",
        "cli/",
        "lab",
        "lab/toy/",
        "lab/train",
        "lab/setup",
        "lab/evaluate/",
    },
    "lab/commands": {"training", "cli/", "lab/"},
}
HOST = {
    "app",
    "comfy",
    "comfy_api",
    "comfy_config",
    "comfy_execution",
    "comfy_extras",
    "execution",
    "folder_paths",
    "latent_preview",
    "node_helpers",
    "nodes",
    "server",
}
HOST_ALLOWED = {
    "bridge": {"comfy", "comfy_execution", "comfy_extras", "folder_paths", "latent_preview", "node_helpers"},
    "nodes": {"comfy_api"},
    "lab": {"comfy", "comfy_api"},
}
# The one file that may offer something to ComfyUI's server.
ROUTES = Path("bridge/routes.py")
# Packages that may be imported only inside a function, so that loading the pack stays cheap.
LAZY = {"scipy", "transformers", "torchvision", "kornia", "cv2", "controlnet_aux", "rtmlib", "onnxruntime"}
BANNED_IN_CORE = {"transformers", "safetensors", "torchvision", "kornia", "requests", "aiohttp"}
FILE_LINES, FUNCTION_LINES, EXECUTE_LINES = 400, 40, 8


def module_file(parts: list[str]) -> Path | None:
    """The file of a module of ours by its dotted parts, relative to the root; None where there is none."""
    for path in (Path(*parts).with_suffix(".py"), Path(*parts) / "__init__.py") if parts else ():
        if (ROOT / path).is_file():
            return path
    return None


def imported(node: ast.AST, path: Path) -> Iterator[tuple[str, list[str] | None]]:
    """(the host's or a library's top-level name, None) or ("", the parts of a module of ours), one by one."""
    if isinstance(node, ast.Import):
        for name in node.names:
            yield name.name.split(".")[0], None
    if not isinstance(node, ast.ImportFrom):
        return
    given = (node.module or "").split(".") if node.module else []
    if node.level == 0 and given[0] != "recompose":
        yield given[0], None
        return
    base = (
        given[1:]
        if node.level == 0
        else [*path.parent.parts[: len(path.parent.parts) + 1 - node.level], *given]
    )
    for name in node.names:
        # A name that is no module is something inside the module it is taken from.
        whole = [*base, name.name]
        yield "", whole if module_file(whole) or not module_file(base) or not base else base


def folder_of(parts: list[str]) -> str:
    """The folder a module of ours lies in; a package counts as the folder itself."""
    path = module_file(parts)
    if path is None:
        return "/".join(parts[:-1] or parts)
    return path.parent.as_posix()


def may(folder: str, target: str) -> bool:
    """Whether files of a folder may import files of another."""
    rules = next(ARROWS[name] for name in (folder, *map(str, Path(folder).parents)) if name in ARROWS)
    return any(target == rule or (rule.endswith("/") and f"{target}/".startswith(rule)) for rule in rules)


def broken_arrows(path: Path, tree: ast.Module) -> Iterator[str]:
    """Every import of one file that its folder may not have; `path` is relative to the root."""
    room, folder = path.parts[0], path.parent.as_posix()
    top_level = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        for name, parts in imported(node, path):
            where = f"{path}:{getattr(node, 'lineno', 0)}"
            if parts is not None and not may(folder, folder_of(parts)):
                yield f"{where}: {folder} may not import {'.'.join(parts)}"
            known = HOST_ALLOWED.get(room, set()) | ({"server"} if path == ROUTES else set())
            if parts is None and name in HOST - known:
                yield f"{where}: {room} may not know the host's {name}"
            if parts is None and room == "core" and name in BANNED_IN_CORE:
                yield f"{where}: core may not import {name}"
            if (
                parts is None
                and name in LAZY
                and id(node) in top_level
                and room in ("core", "bridge", "nodes")
            ):
                yield f"{where}: import {name} inside the function that needs it"


def over_budget(path: Path, tree: ast.Module, lines: int) -> Iterator[str]:
    """Every budget that one file breaks."""
    room = path.parts[0]
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length, where = node.end_lineno - node.lineno + 1, f"{path}:{node.lineno}: {node.name}"
            if length > FUNCTION_LINES and node.name != "define_schema":
                yield f"{where} has {length} lines, at most {FUNCTION_LINES}"
            body = node.end_lineno - node.body[0].lineno + 1
            if room == "nodes" and node.name == "execute" and body > EXECUTE_LINES:
                yield f"{where} has {body} lines, at most {EXECUTE_LINES}"
        if room == "nodes" and isinstance(node, ast.For | ast.While):
            yield f"{path}:{node.lineno}: no loops in nodes"


def violations(path: Path, source: str) -> list[str]:
    """Every broken arrow or budget of one file; `path` is relative to the root."""
    tree = ast.parse(source)
    return [*broken_arrows(path, tree), *over_budget(path, tree, source.count("\n"))]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Files that import each other in a circle; empty without one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def edges(path: Path, source: str) -> set[str]:
    """The files of ours that one file imports, at its top or inside functions."""
    tree = ast.parse(source)
    found = (parts for node in ast.walk(tree) for _, parts in imported(node, path) if parts is not None)
    return {str(file) for file in map(module_file, found) if file is not None}


SOURCES = sorted(path.relative_to(ROOT) for room in (*PRODUCT, "lab") for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_the_house_holds(path: Path) -> None:
    assert violations(path, (ROOT / path).read_text()) == []


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert circle({str(path): edges(path, (ROOT / path).read_text()) for path in SOURCES}) == []


def test_every_folder_has_its_arrows() -> None:
    folders = {path.parent.as_posix() for path in SOURCES}
    missing = {folder for folder in folders if folder.startswith(("core", "bridge")) and folder not in ARROWS}
    assert missing == set()


PLANTED = [
    ("core/x.py", "import comfy.utils\n"),
    ("core/x.py", "from ..bridge import layouts\n"),
    ("core/x.py", "from .mask import feather\n"),
    ("core/pose/x.py", "from ...nodes import pose\n"),
    ("core/pose/x.py", "from ..canvas import crop\n"),
    ("core/mask/x.py", "from ..canvas.crop import Fit\n"),
    ("core/sampling/x.py", "from ..mask import feather\n"),
    ("core/x.py", "from recompose.bridge import layouts\n"),
    ("core/x.py", "def f():\n    import transformers\n"),
    ("core/x.py", "def f():\n    from ..training import loop\n"),
    ("core/x.py", "import scipy.ndimage\n"),
    ("bridge/x.py", "from comfy_api.latest import io\n"),
    ("bridge/x.py", "from ..nodes import canvas\n"),
    ("bridge/x.py", "from .detectors import detect\n"),
    ("bridge/models/x.py", "from ..detectors import detect\n"),
    ("bridge/x.py", "def f():\n    from server import PromptServer\n"),
    ("nodes/x.py", "import server\n"),
    ("bridge/x.py", "import transformers\n"),
    ("bridge/x.py", "import execution\n"),
    ("nodes/x.py", "import comfy.utils\n"),
    ("nodes/x.py", "from ..training import loop\n"),
    ("nodes/x.py", "def f(a):\n    for b in a:\n        pass\n"),
    ("nodes/x.py", "class A:\n    def execute(cls):\n" + "        a = 1\n" * 9),
    ("training/x.py", "from .. import lab\n"),
    ("training/x.py", "from ..lab.toy import world\n"),
    ("cli/x.py", "from ..nodes import canvas\n"),
    ("cli/x.py", "from ..core import shapes\n"),
    ("cli/x.py", "from ..lab import places\n"),
    ("cli/comfy/x.py", "from ...training import task\n"),
    ("cli/plan/x.py", "from ...nodes import pose\n"),
    ("cli/plan/x.py", "import comfy.utils\n"),
    ("lab/x.py", "from ..nodes import canvas\n"),
    ("lab/toy/x.py", "from ..train import task\n"),
    ("lab/toy/models/x.py", "from ...train import task\n"),
    ("lab/train/x.py", "from ..evaluate import evaluator\n"),
    ("lab/evaluate/models/x.py", "from ...commands import quality\n"),
    ("core/x.py", "a = 1\n" * 401),
    ("core/x.py", "def f():\n" + "    a = 1\n" * 41),
]


@pytest.mark.parametrize(("path", "source"), PLANTED, ids=lambda value: str(value)[:40])
def test_a_planted_violation_is_found(path: str, source: str) -> None:
    assert len(violations(Path(path), source)) == 1


def test_a_planted_circle_is_found() -> None:
    assert set(circle({"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}})) == {"b", "d"}
    assert circle({"a": {"a"}}) == ["a", "a"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    planted = edges(Path("core/mask/distance.py"), "def f():\n    from . import feather\n")
    assert planted == {"core/mask/feather.py"}
    own = edges(Path("core/mask/feather.py"), (ROOT / "core/mask/feather.py").read_text())
    assert circle({"core/mask/distance.py": planted, "core/mask/feather.py": own}) != []
