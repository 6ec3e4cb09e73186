"""The house of the browser's side: one file knows ComfyUI, nothing is remote, nothing is read as HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

JS = Path(__file__).resolve().parent.parent / "js"
SOURCES = sorted(path.relative_to(JS) for path in JS.rglob("*.js"))
ENTRY = "pose_editor.js"
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
    if path.name != ENTRY and re.search(r"/scripts/|\bapp\.|\bLiteGraph\b", source):
        found.append("ComfyUI")
    targets = re.findall(r'(?:from|import) "([^"]+)"', source)
    own = [target for target in targets if "/scripts/" not in target]
    if not all(re.fullmatch(r"\./(?:pose/)?[a-z_]+\.js", target) for target in own):
        found.append("an import from outside")
    if source.count("\n") > LINES:
        found.append(f"more than {LINES} lines")
    return found


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
        ('import { app } from "../../scripts/app.js";\n', "ComfyUI"),
        ('fetch("https://example.org")\n', "a remote address"),
        ("element.innerHTML = name;\n", "text read as HTML"),
        ("window.pose = 1;\n", "a global"),
        ('import x from "https-proxy";\n', "an import from outside"),
        ("a\n" * 401, "more than 400 lines"),
    ],
)
def test_a_planted_violation_is_found(source: str, found: str) -> None:
    assert violations(Path("pose/planted.js"), source) == [found]
