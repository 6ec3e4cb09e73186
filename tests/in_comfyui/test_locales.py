"""Names, translations and help pages fit the schemas: nothing is missing, nothing is left over."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

# What ComfyUI's frontend lets a user choose; a translation into another language would never be shown.
OFFERED = {"en", "zh", "zh-TW", "ru", "ja", "ko", "fr", "es", "ar", "tr", "pt-BR", "fa", "he"}
ROOT = Path(__file__).resolve().parents[2]
COMBOS = {"mode", "fill", "search", "detector", "preset"}
LANGUAGES = sorted(path.name for path in (ROOT / "locales").iterdir())


@pytest.fixture(scope="module")
def schemas(comfy: ModuleType) -> dict[str, dict]:
    """By node id: name, description, and the tooltips of inputs and outputs by the locale files' keys."""
    nodes = importlib.import_module("recompose.nodes")
    found = asyncio.run(nodes.RecomposeExtension().get_node_list())
    return {info["name"]: described(info) for info in (node.GET_NODE_INFO_V1() for node in found)}


def described(info: dict) -> dict:
    return {
        "display_name": info["display_name"],
        "description": info["description"],
        "inputs": {key: tip for group in shown(info).values() for key, tip in inputs(group).items()},
        "outputs": {str(index): tip for index, tip in enumerate(info["output_tooltips"])},
    }


def shown(info: dict) -> dict:
    """The groups of inputs a user sees; what the server fills in by itself has no name."""
    return {name: group for name, group in info["input"].items() if name != "hidden"}


def inputs(group: dict, prefix: str = "") -> dict[str, str | None]:
    """Tooltips by key; the frontend joins a dynamic combo's name and its inputs' names with an underscore."""
    found = {}
    for name, entry in group.items():
        options = entry[1] if len(entry) > 1 else {}
        found[prefix + name] = options.get("tooltip")
        for option in options.get("options") or []:
            if isinstance(option, dict):
                for inner in option["inputs"].values():
                    found |= inputs(inner, f"{prefix}{name}_")
    return found


def translated(language: str) -> dict:
    return json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))


def test_there_is_english_and_only_what_can_be_chosen() -> None:
    assert "en" in LANGUAGES
    assert set(LANGUAGES) <= OFFERED
    assert len(LANGUAGES) > 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_input_and_output_is_named_and_no_other(language: str, schemas: dict[str, dict]) -> None:
    locale = translated(language)
    assert sorted(locale) == sorted(schemas)
    for node, schema in schemas.items():
        assert sorted(locale[node]["inputs"]) == sorted(schema["inputs"]), node
        assert sorted(locale[node]["outputs"]) == sorted(schema["outputs"]), node
        entries = [*locale[node]["inputs"].values(), *locale[node]["outputs"].values(), locale[node]]
        names = [entry.get("name", entry.get("display_name")) for entry in entries]
        assert all(name and name.strip() == name and "_" not in name for name in names), node


def test_english_names_the_nodes_as_the_schemas_do_and_leaves_the_tooltips_to_them(
    schemas: dict[str, dict],
) -> None:
    for node, locale in translated("en").items():
        assert locale["display_name"] == schemas[node]["display_name"]
        assert set(locale) == {"display_name", "inputs", "outputs"}
        for entry in [*locale["inputs"].values(), *locale["outputs"].values()]:
            assert set(entry) == {"name"}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_a_translation_explains_all_that_the_schema_explains(language: str, schemas: dict[str, dict]) -> None:
    for node, locale in translated(language).items():
        assert locale["description"] != schemas[node]["description"]
        for kind in ("inputs", "outputs"):
            explained = {key for key, tip in schemas[node][kind].items() if tip}
            assert {key for key, entry in locale[kind].items() if entry.get("tooltip")} == explained


DOCS = ROOT / "js" / "docs"


def help_pages(language: str) -> dict[str, str]:
    """By node id; the frontend looks for <node id>/<language>.md first, then for <node id>.md."""
    paths = {path.stem: path for path in DOCS.glob("*.md")}
    if language != "en":
        paths = {path.parent.name: path for path in DOCS.glob(f"*/{language}.md")}
    return {node: path.read_text(encoding="utf-8") for node, path in paths.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_has_a_help_page_that_names_what_the_node_shows(language: str) -> None:
    pages, locale = help_pages(language), translated(language)
    assert sorted(pages) == sorted(locale)
    for node, page in pages.items():
        lines = page.splitlines()
        assert lines[0] == f"# {locale[node]['display_name']}"
        assert 20 <= len(lines) <= 60, f"{node} has {len(lines)} lines"
        named = set(re.findall(r"`([^`]+)`", page))
        entries = [*locale[node]["inputs"].values(), *locale[node]["outputs"].values()]
        assert {entry["name"] for entry in entries} - named == set(), node
        assert f"](pictures/{node}.webp)" in page
        for link in re.findall(r"(?<!!)\[[^\]]*\]\((?!https://)([^)]+)\)", page):
            raise AssertionError(f"{node} links to {link}, which the help panel cannot open")


PICTURES = ROOT / "js" / "docs" / "pictures"
PICTURE_BYTES, ALL_BYTES = 40_000, 600_000  # the history keeps every version of them


def test_every_help_page_shows_its_own_small_picture(schemas: dict[str, dict]) -> None:
    sizes = {path.stem: path.stat().st_size for path in PICTURES.iterdir()}
    assert sorted(sizes) == sorted(schemas)
    assert max(sizes.values()) <= PICTURE_BYTES
    assert sum(sizes.values()) <= ALL_BYTES
    for node in schemas:
        page = (ROOT / "js" / "docs" / f"{node}.md").read_text(encoding="utf-8")
        ((text, link),) = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page)
        assert link == f"pictures/{node}.webp"
        assert len(text) > 10, "what the picture shows, for those who do not see it"
        assert Image.open(PICTURES / f"{node}.webp").width >= 250
