"""Which names of the pack's folder ComfyUI's server can serve, and the sentence for all others."""

from __future__ import annotations

import asyncio
import importlib
import string
import urllib.parse
from pathlib import Path

import pytest
import yarl
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

MARKS = [mark for mark in string.printable if mark.isprintable() and mark not in "/\\."] + ["ü", "é", "日"]


def test_every_mark_that_the_server_does_not_find_is_told(comfy, tmp_path: Path) -> None:
    routes = importlib.import_module("recompose.bridge.routes")
    (tmp_path / "a.js").write_text("")

    async def served(name: str) -> bool:
        app = web.Application()
        app.add_routes([web.static(f"/extensions/{name}", tmp_path)])  # as ComfyUI's server.py does
        async with TestClient(TestServer(app)) as client:
            path = yarl.URL(f"/extensions/{urllib.parse.quote(name)}/a.js", encoded=True)
            return (await client.get(path)).status == 200

    async def all_served() -> dict[str, bool]:
        return {mark: await served(f"a{mark}b") for mark in MARKS}

    found = asyncio.run(all_served())
    assert {mark: routes.folder_trouble(f"a{mark}b") is None for mark in MARKS} == found
    assert not found[" "] and not found["#"] and not found["ü"] and found["-"] and found["_"]


@pytest.mark.parametrize(
    ("name", "lost"),
    [("comfyui-recompose", None), ("my packs", "the pose editor"), ("recompose-1.0", "its help pages")],
)
def test_the_sentence_names_what_is_lost_and_what_to_do(comfy, name: str, lost: str | None) -> None:
    trouble = importlib.import_module("recompose.bridge.routes").folder_trouble(name)
    assert (trouble is None) == (lost is None)
    if lost:
        assert lost in trouble and name in trouble and "rename it to comfyui-recompose" in trouble
