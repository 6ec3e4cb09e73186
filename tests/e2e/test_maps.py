"""The words at a place of a picture, on Attention Maps in the real page with the demo's checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

# Each frontend and each renderer once, for what both share.
both = pytest.mark.parametrize(
    "pages", [("bundled", True), ("newest", False)], indirect=True, ids=["bundled-nodes2", "newest-classic"]
)
others = pytest.mark.parametrize(
    "pages", [("bundled", False), ("newest", True)], indirect=True, ids=["bundled-classic", "newest-nodes2"]
)


def test_the_pointer_shows_the_words_there_also_after_the_page_was_loaded_anew(pages: Any) -> None:
    pages.run("wordsUnderThePointer", seed=5)


@others
def test_a_page_that_brings_its_workflow_back_brings_the_words_back(pages: Any) -> None:
    pages.run("wordsAfterAReload", seed=6)


@both
def test_keys_and_fingers_do_what_the_pointer_does_and_a_copy_is_a_node_of_its_own(pages: Any) -> None:
    pages.run("wordsByKeysAndFinger", seed=7)


@others
def test_words_in_a_subgraph_on_a_light_and_french_page(pages: Any) -> None:
    pages.run("wordsInASubgraph", seed=8)


@both
def test_words_in_app_mode(pages: Any) -> None:
    pages.run("wordsInAppMode", seed=9)
