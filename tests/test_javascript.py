"""The house of the browser's side: two files know ComfyUI, nothing is remote, nothing is read as HTML."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
JS = ROOT / "js"
SOURCES = sorted(path.relative_to(JS) for path in JS.rglob("*.js"))
ENTRY = "pose_editor.js"
KNOW_COMFYUI = {ENTRY, ".modules/canvas/page.js"}
MODULES = ".modules"
LINES = 400
FORBIDDEN = {
    "a remote address": re.compile(r"https?://(?!www\.w3\.org/2000/svg)"),
    "text read as HTML": re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser"),
    "text run as code": re.compile(r"\beval\(|new Function"),
    "a global": re.compile(r"\b(window|globalThis)\.\w+\s*=[^=]"),
    "a changed prototype": re.compile(r"\.prototype\.\w+\s*=[^=]"),
    "the console": re.compile(r"\bconsole\."),
}


def violations(path: Path, source: str) -> list[str]:
    """What a file of js/ must not have; `path` is relative to js/."""
    found = [what for what, pattern in FORBIDDEN.items() if pattern.search(source)]
    if path.name != ENTRY and re.search(r"/scripts/", source):
        found.append("ComfyUI's scripts")
    if path.as_posix() not in KNOW_COMFYUI and re.search(r"\b(app|api)\.(?!js)|\bLiteGraph\b", source):
        found.append("ComfyUI's objects")
    targets = re.findall(r'(?:from|import) "([^"]+)"', source)
    own = [target for target in targets if "/scripts/" not in target]
    if not all(re.fullmatch(r"\.{1,2}/[a-z_./]+\.js", target) for target in own):
        found.append("an import from outside")
    if source.count("\n") > LINES:
        found.append(f"more than {LINES} lines")
    return found


IMPORT = re.compile(r'import\s+(\{[^}]*\}|\*\s+as\s+\w+)\s+from\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)')


def without_comments(source: str) -> str:
    return re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", source, flags=re.S | re.M)


def imports(path: Path, source: str) -> list[tuple[Path, set[str]]]:
    """(module, names taken from it) of every import of our own; `path` is relative to js/."""
    code, found = without_comments(source), []
    for names, static, dynamic in IMPORT.findall(code):
        if "/scripts/" in static:
            continue
        target = Path(os.path.normpath(path.parent / (static or dynamic)))
        if dynamic:
            taken = set(re.findall(r"\w+", " ".join(re.findall(r"\(\{([^}]*)\}\) =>", code))))
        elif names.startswith("*"):
            taken = set(re.findall(rf"\b{names.split()[-1]}\.(\w+)", code))
        else:
            taken = {name.split(" as ")[0].strip() for name in names.strip("{}").split(",")}
        found.append((target, taken))
    return found


def exports(source: str) -> set[str]:
    code = without_comments(source)
    found = set(re.findall(r"^export (?:async )?(?:function|class) (\w+)", code, re.M))
    for declared in re.findall(r"^export (?:const|let) (.*?)(?:;$|[{(\[])", code, re.M | re.S):
        found |= set(re.findall(r"(?:^|, )(\w+) =", declared))
    return found


def dead(sources: dict[Path, str], entry: Path) -> list[str]:
    """Modules that the entry does not reach, and exports that no other module of the product takes."""
    reached, waiting, taken = set(), [entry], {path: set() for path in sources}
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for target, names in imports(path, sources[path]):
            taken[target] |= names
            waiting.append(target)
    found = [f"{path} is never loaded" for path in sources if path not in reached]
    return found + [
        f"{path}: nobody uses {name}"
        for path in reached
        for name in sorted(exports(sources[path]) - taken[path])
    ]


def everything() -> dict[Path, str]:
    return {path: (JS / path).read_text() for path in SOURCES}


def test_nothing_is_dead() -> None:
    assert dead(everything(), Path(ENTRY)) == []


@pytest.mark.parametrize(
    "planted",
    [
        "export function planted() {}\n",
        "export async function planted() {}\n",
        "export const KEPT_OUT = 1, planted = 2;\nconst used = KEPT_OUT;\n",
        "export const planted = Object.freeze({ a: 1 });\n",
        "export class planted {}\n",
    ],
)
def test_a_planted_dead_export_is_found(planted: str) -> None:
    path = next(path for path in SOURCES if path.stem == "types")
    found = dead(everything() | {path: everything()[path] + planted}, Path(ENTRY))
    assert f"{path}: nobody uses planted" in found


def test_a_planted_dead_module_is_found() -> None:
    planted = Path(".modules/pose/planted.js")
    assert dead(everything() | {planted: "const a = 1;\n"}, Path(ENTRY)) == [f"{planted} is never loaded"]


# Who may import whom, in code and in types: a folder also imports itself.
ARROWS = {
    ENTRY: {"canvas", "pose/view", "maps", "sketch/view"},
    "canvas": set(),
    "maps": {"canvas"},
    "sketch/model": set(),
    "sketch/view": {"canvas", "sketch/model"},
    "pose/model": {"canvas"},
    "pose/estimate": {"pose/model"},
    "pose/io": {"pose/model"},
    "pose/edit": {"pose/model", "pose/estimate", "pose/io"},
    "pose/view": {"canvas", "pose/model", "pose/estimate", "pose/io", "pose/edit"},
}


def room(path: Path) -> str:
    return path.name if path.parent == Path() else path.parent.relative_to(MODULES).as_posix()


def wrong_arrows(path: Path, source: str) -> list[str]:
    targets = [target for target, _ in imports(path, source)]
    named = re.findall(r'import\("(\.[^"]+)"\)\.\w+|@import \{[^}]*\} from "(\.[^"]+)"', source)
    targets += [Path(os.path.normpath(path.parent / (one or other))) for one, other in named]
    allowed = ARROWS[room(path)] | {room(path)}
    return [f"{path} imports {target}" for target in targets if room(target) not in allowed]


def circles(sources: dict[Path, str]) -> list[list[str]]:
    """Modules that import each other, each circle once."""
    found, done = [], set()

    def walk(path: Path, above: list[Path]) -> None:
        if path in above:
            found.append([str(each) for each in above[above.index(path) :]])
        elif path not in done:
            for target, _ in imports(path, sources[path]):
                walk(target, [*above, path])
            done.add(path)

    for path in sources:
        walk(path, [])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_imports_follow_the_arrows(path: Path) -> None:
    assert wrong_arrows(path, (JS / path).read_text()) == []


def test_no_modules_import_each_other() -> None:
    assert circles(everything()) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (".modules/canvas/planted.js", 'import { FLAG } from "../pose/model/types.js";\n'),
        (".modules/canvas/planted.js", '/** @import { Frame } from "../pose/model/types.js" */\n'),
        (".modules/canvas/planted.js", '/** @typedef {import("../pose/model/types.js").Frame} Frame */\n'),
        (".modules/pose/model/planted.js", 'import * as state from "../edit/state.js";\n'),
        (".modules/pose/io/planted.js", 'import { toStage } from "../../canvas/camera.js";\n'),
    ],
)
def test_a_planted_arrow_is_found(path: str, source: str) -> None:
    assert len(wrong_arrows(Path(path), source)) == 1


def test_a_planted_circle_is_found() -> None:
    sources = ('import { b } from "./b.js";\n', 'import { a } from "./a.js";\n')
    planted = dict(zip([Path("canvas/a.js"), Path("canvas/b.js")], sources, strict=True))
    assert circles(planted) == [["canvas/a.js", "canvas/b.js"]]


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_keeps_to_the_house(path: Path) -> None:
    assert violations(path, (JS / path).read_text()) == []


def test_the_entry_knows_only_what_comfyui_offers_to_all() -> None:
    source = (JS / ENTRY).read_text()
    public = {"../../scripts/app.js", "../../scripts/api.js"}
    assert {target for target in re.findall(r'from "([^"]+)"', source) if "scripts" in target} == public


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('import { app } from "../../scripts/app.js";\n', "ComfyUI's scripts"),
        ("app.canvas.draw();\n", "ComfyUI's objects"),
        ('fetch("https://example.org")\n', "a remote address"),
        ("element.innerHTML = name;\n", "text read as HTML"),
        ("window.pose = 1;\n", "a global"),
        ('import x from "https-proxy";\n', "an import from outside"),
        ("a\n" * 401, "more than 400 lines"),
    ],
)
def test_a_planted_violation_is_found(source: str, found: str) -> None:
    assert violations(Path(".modules/pose/planted.js"), source) == [found]


def typescript(folder: Path) -> subprocess.CompletedProcess[str]:
    """TypeScript's check of the types that comments declare, as jsconfig.json asks for it."""
    node, packages = (os.environ.get(name) for name in ("RECOMPOSE_NODE", "RECOMPOSE_NODE_PACKAGES"))
    assert node and packages, "TypeScript is missing; `python3 cli test` brings it."
    program = Path(packages, "node_modules", "typescript", "bin", "tsc")
    command = [node, str(program), "--project", str(folder / "jsconfig.json"), "--pretty", "false"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_typescript_has_nothing_to_say() -> None:
    done = typescript(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("planted", "sentence"),
    [
        ("/** @param {Frame} frame */\nconst planted = (frame) => frame.widht;\nplanted;\n", "'widht'"),
        ("const planted = (frame) => frame;\nplanted;\n", "implicitly has an 'any' type"),
        (
            "/** @param {State} state */\nconst planted = (state) => state.before.length;\nplanted;\n",
            "'null'",
        ),
        ('/** @type {Event} */\nconst planted = { type: "nudge", x: 1 };\nplanted;\n', "'y' is missing"),
        ("const planted = 1;\n", "never read"),
    ],
)
def test_typescript_sees_a_planted_fault(tmp_path: Path, planted: str, sentence: str) -> None:
    shutil.copytree(JS, tmp_path / "js")
    shutil.copy(ROOT / "jsconfig.json", tmp_path)
    (tmp_path / "tests" / "js").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "js" / "comfyui.d.ts", tmp_path / "tests" / "js")
    types = tmp_path / "js" / MODULES / "pose" / "model" / "types.js"
    types.write_text(types.read_text() + planted)
    done = typescript(tmp_path)
    errors = [line for line in done.stdout.splitlines() if "error TS" in line]
    assert done.returncode != 0 and errors, done.stdout + done.stderr
    assert all("types.js" in line for line in errors) and sentence in done.stdout, done.stdout
