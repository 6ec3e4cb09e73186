"""The pack in the page: its nodes are offered and its template opens, in each frontend and renderer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

API = Path(__file__).resolve().parents[2] / "workflows" / "api"
SCHEMAS = Path(__file__).resolve().parents[1] / "data" / "schemas.json"


def test_the_pack_appears_and_its_template_opens(pages) -> None:
    pages.run("packAndTemplate", nodes=sorted(json.loads(SCHEMAS.read_text())))


def test_its_templates_post_what_their_api_twins_say(pages) -> None:
    pages.run("templatesPost", twins={path.stem: json.loads(path.read_text()) for path in API.glob("*.json")})


def test_what_is_typed_on_the_subgraph_reaches_its_nodes(pages) -> None:
    values = {"source_prompt": "a man standing", "target_prompts": "a man running\na man waving", "seed": 77}
    pages.run("subgraphTakesPrompts", name="same_person_new_pose_subgraph", values=values)


def test_what_a_page_lacks_is_said(pages) -> None:
    with pytest.raises(AssertionError, match='The pack\'s nodes: expected \\["Nothing"\\]'):
        pages.run("packAndTemplate", nodes=["Nothing"])


def test_a_nodes_help_shows_its_picture(pages) -> None:
    opened = ["RecomposeStitchBack", "RecomposeInpaintScheduler"]
    pages.run("helpShowsPicture", nodes=sorted(json.loads(SCHEMAS.read_text())), opened=opened)


def test_the_help_is_french_on_a_french_page(pages) -> None:
    pages.run("frenchHelp", type="RecomposeStitchBack", title="Remettre en place")
