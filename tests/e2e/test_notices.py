"""Notices on nodes in the page, in each frontend and renderer."""

from __future__ import annotations

from typing import Any


def test_a_notice_stands_on_its_node_until_the_next_result(pages: Any, graph: dict) -> None:
    pages.run("noticeOnTheNode", **graph)
