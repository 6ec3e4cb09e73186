"""The pages that people read: links lead somewhere, and functions they name exist."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
NAMED = re.compile(r"`([\w/]+\.py):\s([A-Za-z_][\w.]*)`")
OUTSIDE = ("https://", "http://", "mailto:")


def pages() -> list[Path]:
    """Every Markdown page of the checkout, committed or new."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).exists()]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def folder_of(page: Path) -> Path:
    """What the page's links start from: help shows docs/<node>/<language>.md as if it lay in docs."""
    return page.parent.parent if page.parent.parent == ROOT / "js" / "docs" else page.parent


def broken(page: Path, text: str) -> list[str]:
    """The relative links of a page that lead nowhere."""
    found = []
    for link in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if link.startswith(OUTSIDE):
            continue
        name, _, anchor = link.partition("#")
        target = folder_of(page) / name if name else page
        whole = target.exists() and target.resolve().is_relative_to(ROOT)
        if not whole or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            found.append(link)
    return found


def names(source: str) -> set[str]:
    """Functions, classes and methods of a module."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)]
            found |= {f"{node.name}.{name}" for name in methods}
    return found


def missing(text: str) -> list[str]:
    """What a page names as `file.py: name` but is not there."""
    pairs = NAMED.findall(text)
    return [
        f"{file}: {name}"
        for file, name in pairs
        if not (ROOT / file).is_file() or name not in names((ROOT / file).read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_of_the_checkout(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_function_that_a_page_names_exists(page: Path) -> None:
    assert missing(page.read_text(encoding="utf-8")) == []


def test_the_papers_name_functions_of_every_subject() -> None:
    files = {file for file, _ in NAMED.findall((ROOT / "docs" / "papers.md").read_text(encoding="utf-8"))}
    folders = ("core/sampling", "core/canvas", "core/mask", "core/pose", "training", "lab", "bridge")
    assert len(files) >= 20
    assert all(any(file.startswith(folder) for file in files) for folder in folders)


def test_a_broken_link_and_a_wrong_name_are_found() -> None:
    readme = ROOT / "README.md"
    text = (
        "[a](README.md) [b](nowhere.md) ![c](docs/none.png) [d](https://x) [e](README.md#no-such) [f](../x)"
    )
    assert broken(readme, text) == ["nowhere.md", "docs/none.png", "README.md#no-such", "../x"]
    text = "`core/mask/feather.py: feather` `core/mask/feather.py: pluck` `core/none.py: a`"
    assert missing(text) == ["core/mask/feather.py: pluck", "core/none.py: a"]
