"""The pose editor on its node in the real page, in each frontend and renderer."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image


def picture(server: Any, image: dict) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(server.client.fetch(image))))


def test_a_knee_dragged_below_the_frame_changes_prompt_and_control_image(pages: Any, graph: dict) -> None:
    result = pages.run("dragAKnee", **graph)
    before, after = (picture(pages.server, image) for image in result["images"])
    assert before.shape == after.shape == (graph["height"], graph["width"], 3)
    assert (before != after).any()
    edit = json.loads(result["prompt"]["3"]["inputs"]["edit"])
    coordinates = edit["frames"]["0"]["people"][0]["xy"]
    assert round(16 * result["knee"]["y"]) in coordinates
    # The same prompt without a browser, drawn anew for a picture node that was never cached.
    headless = result["prompt"] | {
        "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 1], "filename_prefix": "e2e"}}
    }
    headless["3"]["inputs"]["threshold"] = 0.29
    entry = pages.server.run(headless)
    assert (picture(pages.server, entry["outputs"]["9"]["images"][0]) == after).all()


def test_the_graphs_undo_is_the_editors(pages: Any, graph: dict) -> None:
    pages.run("undoAndRedo", **graph)


def test_each_drag_does_what_it_should(pages: Any, graph: dict) -> None:
    pages.run("gestures", **graph)


def test_an_edit_outlives_file_reload_renderer_and_copy(pages: Any, graph: dict) -> None:
    pages.run("saveReloadSwitchAndCopy", **graph)


def test_the_editor_works_inside_a_subgraph(pages: Any, graph: dict) -> None:
    pages.run("insideASubgraph", **graph)


def test_a_removed_node_leaves_nothing(pages: Any, graph: dict) -> None:
    pages.run("removed", **graph)


def test_everything_can_be_done_by_keyboard(pages: Any, graph: dict) -> None:
    pages.run("keyboard", **graph)


def test_people_are_copied_and_bad_values_are_told(pages: Any, graph: dict) -> None:
    pages.run("clipboardAndBadValues", **graph)


def test_a_stale_preview_is_marked(pages: Any, graph: dict) -> None:
    pages.run("stalePreview", **graph)


def test_a_batch_is_edited_picture_by_picture(pages: Any, graph: dict) -> None:
    pages.run("batch", **graph)


def test_fingers_drag_pan_and_zoom(pages: Any, graph: dict) -> None:
    pages.run("touch", **graph)


def test_corners_scale_and_the_knob_turns(pages: Any, graph: dict) -> None:
    pages.run("scaleAndTurn", **graph)


def test_a_pen_drags_and_pans(pages: Any, graph: dict) -> None:
    pages.run("pen", **graph)


def test_brackets_deleted_people_and_files(pages: Any, graph: dict) -> None:
    pages.run("bracketsPeopleAndFiles", **graph)


def test_another_tab_another_size_and_another_palette_change_no_edit(pages: Any, graph: dict) -> None:
    pages.run("tabsSizesAndPalettes", **graph)


def test_the_server_guesses_the_legs(pages: Any, graph: dict) -> None:
    pages.run("guessLegs", **graph)


def test_where_no_server_guesses_the_edit_stays(pages: Any, graph: dict) -> None:
    pages.run("guessLegsInVain", **graph)


@pytest.mark.parametrize("pages", [("bundled", False)], indirect=True, ids=["bundled-classic"])
def test_after_a_restart_of_the_server_the_picture_is_fetched_again(pages: Any, graph: dict) -> None:
    pages.run("serverRestart", **graph)


def test_the_panel_beside_the_graph_does_not_squeeze_the_editor(pages: Any, graph: dict) -> None:
    pages.run("besideThePanel", **graph)


def test_every_button_can_be_reached_on_a_narrow_node_and_the_large_view_can_be_left(
    pages: Any, graph: dict
) -> None:
    pages.run("narrowAndLarge", **graph)


def test_what_is_not_loaded_is_told_and_nobody_is_lost(pages: Any, graph: dict) -> None:
    pages.run("toldAndKept", **graph)


def test_the_editor_is_french_on_a_french_page(pages: Any, graph: dict) -> None:
    pages.run("inFrench", **graph)
