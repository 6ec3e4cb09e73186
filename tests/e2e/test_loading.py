"""What a page loads of this pack, on hosts and in moments that are not the usual ones, too."""

from __future__ import annotations

from typing import Any


def test_a_page_loads_one_script_and_the_editor_with_its_first_node(pages: Any, graph: dict) -> None:
    pages.run("oneScriptAtTheStart", **graph)


def test_the_editor_opens_where_the_host_sends_unknown_endings_as_text(pages: Any, graph: dict) -> None:
    pages.run("opensWhereUnknownEndingsAreText", **graph)


def test_a_value_outlives_modules_that_come_late_or_never(pages: Any) -> None:
    pages.run("modulesThatComeLateOrNever")
